"""Connections to SQLite: set up so that what is acknowledged lasts."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.upgrade import upgrade

pytestmark = pytest.mark.anyio


async def test_connections_are_set_up_to_last(tmp_path: Path) -> None:
    """Write-ahead logging, a disk that is waited for (2 is FULL), and foreign keys are on."""
    database = Database(Address.parsed(f"sqlite:///{tmp_path}/p.db"), upgrade=upgrade)
    await database.prepare()
    for begin in (database.begin, database.read):
        async with begin() as session:
            found = [
                (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        assert found == ["wal", 2, 1, 1500]
    await database.close()


async def test_mistake_is_no_outage(tmp_path: Path) -> None:
    """A statement that is wrong is a bug, and is not told as something to try again."""
    database = Database(Address.parsed(f"sqlite:///{tmp_path}/p.db"), upgrade=upgrade)
    await database.prepare()
    with pytest.raises(OperationalError, match="syntax error"):
        async with database.read() as session:
            await session.execute(text("SELEKT 1"))
    await database.close()
