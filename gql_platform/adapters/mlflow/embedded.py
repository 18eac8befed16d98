"""The embedded store: MLflow's tables in a SQLite file."""

import sqlite3
from contextlib import closing

from mlflow.tracking._tracking_service import utils as tracking_service

from gql_platform.adapters.sql.sqlite_file import database_file


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
    # This imports what makes the tables, which takes a second, only when they are to be made.
    tracking_service._get_store(uri, artifact_root)  # noqa: SLF001 - MLflow's server does so, too
