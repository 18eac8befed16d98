"""The database's file is checked, copied and restored, and never half."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.events import SqlEventLog
from gql_platform.adapters.sql.maintenance import Maintenance
from gql_platform.adapters.sql.tables import REVISION
from gql_platform.adapters.sql.upgrade import upgrade
from gql_platform.adapters.sql.watch import watch_sqlite
from gql_platform.errors import (
    DatabaseFileError,
    DatabaseInUseError,
    DatabaseTooNewError,
    NoDatabaseFileError,
)
from gql_platform.events.records import EventFilter, NewEvent


@pytest.fixture
def address(tmp_path: Path) -> Address:
    """A SQLite file with tables."""
    address = Address.parsed(f"sqlite:///{tmp_path}/platform.db")
    upgrade(address)
    return address


@pytest.fixture
def maintenance(address: Address) -> Maintenance:
    """What looks after it."""
    return Maintenance(address)


def serving(address: Address, *, during: Callable[[], None] = lambda: None) -> int:
    """Write an event as a server does, call something meanwhile, and return the newest."""

    async def serve() -> int:
        database = Database(address, upgrade=upgrade)
        events = SqlEventLog(database, watch=watch_sqlite)
        await database.prepare()
        async with database.begin() as transaction:
            event = NewEvent("test.happened", "Test", "one", "tester")
            await events.append(transaction, [event], time=datetime.now(UTC))
        try:
            during()
            return (await events.read(after=0, limit=1, chosen=EventFilter())).newest
        finally:
            await database.close()

    return asyncio.run(serve())


class TestCheck:
    def test_sound_database_has_no_problems(self, maintenance: Maintenance) -> None:
        """A database that was brought up is in order, and bringing it up again changes nothing."""
        assert maintenance.problems() == []
        assert maintenance.upgrade() == REVISION
        assert maintenance.problems() == []

    def test_missing_tables_are_told(self, tmp_path: Path) -> None:
        """A file without tables is named with what makes them."""
        file = tmp_path / "empty.db"
        file.touch()
        (problem,) = Maintenance(Address.parsed(f"sqlite:///{file}")).problems()
        assert f"revision None instead of '{REVISION}'" in problem
        assert "gql-platform database upgrade" in problem

    def test_missing_file_is_told(self, tmp_path: Path) -> None:
        """A check makes no file."""
        file = tmp_path / "none.db"
        with pytest.raises(DatabaseFileError, match="there is none yet"):
            Maintenance(Address.parsed(f"sqlite:///{file}")).problems()
        assert not file.exists()


class TestBackup:
    def test_backup_holds_what_was_committed(
        self, address: Address, maintenance: Maintenance, tmp_path: Path
    ) -> None:
        """It is made while a server works, and is restored once the server is gone."""
        copy = tmp_path / "copy.db"
        assert serving(address, during=lambda: maintenance.backup(copy)) == 1
        assert serving(address) == 2
        maintenance.restore(copy)
        assert serving(address) == 2
        assert maintenance.problems() == []
        assert sorted(each.name for each in tmp_path.glob("copy*")) == ["copy.db"]

    def test_files_are_not_overwritten(self, maintenance: Maintenance, tmp_path: Path) -> None:
        """A backup never takes the place of another."""
        (tmp_path / "copy.db").write_text("mine")
        with pytest.raises(DatabaseFileError, match="it is there already"):
            maintenance.backup(tmp_path / "copy.db")
        assert (tmp_path / "copy.db").read_text() == "mine"


class TestRestore:
    def test_database_in_use_is_left_alone(
        self, address: Address, maintenance: Maintenance, tmp_path: Path
    ) -> None:
        """While a server holds the file, nothing is restored and the server goes on."""
        maintenance.backup(tmp_path / "copy.db")

        def restore() -> None:
            with pytest.raises(DatabaseInUseError) as refused:
                maintenance.restore(tmp_path / "copy.db")
            assert refused.value.path == str(address.file)

        assert serving(address, during=restore) == 1
        assert serving(address) == 2

    def test_new_machine_gets_its_database(self, maintenance: Maintenance, tmp_path: Path) -> None:
        """A backup is restored where there was no database."""
        maintenance.backup(tmp_path / "copy.db")
        other = Maintenance(Address.parsed(f"sqlite:///{tmp_path}/other.db"))
        other.restore(tmp_path / "copy.db")
        assert other.problems() == []

    def test_what_is_no_backup_is_refused(
        self, address: Address, maintenance: Maintenance, tmp_path: Path
    ) -> None:
        """Other files, foreign databases and newer ones leave the database as it is."""
        serving(address)
        text, foreign, newer = (tmp_path / name for name in ("text", "foreign.db", "newer.db"))
        text.write_text("not a database at all, but long enough to be read as one" * 100)
        with closing(sqlite3.connect(foreign)) as connection:
            connection.execute("CREATE TABLE other (x)")
        maintenance.backup(newer)
        with closing(sqlite3.connect(newer)) as connection:
            connection.execute("UPDATE platform_schema_version SET version_num = '0999'")
            connection.commit()
        for source, expected, problem in [
            (tmp_path / "nothing", DatabaseFileError, "no such file"),
            (text, DatabaseFileError, "not a database"),
            (foreign, DatabaseFileError, "none of the platform's tables"),
            (newer, DatabaseTooNewError, "0999"),
        ]:
            with pytest.raises(expected, match=problem):
                maintenance.restore(source)
        assert serving(address) == 2

    def test_server_database_is_no_file(self, tmp_path: Path) -> None:
        """PostgreSQL has tools of its own for that."""
        maintenance = Maintenance(Address.parsed("postgresql://me:secret@db/name"))
        for act in (maintenance.backup, maintenance.restore):
            with pytest.raises(NoDatabaseFileError) as refused:
                act(tmp_path / "copy.db")
            assert refused.value.uri == "postgresql+psycopg://***@db/name"
