"""What an operator does to the database: bring it up, check it, back it up, restore it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import check_revision
from gql_platform.adapters.sql.outage import outages
from gql_platform.adapters.sql.sqlite_file import BUSY_SECONDS, write_ahead
from gql_platform.adapters.sql.tables import REVISION, VERSION_TABLE
from gql_platform.adapters.sql.upgrade import revision_of, upgrade
from gql_platform.errors import DatabaseFileError, DatabaseInUseError, NoDatabaseFileError


class Maintenance:
    """Look after a database.

    Args:
        address: Where it is.
    """

    def __init__(self, address: Address) -> None:
        self._address = address

    def upgrade(self) -> str:
        """Bring the tables up to what this version knows, and return their revision.

        Raises:
            DatabaseTooNewError: If a newer version of the platform has written them.
            StoreUnavailableError: If the database does not answer.
        """
        with outages(self._address):
            upgrade(self._address)
        return REVISION

    def problems(self) -> list[str]:
        """Return what is wrong with the database, one line for each; none if all is well.

        Raises:
            DatabaseTooNewError: If a newer version of the platform has written it.
            StoreUnavailableError: If the database does not answer.
            DatabaseFileError: If the file is not there.
        """
        if self._address.file is not None and not self._address.file.exists():
            raise DatabaseFileError(path=str(self._address.file), problem="there is none yet")
        with outages(self._address):
            engine = create_engine(self._address.url)
            with engine.connect() as connection:
                revision = revision_of(connection)
            engine.dispose()
        check_revision(self._address, revision)
        found = [] if self._address.file is None else _damages(self._address.file)
        if revision != REVISION:
            known = f"{REVISION!r}; run `gql-platform database upgrade`, or start the server"
            found.append(f"the tables have revision {revision!r} instead of {known}")
        return found

    def backup(self, target: Path) -> None:
        """Copy the database to a new file while servers work on it.

        The copy is of one moment, and gets its name when it is whole.

        Raises:
            NoDatabaseFileError: If the database is no file.
            DatabaseFileError: If there is nothing to copy, or something in the place of the copy.
        """
        file = self._file()
        if not file.exists():
            raise DatabaseFileError(path=str(file), problem="there is none yet")
        if target.exists():
            raise DatabaseFileError(path=str(target), problem="it is there already")
        partial = target.with_name(f"{target.name}.partial")
        with _file_errors(target):
            partial.unlink(missing_ok=True)
            with closing(_opened(file)) as source, closing(sqlite3.connect(partial)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.rename(target)

    def restore(self, source: Path) -> None:
        """Put a backup in the place of the database, or leave that as it is.

        Raises:
            NoDatabaseFileError: If the database is no file.
            DatabaseInUseError: If a server holds it.
            DatabaseFileError: If the backup is none, or is broken.
            DatabaseTooNewError: If a newer version of the platform has written the backup.
        """
        file = self._file()
        self._check_backup(source)
        with (
            _file_errors(file),
            closing(_opened(source)) as backup,
            closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as database,
        ):
            _hold_alone(database, file)
            backup.backup(database)
        with _file_errors(file):
            write_ahead(file)

    def _file(self) -> Path:
        if self._address.file is None:
            raise NoDatabaseFileError(uri=self._address.shown)
        return self._address.file

    def _check_backup(self, source: Path) -> None:
        if not source.is_file():
            raise DatabaseFileError(path=str(source), problem="there is no such file")
        damages = _damages(source)
        if damages:
            raise DatabaseFileError(path=str(source), problem=damages[0])
        with closing(_opened(source)) as backup:
            try:
                row = backup.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
            except sqlite3.OperationalError as error:
                problem = "it has none of the platform's tables"
                raise DatabaseFileError(path=str(source), problem=problem) from error
        check_revision(self._address, None if row is None else str(row[0]))


def _hold_alone(database: sqlite3.Connection, file: Path) -> None:
    """Keep everybody else from a file until the connection is closed."""
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        # SQLite leaves write-ahead logging only where nobody else has the file open.
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("BEGIN EXCLUSIVE")
        database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        raise DatabaseInUseError(path=str(file)) from error


def _opened(file: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _damages(file: Path) -> list[str]:
    try:
        with closing(_opened(file)) as connection:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [text for (text,) in rows if text != "ok"]


@contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise DatabaseFileError(path=str(file), problem=str(error)) from error
