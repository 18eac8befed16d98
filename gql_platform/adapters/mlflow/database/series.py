"""Histories of metrics out of MLflow's tables."""

from array import array
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from gql_platform.adapters.mlflow.database.tables import metrics
from gql_platform.adapters.mlflow.entities import number_of
from gql_platform.tracking.records import MetricRef, Series

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
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    steps: dict[str, array[int]] = defaultdict(lambda: array("q"))
    values: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for run_id, step, value, is_nan in connection.execute(statement):
        steps[run_id].append(step)
        values[run_id].append(number_of(value, is_nan=is_nan))
    return {
        MetricRef(run_id, key): Series(
            steps=steps[run_id],
            values=values[run_id],
            sampled=False,
            total_points=len(steps[run_id]),
        )
        for run_id in steps
    }
