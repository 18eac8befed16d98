"""What is wrong with the platform's own database, and with what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gql_platform.errors.availability import UnavailableError
from gql_platform.errors.input import InvalidInputError
from gql_platform.errors.start import StartError
from gql_platform.errors.tree import PlatformError


@dataclass(eq=False)
class StoreUnavailableError(UnavailableError):
    """The platform's database does not answer; try again in a moment."""

    code = "STORE_UNAVAILABLE"
    uri: str
    reason: str

    def __str__(self) -> str:
        """Return the message for the operator."""
        return f"The platform's database at {self.uri} does not answer: {self.reason}"

    @property
    def for_callers(self) -> str:
        """Without the address, which is nobody's business but the operator's."""
        return super().__str__()

    @property
    def data(self) -> Mapping[str, Any]:
        """Nothing: callers need not know where the database is."""
        return {}


@dataclass(eq=False)
class DatabaseTooNewError(StartError):
    """The database at {uri} has revision {found!r}, and this version of gql_platform knows
    {known!r} at most; install the version that wrote it, or restore a backup.
    """

    code = "DATABASE_TOO_NEW"
    uri: str
    found: str
    known: str


class DatabaseError(PlatformError):
    """What was asked of the database's file cannot be done."""

    code = "DATABASE_FAILED"


@dataclass(eq=False)
class DatabaseInUseError(DatabaseError):
    """A server or another program holds {path}; stop it, and try again."""

    code = "DATABASE_IN_USE"
    path: str


@dataclass(eq=False)
class DatabaseFileError(DatabaseError):
    """The file {path} cannot be used: {problem}."""

    code = "DATABASE_FILE"
    path: str
    problem: str


@dataclass(eq=False)
class NoDatabaseFileError(DatabaseError):
    """The database at {uri} is not a SQLite file; back it up with the tools of its own server, such
    as pg_dump.
    """

    code = "DATABASE_NOT_A_FILE"
    uri: str


@dataclass(eq=False)
class EventFilterError(InvalidInputError):
    """{given!r} names no type of event; write it like `deployment.changed`, or `deployment.*` for
    all that begin like that, and at most {maximum} of them.
    """

    code = "INVALID_EVENT_FILTER"
    given: str
    maximum: int


@dataclass(eq=False)
class SequenceError(InvalidInputError):
    """The sequence {sequence} cannot be gone on behind: the events so far have 1 to {newest}; ask
    without it, or with the last one that this server told.
    """

    code = "INVALID_SEQUENCE"
    sequence: int
    newest: int


@dataclass(eq=False)
class InvalidIdempotencyKeyError(InvalidInputError):
    """An idempotency key has from 1 to {maximum} visible characters of ASCII; this one has not.
    Make a new one for each change, such as a random UUID.
    """

    code = "INVALID_IDEMPOTENCY_KEY"
    maximum: int


@dataclass(eq=False)
class IdempotencyKeyReusedError(InvalidInputError):
    """The idempotency key {key!r} came with another request before; repeat that one exactly, or
    make a new key.
    """

    code = "IDEMPOTENCY_KEY_REUSED"
    key: str


@dataclass(eq=False)
class IdempotencyKeyBusyError(UnavailableError):
    """The first request with the idempotency key {key!r} is still at work; repeat it in
    {retry_after_seconds} s.
    """

    code = "IDEMPOTENCY_KEY_BUSY"
    key: str
    retry_after_seconds: int
