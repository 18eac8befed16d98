"""What MLflow raises when a store does not answer, told apart and turned into our one error."""

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import requests
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from gql_platform.errors import PlatformError, RegistryUnavailableError

LONGEST_REASON = 300

_UNREACHABLE = (
    requests.ConnectionError,
    requests.Timeout,
    SQLAlchemyError,
    sqlite3.Error,
    ConnectionError,
    TimeoutError,
)
"""What is raised below MLflow when there is no connection, or a broken one."""

_UNREACHABLE_NAMES = frozenset(
    {
        "azure.core.exceptions.ServiceRequestError",
        "azure.core.exceptions.ServiceResponseError",
        "botocore.exceptions.ConnectionError",
        "botocore.exceptions.HTTPClientError",
        "google.api_core.exceptions.RetryError",
        "google.api_core.exceptions.ServiceUnavailable",
        "urllib3.exceptions.HTTPError",
    }
)
"""What the clients of object stores raise then; they are not installed with us."""

_UNREACHABLE_CODES = frozenset(
    {
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.ESTALE,
    }
)
"""What a folder on a network file system answers then."""

_REFUSALS = frozenset(
    {"BAD_REQUEST", "INVALID_PARAMETER_VALUE", "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"}
)
"""MLflow's codes for a store that answered, and said that the request was wrong."""

_TOLD_BY_SERVER = re.compile(r"BAD_REQUEST: \((?:\w+\.)+(\w+)\) ")
"""How a server of MLflow passes an error of its database on, with the name that its driver has."""

_OF_VALUES = re.compile(
    r"IntegrityError|DataError|\w+Violation|StringDataRightTruncation|NumericValueOutOfRange"
    r"|InvalidTextRepresentation|CharacterNotInRepertoire|UntranslatableCharacter"
)
"""The names that drivers have for values which a database does not take."""

_USERINFO = re.compile(r"(?<=://).*@")
_USERINFO_IN_TEXT = re.compile(r"(?<=://)[^\s/]*@")


@contextmanager
def outages(uri: str, *, is_opening: bool = False) -> Iterator[None]:
    """Turn every error that means that the store does not answer into one of ours.

    Args:
        uri: Where the store is; its password is hidden in the error.
        is_opening: Whether the store is being opened; then a refusal means the same, such as
            that of an address of a kind that MLflow does not know.

    Raises:
        RegistryUnavailableError: In place of such an error.
    """
    try:
        yield
    except PlatformError:
        raise
    except Exception as error:
        if is_unreachable(error) or _is_failure(error, is_opening=is_opening):
            raise RegistryUnavailableError(
                uri=masked(uri), reason=_reason_of(error, uri)
            ) from error
        raise


def is_unreachable(error: BaseException) -> bool:
    """Return whether an error, or one that led to it, says that a connection failed."""
    return any(map(_says_so, _chain(error)))


def is_refusal(error: MlflowException) -> bool:
    """Return whether a store answered, and said that what it was asked for is wrong.

    MLflow gives the code of a wrong request to most errors of its database, too.
    """
    return error.error_code in _REFUSALS and not _is_of_database(error)


def _is_of_database(error: MlflowException) -> bool:
    """Return whether a database failed, be it here or behind a server of MLflow."""
    told = _TOLD_BY_SERVER.match(str(error))
    if told is not None:
        return not _OF_VALUES.fullmatch(told[1])
    cause = error.__cause__
    return isinstance(cause, SQLAlchemyError) and not isinstance(cause, DataError | IntegrityError)


def _says_so(error: BaseException) -> bool:
    if isinstance(error, _UNREACHABLE):
        return True
    if isinstance(error, OSError) and error.errno in _UNREACHABLE_CODES:
        return True
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    return not names.isdisjoint(_UNREACHABLE_NAMES)


def masked(uri: str) -> str:
    """Return a URI that can be shown: without user, password and query."""
    return _USERINFO.sub("***@", uri).partition("?")[0]


def described(error: Exception) -> str:
    """Return the type and the text of an error in one line, without users in addresses."""
    text = _USERINFO_IN_TEXT.sub("***@", " ".join(str(error).split()))
    return f"{type(error).__name__}: {text}"[:LONGEST_REASON]


def _is_failure(error: Exception, *, is_opening: bool) -> bool:
    """Return whether the store cannot be opened, or fails at its own work."""
    if isinstance(error, MlflowException):
        return is_opening or not is_refusal(error)
    # A missing driver of a database shows as an ImportError.
    return isinstance(error, requests.RequestException | ImportError)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Go from an error to those that led to it."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _reason_of(error: Exception, uri: str) -> str:
    """Return the first line of the error that lies deepest and still speaks of the connection."""
    links = [link for link in _chain(error) if _says_so(link)]
    deepest = links[-1] if links else error
    text = next((line for line in str(deepest).splitlines() if line.strip()), "")
    reason = f"{type(deepest).__name__}: {_without_secrets(text, uri)}"
    return reason[:LONGEST_REASON]


def _without_secrets(text: str, uri: str) -> str:
    userinfo = _USERINFO.search(uri)
    _, _, password = (userinfo.group()[:-1] if userinfo else "").partition(":")
    for secret in {password, unquote(password)} - {""}:
        text = text.replace(secret, "***")
    return _USERINFO_IN_TEXT.sub("***@", text)
