"""Runs out of MLflow's tables: a page of them in a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    select,
)

from gql_platform.adapters.mlflow.database.selection import count_of_ids, page_of_ids
from gql_platform.adapters.mlflow.database.tables import (
    datasets,
    input_tags,
    inputs,
    latest_metrics,
    params,
    runs,
    tags,
)
from gql_platform.adapters.mlflow.entities import CONTEXT_TAG, moment_or_none, number_of
from gql_platform.registry.records import Tag
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.tracking.records import DatasetRef, LoggedDataset, Metric, Param, Run, RunState

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


def count_of_runs(connection: Connection, chosen: RunFilter) -> int:
    """Return how many runs a filter chooses, in one statement."""
    return connection.execute(count_of_ids(chosen)).scalar_one()


def runs_by_id(connection: Connection, run_ids: Sequence[str]) -> dict[str, Run]:
    """Return the runs of these ids that exist, deleted ones included."""
    found: list[Run] = []
    for start in range(0, len(run_ids), IDS_PER_STATEMENT):
        part = run_ids[start : start + IDS_PER_STATEMENT]
        rows = connection.execute(select(runs).where(runs.c.run_uuid.in_(part))).all()
        found += _with_content(connection, rows)
    return {run.run_id: run for run in found}


def runs_of_dataset(connection: Connection, dataset: DatasetRef, *, limit: int) -> list[Run]:
    """Return the newest runs that a data set was logged with."""
    used_in = (
        select(inputs.c.destination_id)
        .join(datasets, datasets.c.dataset_uuid == inputs.c.source_id)
        .where(
            inputs.c.destination_type == "RUN",
            inputs.c.source_type == "DATASET",
            datasets.c.name == dataset.name,
            datasets.c.digest == dataset.digest,
        )
    )
    statement = page_of_ids(RunFilter(), order=RunOrder(), after=None, limit=limit)
    return _with_content(
        connection, connection.execute(statement.where(runs.c.run_uuid.in_(used_in))).all()
    )


def _with_content(connection: Connection, rows: Sequence[Any]) -> list[Run]:
    if not rows:
        return []
    ids = {"ids": [row.run_uuid for row in rows]}
    params_of, tags_of, metrics_of, datasets_of = (
        grouped(connection.execute(statement, ids).all(), by=itemgetter(0), order=order)
        for statement, order in CONTENT
    )
    return [
        Run(
            run_id=row.run_uuid,
            name=row.name or None,
            state=RunState.__members__.get(row.status, RunState.UNKNOWN),
            params=tuple([Param(key, value) for _, key, value in params_of.get(row.run_uuid, ())]),
            metrics=tuple(
                [
                    Metric(key, number_of(value, is_nan=is_nan), step)
                    for _, key, value, step, is_nan in metrics_of.get(row.run_uuid, ())
                ]
            ),
            started_at=moment_or_none(row.start_time),
            finished_at=moment_or_none(row.end_time),
            experiment_id=str(row.experiment_id),
            tags=tuple([Tag(key, value or "") for _, key, value in tags_of.get(row.run_uuid, ())]),
            datasets=tuple(
                [LoggedDataset(*each[1:]) for each in datasets_of.get(row.run_uuid, ())]
            ),
            is_deleted=row.lifecycle_stage == "deleted",
        )
        for row in rows
    ]


def _content(table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """Return the statement for rows that belong to runs, which begin with run and key."""
    return select(table.c.run_uuid, table.c.key, *columns).where(table.c.run_uuid.in_(IDS))


IDS: BindParameter[Any] = bindparam("ids", expanding=True)
"""Statements are made once; a list of values would be looked at one by one each time."""

DATASETS = (
    select(
        inputs.c.destination_id,
        datasets.c.name,
        datasets.c.digest,
        datasets.c.dataset_source_type,
        datasets.c.dataset_source,
        input_tags.c.value,
    )
    .join(datasets, datasets.c.dataset_uuid == inputs.c.source_id)
    .outerjoin(
        input_tags,
        and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == CONTEXT_TAG),
    )
    .where(
        inputs.c.destination_type == "RUN",
        inputs.c.destination_id.in_(IDS),
        inputs.c.source_type == "DATASET",
    )
)

CONTENT = (
    (_content(params, params.c.value), itemgetter(1)),
    (_content(tags, tags.c.value), itemgetter(1)),
    (
        _content(
            latest_metrics, latest_metrics.c.value, latest_metrics.c.step, latest_metrics.c.is_nan
        ),
        itemgetter(1),
    ),
    (DATASETS, itemgetter(1, 2)),
)
"""What finds all that was logged with runs, and what sorts it within a run."""


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
