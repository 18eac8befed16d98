"""What the drivers raise when a database does not answer, turned into our one error."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from gql_platform.adapters.sql.address import Address
from gql_platform.errors import StoreUnavailableError

T = TypeVar("T")

LONGEST_REASON = 300

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")

_MISSING_TABLE = re.compile(r"no such table|UndefinedTable")


@contextmanager
def outages(address: Address) -> Iterator[None]:
    """Turn every error that means that the database does not answer into one of ours.

    Args:
        address: Where the database is; its password is hidden in the error.

    Raises:
        StoreUnavailableError: In place of such an error.
    """
    try:
        yield
    except (DBAPIError, NoConnectionError, OSError, TimeoutError) as error:
        if _is_mistake(error):
            raise
        raise StoreUnavailableError(uri=address.shown, reason=reason_of(error)) from error


def _is_mistake(error: Exception) -> bool:
    """Return whether the statement itself is wrong, and would be again."""
    if isinstance(error, IntegrityError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    # SQLite's driver raises the same class for what is wrong and for what is busy.
    code = getattr(error.orig, "sqlite_errorcode", None)
    is_wrong = isinstance(error, ProgrammingError) or code == sqlite3.SQLITE_ERROR
    # Before the tables are made, a statement fails that is right a moment later.
    return is_wrong and not _MISSING_TABLE.search(repr(error.orig))


def reason_of(error: Exception) -> str:
    """Return why a database did not answer, in one line and without passwords."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = " ".join(str(cause).split()) or "it took too long"
    return f"{type(cause).__name__}: {without_passwords(text)}"[:LONGEST_REASON]


def without_passwords(text: str) -> str:
    """Return a text in which addresses have neither users nor passwords."""
    return _CREDENTIALS.sub("***@", text)


async def bounded(work: Awaitable[T], *, seconds: float) -> T:
    """Wait for something, but not for longer than that.

    Unlike `asyncio.wait_for`, it does not wait for what is cancelled to end either: a driver whose
    server is silent needs seconds for that.

    Raises:
        StillAtWorkError: If it took too long; its end can be waited for.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=seconds)
        raise
    if task.done():
        return task.result()
    task.cancel()
    raise StillAtWorkError(task)


class StillAtWorkError(TimeoutError):
    """It took too long, and is being cancelled.

    Attributes:
        task: What is still at work.
    """

    def __init__(self, task: "asyncio.Future[Any]") -> None:
        super().__init__("it took too long")
        self.task = task
