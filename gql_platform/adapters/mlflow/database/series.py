"""Histories of metrics out of MLflow's tables."""

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from gql_platform.adapters.mlflow.database.tables import metrics
from gql_platform.adapters.mlflow.entities import number_of
from gql_platform.tracking.records import MetricRef, Series

LARGEST = sys.float_info.max
"""What stands for infinity in MLflow's databases."""

ROWS_AT_ONCE = 10_000
"""How many rows are objects of Python at once; in an array, a point takes 16 bytes."""


def histories(connection: Connection, refs: Sequence[MetricRef]) -> dict[MetricRef, Series]:
    """Return all logged values of these metrics, in one statement for each name of a metric."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        by_key[ref.key].append(ref.run_id)
    found: dict[MetricRef, Series] = {}
    for key, run_ids in by_key.items():
        found |= _histories_of(connection, key, run_ids)
    return found


def _histories_of(
    connection: Connection, key: str, run_ids: Sequence[str]
) -> dict[MetricRef, Series]:
    c = metrics.c
    statement = (
        select(c.run_uuid, c.step, c.value, c.is_nan)
        .where(c.run_uuid.in_(run_ids), c.key == key)
        .order_by(c.run_uuid, c.step, c.timestamp)
        .execution_options(stream_results=connection.dialect.name != "sqlite")
    )
    steps: dict[str, array[int]] = defaultdict(lambda: array("q"))
    values: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for part in row_parts(connection.execute(statement), connection.dialect.name):
        for run_id, rows in groupby(part, key=itemgetter(0)):
            _, found, numbers, are_nan = zip(*rows, strict=True)
            steps[run_id].extend(found)
            values[run_id].extend(numbers_of(numbers, are_nan))
    return {
        MetricRef(run_id, key): Series(
            steps=steps[run_id],
            values=values[run_id],
            sampled=False,
            total_points=len(steps[run_id]),
        )
        for run_id in steps
    }


def row_parts(result: Any, dialect: str) -> Iterator[Sequence[Any]]:
    """Return rows in parts, so that not all of them are in memory at once."""
    if dialect != "sqlite":
        yield from result.partitions(ROWS_AT_ONCE)
        return
    # Making rows of SQLAlchemy of those of SQLite's driver takes as long as to read them.
    while part := result.cursor.fetchmany(ROWS_AT_ONCE):
        yield part
    result.close()


def numbers_of(values: Sequence[float], are_nan: Sequence[bool]) -> Iterable[float]:
    """Return the values as they were logged; nearly always they are those of the database."""
    if not any(are_nan) and -LARGEST < min(values) and max(values) < LARGEST:
        return values
    return [number_of(value, is_nan=is_nan) for value, is_nan in zip(values, are_nan, strict=True)]
