"""Everything that can go wrong in a way that was foreseen, as one tree.

    PlatformError
    ├── InvalidInputError              the caller sent something that cannot be used
    │   ├── InvalidIDError             an id that none of our types made
    │   ├── InvalidCursorError         a cursor that no page gave out
    │   ├── PageSizeError              a page of no or of too many items
    │   ├── IntervalError              a sampling interval that is too short or too long
    │   ├── EmptyRowsError             a prediction without rows
    │   ├── TooManyRowsError           a prediction with more rows than are served at once
    │   ├── InvalidRowsError           rows that do not fit the model's signature
    │   ├── InvalidBodyError           a request body that is not what the path reads
    │   ├── MethodNotAllowedError      a path that is not called like that
    │   └── BodyTooLargeError          a request body above the limit
    ├── NotFoundError
    │   ├── ModelNotFoundError         no served model of that name
    │   └── PathNotFoundError          no such path
    ├── AccessError                    the caller may not do that
    │   ├── UnauthenticatedError       no key, and the operation needs one
    │   ├── InvalidKeyError            a key that is not ours
    │   ├── ForbiddenError             a key without the permission
    │   ├── HostNotAllowedError        a Host header that does not name this server
    │   └── OriginNotAllowedError      a web page of another origin
    ├── UnavailableError               right now it does not work; later it may
    │   ├── ModelNotReadyError         the model is loading, or could not be loaded
    │   ├── RegistryUnavailableError   the model registry does not answer
    │   └── MonitoringDisabledError    the metrics are switched off
    ├── ModelError                     the model itself does not do what it should
    │   ├── UnsupportedModelError      a model that cannot be served
    │   ├── ModelLoadError             loading the model's files failed
    │   └── PredictionError            the model failed on rows that fit its signature
    └── StartError                     the server cannot start as it is configured
        ├── SettingsError              settings that are wrong or unknown
        ├── AccessNotConfiguredError   an open address without a key
        ├── DataFolderError            a data folder that cannot be written
        ├── DemoError                  the demo models could not be trained and registered
        ├── PortInUseError             another program has the port
        └── AddressError               an address that this machine does not have

An error is a fact: its data are attributes, its class has a stable `code`, and its docstring is
the message, filled with the data.
It knows nothing of HTTP or GraphQL; those edges translate `code` and `data`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, ClassVar


@dataclass(eq=False)
class PlatformError(Exception):
    """The platform could not do that."""

    code: ClassVar[str] = "INTERNAL"

    def __str__(self) -> str:
        """Return the class's docstring, filled with the error's data."""
        shown = {name: _shown(value) for name, value in vars(self).items()}
        return " ".join((self.__doc__ or "").split()).format(**shown)

    @property
    def data(self) -> Mapping[str, Any]:
        """The error's facts as plain values, for the edges to send along."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _shown(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(repr(item) for item in value) or "none"
    return value


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


class InvalidInputError(PlatformError):
    """The input cannot be used."""

    code = "INVALID_INPUT"


@dataclass(eq=False)
class InvalidIDError(InvalidInputError):
    """The id {id!r} is not one of ours; pass an `id` exactly as a query returned it."""

    code = "INVALID_ID"
    id: str


@dataclass(eq=False)
class InvalidCursorError(InvalidInputError):
    """The cursor {cursor!r} is not one of ours; pass an `endCursor` that a query returned."""

    code = "INVALID_CURSOR"
    cursor: str


@dataclass(eq=False)
class PageSizeError(InvalidInputError):
    """A page has between 1 and {maximum} items, and {first} were asked for."""

    code = "INVALID_PAGE_SIZE"
    first: int
    maximum: int


@dataclass(eq=False)
class IntervalError(InvalidInputError):
    """The interval must lie between {minimum_seconds} and {maximum_seconds} seconds, and
    {seconds} were asked for.
    """

    code = "INVALID_INTERVAL"
    seconds: float
    minimum_seconds: float
    maximum_seconds: float


class EmptyRowsError(InvalidInputError):
    """There is nothing to predict: pass at least one row."""

    code = "EMPTY_ROWS"


