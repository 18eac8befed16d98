"""What is new in MLflow's tables."""

import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from gql_platform.adapters.mlflow.database.series import numbers_of, row_parts
from gql_platform.adapters.mlflow.database.tables import metrics
from gql_platform.live.records import Mark, Tail


class WriteCounter:
    """Tell, by asking SQLite, whether another connection has written to a file.

    Args:
        file: Which.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def stamp(self) -> str:
        """Return a text that is another after every write; it is used by one thread at a time.

        Raises:
            sqlite3.Error: If the file cannot be read; the next call opens it anew.
        """
        try:
            if self._connection is None:
                self._opened += 1
                # A file that is not there is not made, and each call comes from another thread.
                uri = f"{self._file.absolute().as_uri()}?mode=rw"
                self._connection = sqlite3.connect(
                    uri, uri=True, timeout=0, check_same_thread=False
                )
            (number,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            raise
        # Numbers of different connections do not compare.
        return f"{self._opened}.{number}"

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def point_counts(connection: Connection, run_ids: Sequence[str]) -> dict[str, int]:
    """Return how many points were logged to each of these runs, out of an index alone."""
    c = metrics.c
    statement = select(c.run_uuid, func.count()).where(c.run_uuid.in_(run_ids)).group_by(c.run_uuid)
    rows = connection.execute(statement).all()
    return {row[0]: row[1] for row in rows}


def tails(connection: Connection, run_id: str, known: Mapping[str, Mark]) -> dict[str, Tail]:
    """Return the points of metrics that have another number of them than is known."""
    c = metrics.c
    counted = select(c.key, func.count()).where(c.run_uuid == run_id).group_by(c.key)
    counts = [(key, count) for key, count in connection.execute(counted)]
    return {
        key: _tail(connection, run_id, key, known.get(key), count)
        for key, count in counts
        if key not in known or known[key].points != count
    }


def _tail(connection: Connection, run_id: str, key: str, mark: Mark | None, count: int) -> Tail:
    c = metrics.c
    statement = (
        select(c.timestamp, c.step, c.value, c.is_nan)
        .where(c.run_uuid == run_id, c.key == key)
        .order_by(c.timestamp, c.step, c.is_nan, c.value)
        .execution_options(stream_results=connection.dialect.name != "sqlite")
    )
    if mark is not None:
        statement = statement.where(c.timestamp >= mark.time_ms)
    times, steps, values = array("q"), array("q"), array("d")
    for part in row_parts(connection.execute(statement), connection.dialect.name):
        found: tuple[Any, ...] = tuple(zip(*part, strict=True))
        times.extend(found[0])
        steps.extend(found[1])
        values.extend(numbers_of(found[2], found[3]))
    return Tail(count - len(times), times, steps, values)
