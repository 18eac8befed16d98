"""The tables: how they come to be, and that they are what the records say."""

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.tables import (
    REVISION,
    VERSION_TABLE,
    Moment,
    event_log,
    events,
    metadata,
)
from gql_platform.adapters.sql.upgrade import alembic_config, revision_of, upgrade
from gql_platform.errors import DatabaseTooNewError
from gql_platform.events.records import Event
from tests.postgresql import PostgreSQL


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    """An empty database of each kind that outlives a process."""
    if request.param == "sqlite":
        yield Address.parsed(f"sqlite:///{tmp_path}/platform.db")
        return
    with PostgreSQL() as server:
        yield Address.parsed(server.new_database())


def write_revision(address: Address, revision: str) -> None:
    """Let a database seem to be of another version."""
    engine = create_engine(address.url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{revision}'"))  # noqa: S608
    engine.dispose()


class TestUpgrade:
    def test_steps_make_the_tables_that_the_code_uses(self, address: Address) -> None:
        """Nothing is missing, nothing is left over, and the types are the same."""
        upgrade(address)
        engine = create_engine(address.url)
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": VERSION_TABLE,
                    # A column's type compares by what the database makes of it.
                    "compare_type": lambda _context, _found, _told, _is, ours: (
                        False if isinstance(ours, Moment) else None
                    ),
                },
            )
            assert compare_metadata(context, metadata) == []
            assert revision_of(connection) == REVISION
            log = connection.execute(event_log.select()).one()
            assert tuple(log) == (1, 0, 0)
        engine.dispose()

    def test_parallel_upgrades_take_turns(self, address: Address) -> None:
        """Servers that start together find the tables made once."""
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(upgrade, [address] * 4)) == [None] * 4

    def test_newer_database_is_refused(self, address: Address) -> None:
        """Code that does not know the tables leaves them alone, and says which it knows."""
        upgrade(address)
        write_revision(address, "0999")
        with pytest.raises(DatabaseTooNewError) as refused:
            asyncio.run(_prepare(address))
        assert (refused.value.found, refused.value.known) == ("0999", REVISION)
        with pytest.raises(DatabaseTooNewError):
            upgrade(address)

    def test_database_at_head_needs_no_alembic(self, address: Address) -> None:
        """A server that starts again does not load what changes tables."""
        upgrade(address)
        program = (
            "import asyncio, sys\n"
            "from gql_platform.engines import database_at\n"
            "async def main():\n"
            f"    database = database_at({address.url.render_as_string(hide_password=False)!r})\n"
            "    await database.prepare()\n"
            "    await database.close()\n"
            "asyncio.run(main())\n"
            "assert 'alembic' not in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


async def _prepare(address: Address) -> None:
    database = Database(address, upgrade=upgrade)
    try:
        await database.prepare()
    finally:
        await database.close()


class TestTables:
    def test_revision_is_that_of_the_last_step(self) -> None:
        """What the code compares is what the newest step is called, and there is one line."""
        script = ScriptDirectory.from_config(alembic_config())
        assert script.get_heads() == [REVISION]
        assert all(len(each.revision) == 4 for each in script.walk_revisions())

    def test_columns_are_called_like_attributes(self) -> None:
        """A concept is written once: the table's columns are the record's attributes."""
        assert [column.name for column in events.columns] == [
            attribute.name for attribute in dataclasses.fields(Event)
        ]
