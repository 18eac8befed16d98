"""A database that is locked, full, stopped or silent is told in time, and comes back by itself."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.session import session_of
from gql_platform.adapters.sql.upgrade import upgrade
from gql_platform.errors import StoreUnavailableError
from gql_platform.events.records import EventFilter, NewEvent
from gql_platform.events.service import Events
from tests.contract.databases import Kept, opened_at
from tests.postgresql import PostgreSQL

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SECONDS = 2.5
"""Two seconds are promised; a busy test machine gets some more."""

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@contextmanager
def refused_in_time(*reasons: str) -> Iterator[None]:
    """Check that something is refused with our error, and soon."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError) as refused:
        yield
    assert time.monotonic() - began < SECONDS
    assert any(reason in refused.value.reason for reason in reasons), refused.value.reason
    assert "secret" not in str(refused.value)


async def write(kept: Kept, *, size: int = 1) -> int:
    """Write an event down, and return its sequence."""
    event = NewEvent("test.happened", "Test", "one", "tester", {"text": "x" * size})
    async with kept.store.begin() as transaction:
        (written,) = await kept.event_log.append(transaction, [event], time=NOON)
    return written.sequence


async def sequences(kept: Kept) -> list[int]:
    """Return the sequences of all events."""
    found = await kept.event_log.read(after=0, limit=100, chosen=EventFilter())
    return [each.sequence for each in found.events]


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[Kept]:
    """A database in a file."""
    kept = await opened_at(f"sqlite:///{tmp_path}/platform.db")
    yield kept
    await kept.store.close()


class TestSQLite:
    async def test_locked_file_is_told_and_comes_back(
        self, on_sqlite: Kept, tmp_path: Path
    ) -> None:
        """While another program writes, writers are refused one and all, and readers read on."""
        await write(on_sqlite)
        with closing(sqlite3.connect(tmp_path / "platform.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            found = await asyncio.gather(
                *(write(on_sqlite) for _ in range(5)), return_exceptions=True
            )
            assert time.monotonic() - began < SECONDS
            assert [type(each) for each in found] == [StoreUnavailableError] * 5
            assert await sequences(on_sqlite) == [1]
            other.execute("ROLLBACK")
        assert await write(on_sqlite) == 2
        assert await sequences(on_sqlite) == [1, 2]

    async def test_full_disk_is_told_and_comes_back(self, on_sqlite: Kept) -> None:
        """What has no room is refused whole, and what was acknowledged stays."""
        await write(on_sqlite)
        async with on_sqlite.store.begin() as session:
            pages = await session_of(session).run(
                lambda found: found.exec_driver_sql("PRAGMA page_count").scalar_one()
            )
            # SQLite answers alike when the disk and when the file may not grow any more.
            await session_of(session).run(
                lambda found: found.exec_driver_sql(f"PRAGMA max_page_count = {pages + 10}")
            )
        with refused_in_time("full"):
            await write(on_sqlite, size=200_000)
        assert await sequences(on_sqlite) == [1]
        async with on_sqlite.store.begin() as session:
            await session_of(session).run(
                lambda found: found.exec_driver_sql("PRAGMA max_page_count = 1000000")
            )
        assert await write(on_sqlite, size=200_000) == 2

    async def test_missing_folder_is_told(self, tmp_path: Path) -> None:
        """A file that cannot be opened is an outage, and its path is told to the operator only."""
        address = Address.parsed(f"sqlite:///{tmp_path}/none/platform.db")
        database = Database(address, upgrade=upgrade)
        with refused_in_time("unable to open"):
            await database.prepare()
        await database.close()
        # The driver leaves the thread of a connection that failed to end by itself.
        for thread in threading.enumerate():
            if "_connection_worker_thread" in thread.name:
                await asyncio.to_thread(thread.join)


class TestPostgreSQL:
    @pytest.fixture
    def server(self) -> Iterator[PostgreSQL]:
        """A server that only this test stops."""
        with PostgreSQL() as server:
            yield server

    @pytest.fixture
    async def kept(self, server: PostgreSQL) -> AsyncIterator[Kept]:
        """A database of it."""
        kept = await opened_at(server.new_database())
        yield kept
        await kept.store.close()

    async def test_stopped_server_is_told_and_comes_back(
        self, kept: Kept, server: PostgreSQL
    ) -> None:
        """A follower outlives the outage, and gets what is written after it."""
        events = Events(kept.store, kept.event_log)
        deliveries = events.follow(after=0)
        await write(kept)
        assert (await anext(deliveries)).event.sequence == 1
        server.stop()
        with refused_in_time("OperationalError", "AdminShutdown"):
            await write(kept)
        with refused_in_time("OperationalError"):
            await sequences(kept)
        server.start()
        assert await write(kept) == 2
        async with asyncio.timeout(10):
            assert (await anext(deliveries)).event.sequence == 2
        await deliveries.aclose()

    async def test_silent_server_is_told_and_comes_back(
        self, kept: Kept, server: PostgreSQL
    ) -> None:
        """A server that keeps its connections and says nothing counts as away, too."""
        await write(kept)
        server.freeze()
        try:
            with refused_in_time("it took too long"):
                await write(kept)
            with refused_in_time("it took too long"):
                await sequences(kept)
        finally:
            server.thaw()
        assert await write(kept) == 2
        assert await sequences(kept) == [1, 2]

    async def test_absent_server_is_told_without_its_password(self) -> None:
        """Nobody listens there, and the password is not shown."""
        address = Address.parsed("postgresql://me:secret@127.0.0.1:9/name")
        database = Database(address, upgrade=upgrade)
        with refused_in_time("refused"):
            await database.prepare()
        await database.close()
