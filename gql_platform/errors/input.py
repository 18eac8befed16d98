"""What callers ask for that cannot be used, or is not there."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_platform.errors.tree import PlatformError


class InvalidInputError(PlatformError):
    """The input cannot be used."""

    code = "INVALID_INPUT"


@dataclass(eq=False)
class InvalidIDError(InvalidInputError):
    """The id {id!r} is not one of ours; pass an `id` exactly as a query returned it."""

    code = "INVALID_ID"
    id: str


@dataclass(eq=False)
class TooManyIDsError(InvalidInputError):
    """{count} ids are more than the {maximum} that one field takes; ask for them in parts."""

    code = "TOO_MANY_IDS"
    count: int
    maximum: int


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
class PointCountError(InvalidInputError):
    """A series can be cut down to between {minimum} and {maximum} points, and {max_points} were
    asked for.
    """

    code = "INVALID_POINT_COUNT"
    max_points: int
    minimum: int
    maximum: int


@dataclass(eq=False)
class InvalidDepthError(InvalidInputError):
    """A lineage has between 1 and {maximum} steps, and {depth} were asked for."""

    code = "INVALID_DEPTH"
    depth: int
    maximum: int


@dataclass(eq=False)
class RunFilterError(InvalidInputError):
    """The runs that are asked for cannot be told: {problem}; ask for fewer or other ones."""

    code = "INVALID_RUN_FILTER"
    problem: str


@dataclass(eq=False)
class TooManySeriesError(InvalidInputError):
    """{count} series are more than the {maximum} that one field takes; ask for them in parts."""

    code = "TOO_MANY_SERIES"
    count: int
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
    """{problem_count} values do not fit the signature of {model!r}, the first of {problems}."""

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
class UnsupportedMediaTypeError(InvalidInputError):
    """The body's media type is {media_type!r}, and JSON is read: send the header
    `Content-Type: application/json`.
    """

    code = "UNSUPPORTED_MEDIA_TYPE"
    media_type: str


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


@dataclass(eq=False)
class InvalidDeploymentError(InvalidInputError):
    """The deployment of {model!r} cannot be served: {problem}."""

    code = "INVALID_DEPLOYMENT"
    model: str
    problem: str


@dataclass(eq=False)
class DeploymentConflictError(InvalidInputError):
    """The deployment of {model!r} is at revision {found}, not {expected}: somebody changed it
    meanwhile; read it again.
    """

    code = "DEPLOYMENT_CONFLICT"
    model: str
    expected: int
    found: int


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
class VersionNotFoundError(NotFoundError):
    """Version {version!r} of {name!r} is not served; these are: {served}."""

    code = "VERSION_NOT_FOUND"
    name: str
    version: str
    served: Sequence[int]


@dataclass(eq=False)
class UnknownVersionError(NotFoundError):
    """The model {model!r} has no {named}; it has the versions {versions}."""

    code = "UNKNOWN_VERSION"
    model: str
    named: str
    versions: Sequence[int]


@dataclass(eq=False)
class NoEarlierDeploymentError(NotFoundError):
    """The deployment of {model!r} was never another, so that there is nothing to go back to."""

    code = "NO_EARLIER_DEPLOYMENT"
    model: str


@dataclass(eq=False)
class PathNotFoundError(NotFoundError):
    """There is nothing at {path!r}; /docs lists the paths, and /graphql is the API."""

    code = "PATH_NOT_FOUND"
    path: str