@dataclass(eq=False)
class TooManyRowsError(InvalidInputError):
    """{count} rows are more than the {maximum} that one request may have; send them in parts,
    or raise GQL_PLATFORM_MAX_ROWS.
    """

    code = "TOO_MANY_ROWS"
    count: int
    maximum: int


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One value that does not fit the model's signature.

    Attributes:
        row: The row's position in the request, from 0.
        column: The column's name, known or not; None when the whole row is meant.
        problem: What is wrong, as a whole sentence.
        expected: What the column takes.
    """

    row: int
    column: str | None
    problem: str
    expected: str


@dataclass(eq=False)
class InvalidRowsError(InvalidInputError):
    """{problem_count} values do not fit the signature of {model!r}; the first: {first_problem}"""

    code = "INVALID_ROWS"
    model: str
    problems: Sequence[RowProblem]
    problem_count: int

    def __str__(self) -> str:
        """Return the message with the place and the text of the first problem."""
        first = self.problems[0]
        place = f"row {first.row}" + (f", column {first.column!r}" if first.column else "")
        noun = "value does" if self.problem_count == 1 else "values do"
        return (
            f"{self.problem_count} {noun} not fit the signature of {self.model!r}; "
            f"{place}: {first.problem} Expected {first.expected}."
        )


@dataclass(eq=False)
class InvalidBodyError(InvalidInputError):
    """The request body cannot be read: {problem} Expected {expected}."""

    code = "INVALID_BODY"
    problem: str
    expected: str


@dataclass(eq=False)
class MethodNotAllowedError(InvalidInputError):
    """{path!r} does not take {method}; it takes {allowed}."""

    code = "METHOD_NOT_ALLOWED"
    method: str
    path: str
    allowed: str


@dataclass(eq=False)
class BodyTooLargeError(InvalidInputError):
    """The request body is larger than the {limit_bytes} bytes that are taken; send less, or
    raise GQL_PLATFORM_MAX_BODY_BYTES.
    """

    code = "BODY_TOO_LARGE"
    limit_bytes: int


class NotFoundError(PlatformError):
    """There is no such thing."""

    code = "NOT_FOUND"


@dataclass(eq=False)
class ModelNotFoundError(NotFoundError):
    """No model named {name!r} is served; these are: {served}."""

    code = "MODEL_NOT_FOUND"
    name: str
    served: Sequence[str]


@dataclass(eq=False)
class PathNotFoundError(NotFoundError):
    """There is nothing at {path!r}; /docs lists the paths, and /graphql is the API."""

    code = "PATH_NOT_FOUND"
    path: str


class AccessError(PlatformError):
    """That is not allowed."""

    code = "ACCESS_DENIED"


class UnauthenticatedError(AccessError):
    """This needs a key: send the header `Authorization: Bearer <API_SECRET_KEY>`."""

    code = "UNAUTHENTICATED"


class InvalidKeyError(AccessError):
    """The key is not valid here: the header must be `Authorization: Bearer <API_SECRET_KEY>`."""

    code = "INVALID_KEY"


@dataclass(eq=False)
class ForbiddenError(AccessError):
    """This needs the permission {permission!r}, which the key does not have."""

    code = "FORBIDDEN"
    permission: str


@dataclass(eq=False)
class HostNotAllowedError(AccessError):
    """The server does not answer to the host {host!r}; call it by a name in
    GQL_PLATFORM_ALLOWED_HOSTS, or add this one.
    """

    code = "HOST_NOT_ALLOWED"
    host: str


@dataclass(eq=False)
class OriginNotAllowedError(AccessError):
    """Web pages from {origin!r} may not use the server; add the origin to
    GQL_PLATFORM_ALLOWED_ORIGINS if they should.
    """

    code = "ORIGIN_NOT_ALLOWED"
    origin: str


class UnavailableError(PlatformError):
    """That does not work right now."""

    code = "UNAVAILABLE"


@dataclass(eq=False)
class ModelNotReadyError(UnavailableError):
    """The model {name!r} cannot predict yet: {reason}"""

    code = "MODEL_NOT_READY"
    name: str
    reason: str


@dataclass(eq=False)
class RegistryUnavailableError(UnavailableError):
    """The model registry at {uri} does not answer: {reason}"""

    code = "REGISTRY_UNAVAILABLE"
    uri: str
    reason: str


class MonitoringDisabledError(UnavailableError):
    """Metrics are switched off here; start the server with ENABLE_MONITORING=true."""

    code = "MONITORING_DISABLED"


@dataclass(eq=False)
class ModelError(PlatformError):
    """Version {version} of {name!r} does not do what it should: {reason}"""

    code = "MODEL_FAILED"
    name: str
    version: int
    reason: str


class UnsupportedModelError(ModelError):
    """Version {version} of {name!r} cannot be served: {reason}"""

    code = "MODEL_UNSUPPORTED"


class ModelLoadError(ModelError):
    """Version {version} of {name!r} could not be loaded: {reason}"""

    code = "MODEL_LOAD_FAILED"


class PredictionError(ModelError):
    """Version {version} of {name!r} failed on rows that fit its signature: {reason}"""

    code = "PREDICTION_FAILED"


class StartError(PlatformError):
    """The server cannot start like this."""

    code = "START_FAILED"


@dataclass(eq=False)
class SettingsError(StartError):
    """The settings are wrong: {problems}"""

    code = "SETTINGS_INVALID"
    problems: Sequence[str]

    def __str__(self) -> str:
        """Return one line per wrong setting."""
        return "The settings are wrong:\n" + "\n".join(f"  {line}" for line in self.problems)


@dataclass(eq=False)
class AccessNotConfiguredError(StartError):
    """The address {host} can be reached by other machines, and no access is configured; set
    API_SECRET_KEY to a secret of at least 16 characters, or bind to 127.0.0.1.
    """

    code = "ACCESS_NOT_CONFIGURED"
    host: str


@dataclass(eq=False)
class DataFolderError(StartError):
    """The data folder {path} cannot be used: {reason}; name another with GQL_PLATFORM_DATA_DIR."""

    code = "DATA_FOLDER_UNUSABLE"
    path: str
    reason: str


@dataclass(eq=False)
class DemoError(StartError):
    """The demo models could not be trained and registered: {reason}"""

    code = "DEMO_FAILED"
    reason: str


@dataclass(eq=False)
class PortInUseError(StartError):
    """Port {port} of {host} is in use by another program; stop that one, or choose another port
    with --port or GQL_PLATFORM_PORT.
    """

    code = "PORT_IN_USE"
    host: str
    port: int


@dataclass(eq=False)
class AddressError(StartError):
    """The server cannot listen on {host} at port {port}: {reason}; choose another address with
    --host or GQL_PLATFORM_HOST.
    """

    code = "ADDRESS_UNUSABLE"
    host: str
    port: int
    reason: str
