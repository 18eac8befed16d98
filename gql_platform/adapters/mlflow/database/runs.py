"""Runs out of MLflow's tables: a page of them in a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from gql_platform.adapters.mlflow.database.selection import page_of_ids
from gql_platform.adapters.mlflow.database.tables import (
    datasets,
    input_tags,
    inputs,
    latest_metrics,
    params,
    runs,
    tags,
)
from gql_platform.adapters.mlflow.entities import moment_or_none, number_of
from gql_platform.registry.records import Tag
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.tracking.records import LoggedDataset, Metric, Param, Run, RunState

CONTEXT_TAG = "mlflow.data.context"
"""The tag of an input that says what a data set was used for."""

IDS_PER_STATEMENT = 10_000
"""PostgreSQL takes no more than 65,535 values in one statement, and older SQLites 32,766."""


def page_of_runs(
    connection: Connection,
    chosen: RunFilter,
    *,
    order: RunOrder,
    after: RunPosition | None,
    limit: int,
) -> list[Run]:
    """Return a page of runs with all that was logged with them, in five statements."""
    statement = page_of_ids(chosen, order=order, after=after, limit=limit)
    return _with_content(connection, connection.execute(statement).all())


def runs_by_id(connection: Connection, run_ids: Sequence[str]) -> dict[str, Run]:
    """Return the runs of these ids that exist, deleted ones included."""
    found: list[Run] = []
    for start in range(0, len(run_ids), IDS_PER_STATEMENT):
        part = run_ids[start : start + IDS_PER_STATEMENT]
        rows = connection.execute(select(runs).where(runs.c.run_uuid.in_(part))).all()
        found += _with_content(connection, rows)
    return {run.run_id: run for run in found}


def _with_content(connection: Connection, rows: Sequence[Any]) -> list[Run]:
    if not rows:
        return []
    ids = [row.run_uuid for row in rows]
    param_rows = _grouped(connection, params, ids, params.c.value)
    tag_rows = _grouped(connection, tags, ids, tags.c.value)
    metric_rows = _grouped(
        connection, latest_metrics, ids,
        latest_metrics.c.value, latest_metrics.c.step, latest_metrics.c.is_nan,
    )  # fmt: skip
    logged = _datasets(connection, ids)
    return [
        Run(
            run_id=row.run_uuid,
            name=row.name or None,
            state=RunState.__members__.get(row.status, RunState.UNKNOWN),
            params=tuple(Param(key, value) for _, key, value in param_rows.get(row.run_uuid, ())),
            metrics=tuple(
                Metric(key, number_of(value, is_nan=is_nan), step)
                for _, key, value, step, is_nan in metric_rows.get(row.run_uuid, ())
            ),
            started_at=moment_or_none(row.start_time),
            finished_at=moment_or_none(row.end_time),
            experiment_id=str(row.experiment_id),
            tags=tuple(Tag(key, value or "") for _, key, value in tag_rows.get(row.run_uuid, ())),
            datasets=tuple(logged.get(row.run_uuid, ())),
            is_deleted=row.lifecycle_stage == "deleted",
        )
        for row in rows
    ]


def _grouped(
    connection: Connection, table: Table, ids: Sequence[str], *columns: ColumnElement[Any]
) -> dict[str, list[Any]]:
    """Return the rows of these runs, as tuples that begin with run and key, sorted by key."""
    statement = select(table.c.run_uuid, table.c.key, *columns).where(table.c.run_uuid.in_(ids))
    return grouped(connection.execute(statement), by=itemgetter(0), order=itemgetter(1))


def grouped(rows: Iterable[Any], *, by: Any, order: Any) -> dict[Any, list[Any]]:
    """Return rows by what they belong to, each group sorted.

    Names are sorted here, by code point, because databases sort them by their collation.
    """
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[by(row)].append(row)
    for group in found.values():
        group.sort(key=order)
    return found


def _datasets(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedDataset]]:
    context = and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == CONTEXT_TAG)
    statement = (
        select(
            inputs.c.destination_id,
            datasets.c.name,
            datasets.c.digest,
            datasets.c.dataset_source_type,
            datasets.c.dataset_source,
            input_tags.c.value,
        )
        .join(datasets, datasets.c.dataset_uuid == inputs.c.source_id)
        .outerjoin(input_tags, context)
        .where(
            inputs.c.destination_type == "RUN",
            inputs.c.destination_id.in_(ids),
            inputs.c.source_type == "DATASET",
        )
    )
    rows = grouped(connection.execute(statement), by=itemgetter(0), order=itemgetter(1, 2))
    return {run_id: [LoggedDataset(*row[1:]) for row in group] for run_id, group in rows.items()}
