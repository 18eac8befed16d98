"""The embedded store: MLflow's tables in a SQLite file."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy.engine import make_url

from gql_platform.errors import DataFolderError


def database_file(uri: str) -> Path | None:
    """Return the file of a SQLite URI; None for other stores and for SQLite in memory."""
    if not uri.startswith("sqlite:"):
        return None
    name = make_url(uri).database
    if not name or name.startswith((":memory:", "file:")):
        return None
    return Path(name)


def prepare(uri: str, *, data_dir: Path) -> None:
    """Make the data folder of an embedded store, and let readers and a writer work side by side.

    It does nothing for other stores, and makes no other folder: a path that somebody mistyped
    would seem to be an empty registry. Write-ahead logging is a property of the file, so that it
    holds for every process that opens it.

    Args:
        uri: Where MLflow keeps runs or models.
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
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(path=str(file.parent), reason=str(error)) from error


def create_tables(uri: str, *, artifact_root: str) -> None:
    """Make MLflow's tables where there are none yet.

    MLflow would make them itself, but then the default experiment would keep its files in a
    folder `mlruns` of whichever working directory the server happened to be started in.

    Args:
        uri: An embedded store, else nothing is done.
        artifact_root: Where experiments keep their files unless they say otherwise.
    """
    file = database_file(uri)
    if file is None:
        return
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'")
        if found.fetchone() is not None:
            return
    SqlAlchemyStore(uri, artifact_root)
