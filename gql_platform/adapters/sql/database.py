"""The database: connections to it, transactions, and the state of its tables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import column, event, insert, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gql_platform.adapters.sql.address import KEEPALIVES, Address
from gql_platform.adapters.sql.outage import StillAtWorkError, bounded, outages
from gql_platform.adapters.sql.session import Session
from gql_platform.adapters.sql.sqlite_file import BUSY_SECONDS, PRAGMAS
from gql_platform.adapters.sql.tables import REVISION, VERSION_TABLE, event_log, metadata
from gql_platform.adapters.sql.turns import Turns
from gql_platform.errors import DatabaseTooNewError
from gql_platform.store import Store

PATIENCE_SECONDS = 1.8
"""How long anything may take before the database counts as away; waiting in a crowd is none."""

READERS = 4
CONNECTIONS = 10

Upgrade = Callable[[Address], None]


class Database(Store):
    """A database of the platform.

    On SQLite there is one writer at a time, and readers beside it; on PostgreSQL both come from
    one pool.

    Args:
        address: Where it is.
        upgrade: Brings its tables up to what the code knows, in a thread.
        patience_seconds: How long anything may take before it counts as away.
    """

    def __init__(
        self, address: Address, *, upgrade: Upgrade, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.address = address
        self._upgrade = upgrade
        self._patience_seconds = patience_seconds
        self._left_behind: set[asyncio.Task[None]] = set()
        self._writers, self._readers = _engines(address, patience_seconds)
        self._writing, self._reading = _turns(address, patience_seconds)

    async def prepare(self) -> None:
        """Bring the tables up to what this code knows; other servers wait meanwhile.

        Raises:
            DatabaseTooNewError: If a newer version of the platform has written them.
            StoreUnavailableError: If the database does not answer.
        """
        if self.address.is_in_memory:
            await self._make_in_memory()
            return
        found = await self.revision()
        if found == REVISION:
            return
        check_revision(self.address, found)
        with outages(self.address):
            await asyncio.to_thread(self._upgrade, self.address)
        # A connection from before may not know yet how the file is written now.
        await self._readers.dispose()

    async def revision(self) -> str | None:
        """Return the revision of the tables; None where there are none yet.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        async with self.read() as session:
            if not await session.run(lambda found: inspect(found).has_table(VERSION_TABLE)):
                return None
            row = (await session.execute(select(column("version_num")).select_from(
                table(VERSION_TABLE)))).first()  # fmt: skip
        return None if row is None else str(row.version_num)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """Begin a transaction that writes.

        Raises:
            StoreUnavailableError: If the database is away, locked or full.
        """
        async with self._session(self._writers, self._writing) as session:
            yield session
            with outages(self.address):
                await session.commit()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """Begin a transaction that reads; it sees one moment.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        async with self._session(self._readers, self._reading) as session:
            yield session

    async def close(self) -> None:
        """Let go of all connections; statements that hang get a moment to end."""
        if self._left_behind:
            await asyncio.wait(self._left_behind, timeout=self._patience_seconds)
        for task in list(self._left_behind):
            task.cancel()
        await asyncio.gather(*self._left_behind, return_exceptions=True)
        await self._writers.dispose()
        await self._readers.dispose()

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine, turns: Turns) -> AsyncIterator[Session]:
        with outages(self.address):
            async with turns.turn() as seconds_left:
                connection = await self._opened(engine, seconds_left)
                session = Session(connection, patience_seconds=self._patience_seconds)
                try:
                    yield session
                finally:
                    self._leave(await session.close())

    async def _opened(self, engine: AsyncEngine, seconds: float) -> AsyncConnection:
        """Return a connection whose transaction has begun."""
        try:
            return await bounded(_begun(engine), seconds=seconds)
        except StillAtWorkError as error:
            self._leave(asyncio.create_task(_ended(error.task)))
            raise

    def _leave(self, task: "asyncio.Task[None] | None") -> None:
        if task is not None:
            self._left_behind.add(task)
            task.add_done_callback(self._left_behind.discard)

    async def _make_in_memory(self) -> None:
        async with self.begin() as session:
            await session.run(metadata.create_all)
            if (await session.execute(select(event_log))).first() is None:
                await session.execute(insert(event_log).values(FIRST_LOG))


FIRST_LOG = {"id": 1, "last_sequence": 0, "deleted_through": 0}
"""The log of events before the first one."""


def check_revision(address: Address, found: str | None) -> None:
    """Return when this code can work with the tables, or bring them up.

    Raises:
        DatabaseTooNewError: If a newer version of the platform has written them.
    """
    if found is not None and (len(found), found) > (len(REVISION), REVISION):
        raise DatabaseTooNewError(uri=address.shown, found=found, known=REVISION)


async def _begun(engine: AsyncEngine) -> AsyncConnection:
    connection = await engine.connect()
    try:
        await connection.begin()
    except BaseException:
        await connection.close()
        raise
    return connection


async def _ended(task: "asyncio.Future[object]") -> None:
    """Wait for what hangs, and give back what it got after all."""
    await asyncio.wait({task})
    if not task.cancelled() and task.exception() is None:
        found = task.result()
        if isinstance(found, AsyncConnection):
            await found.close()


def _engines(address: Address, patience_seconds: float) -> tuple[AsyncEngine, AsyncEngine]:
    """Return what gives connections for writing and for reading."""
    if not address.is_sqlite:
        engine = _engine(
            address,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=patience_seconds,
            pool_pre_ping=True,
            connect_args=_postgresql_options(patience_seconds),
        )
        return engine, engine.execution_options(isolation_level="REPEATABLE READ")
    writers = _sqlite_engine(address, 1, patience_seconds, begin="BEGIN IMMEDIATE")
    if address.is_in_memory:
        return writers, writers
    return writers, _sqlite_engine(address, READERS, patience_seconds, begin="BEGIN")


def _turns(address: Address, patience_seconds: float) -> tuple[Turns, Turns]:
    """Return who may write and who may read, as many as there are connections."""
    is_shared = not address.is_sqlite or address.is_in_memory
    writing = Turns(1 if address.is_sqlite else CONNECTIONS, patience_seconds=patience_seconds)
    return writing, writing if is_shared else Turns(READERS, patience_seconds=patience_seconds)


def _engine(address: Address, **options: Any) -> AsyncEngine:
    return create_async_engine(
        address.driver,
        poolclass=AsyncAdaptedQueuePool,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **options,
    )


def _postgresql_options(patience_seconds: float) -> dict[str, Any]:
    milliseconds = int(1000 * patience_seconds)
    return {
        "connect_timeout": 2,
        **KEEPALIVES,
        "application_name": "gql-platform",
        "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} "
        f"-c idle_in_transaction_session_timeout=60000",
    }


def _sqlite_engine(
    address: Address, size: int, patience_seconds: float, *, begin: str
) -> AsyncEngine:
    engine = _engine(
        address,
        pool_size=size,
        max_overflow=0,
        pool_timeout=patience_seconds,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: object) -> None:
        # Python's driver would begin transactions itself, and never with the writer's lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
