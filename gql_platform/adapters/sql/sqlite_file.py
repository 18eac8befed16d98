"""SQLite databases as files: where they are, and how several programs work on one."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from gql_platform.errors import DataFolderError

BUSY_SECONDS = 1.5
"""How long SQLite waits for the lock of another process."""

PRAGMAS = (
    # With less, what was acknowledged is lost when the machine loses its power.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
"""What holds for every connection to the platform's database."""


def database_file(uri: str) -> Path | None:
    """Return the file of a SQLite URI; None for other stores and for SQLite in memory."""
    if not uri.startswith("sqlite:"):
        return None
    name = make_url(uri).database
    if not name or name.startswith((":memory:", "file:")):
        return None
    return Path(name)


def write_ahead(file: Path) -> None:
    """Let readers and a writer work side by side on a file, for good.

    SQLite does not wait for another program that changes the same just now, so this does.

    Raises:
        sqlite3.Error: If it cannot be.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def prepare(uri: str, *, data_dir: Path) -> None:
    """Make the data folder of an embedded store, and let readers and a writer work side by side.

    It does nothing for other stores, and makes no other folder: a path that somebody mistyped
    would seem to be an empty registry. Write-ahead logging is a property of the file, so that it
    holds for every process that opens it.

    Args:
        uri: Where a store keeps its tables.
        data_dir: The data folder.

    Raises:
        DataFolderError: If the folder cannot be made or is not there, or the file cannot be
            written.
    """
    file = database_file(uri)
    if file is None:
        return
    try:
        if file.resolve().is_relative_to(data_dir.resolve()):
            file.parent.mkdir(parents=True, exist_ok=True)
        write_ahead(file)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(path=str(file.parent), reason=str(error)) from error
