"""A connection for one use: each statement ends in time, and what hangs is left behind."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gql_platform.adapters.sql.outage import StillAtWorkError, bounded
from gql_platform.store import Transaction

T = TypeVar("T")


class Session(Transaction):
    """A transaction on a connection.

    Args:
        connection: It, opened; its transaction has begun.
        patience_seconds: How long each statement may take.
    """

    def __init__(self, connection: AsyncConnection, *, patience_seconds: float) -> None:
        self._connection = connection
        self._patience_seconds = patience_seconds
        self._after_commit: list[Callable[[], None]] = []
        self._stuck: asyncio.Future[object] | None = None

    @property
    def dialect(self) -> str:
        """The kind of the database."""
        return self._connection.dialect.name

    async def execute(
        self, statement: Executable, rows: Sequence[dict[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Execute a statement, once or for each of several rows of parameters."""
        return await self._bounded(self._connection.execute(statement, rows))

    async def put(self, table: Table, values: Mapping[str, Any]) -> None:
        """Write a row, in the place of the one with its ``id`` if there is one."""
        insert = sqlite.insert if self.dialect == "sqlite" else postgresql.insert
        statement = insert(table).values(values)
        await self.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Call something that takes a connection of the synchronous kind."""
        return await self._bounded(self._connection.run_sync(work))

    async def commit(self) -> None:
        """Make the writes last."""
        await self._bounded(self._connection.commit())
        for call in self._after_commit:
            call()

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something when the writes are there for good."""
        self._after_commit.append(call)

    async def close(self) -> "asyncio.Task[None] | None":
        """Give the connection back, undoing what was not committed.

        Returns:
            What still waits for a statement that hangs, if one does.
        """
        if self._stuck is not None:
            return asyncio.create_task(_dispose(self._connection, self._stuck))
        try:
            await self._bounded(self._connection.close())
        except StillAtWorkError as error:
            return asyncio.create_task(_dispose(self._connection, error.task))
        return None

    async def _bounded(self, work: Awaitable[T]) -> T:
        try:
            return await bounded(work, seconds=self._patience_seconds)
        except StillAtWorkError as error:
            self._stuck = error.task
            raise


async def _dispose(connection: AsyncConnection, stuck: "asyncio.Future[object]") -> None:
    """Throw a connection away once its last statement has ended."""
    await asyncio.wait({stuck})
    if not stuck.cancelled():
        stuck.exception()
    # Whatever is wrong with it, nobody will use it again.
    with suppress(Exception):
        await connection.invalidate()
    with suppress(Exception):
        await connection.close()


def session_of(transaction: Transaction) -> Session:
    """Return the session behind a transaction that this database began.

    Raises:
        TypeError: If another database began it.
    """
    if not isinstance(transaction, Session):
        raise TypeError(f"a transaction of {type(transaction).__name__} is none of this database")
    return transaction
