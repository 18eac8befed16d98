"""Experiments out of MLflow's tables."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from gql_platform.adapters.mlflow.database.runs import grouped
from gql_platform.adapters.mlflow.database.selection import experiment_numbers
from gql_platform.adapters.mlflow.database.tables import experiment_tags, experiments
from gql_platform.adapters.mlflow.entities import moment_or_none
from gql_platform.registry.records import Tag
from gql_platform.tracking.records import Experiment

DEFAULT_WORKSPACE = "default"
"""Where everything is that belongs to no workspace of its own."""


SHOWN = (
    experiments.c.lifecycle_stage == "active",
    experiments.c.workspace == DEFAULT_WORKSPACE,
)
"""What holds for experiments that are listed."""


def count_of_experiments(connection: Connection) -> int:
    """Return how many experiments are not deleted."""
    statement = select(func.count()).select_from(experiments).where(*SHOWN)
    return connection.execute(statement).scalar_one()


def page_of_experiments(
    connection: Connection, *, after: str | None, limit: int
) -> list[Experiment]:
    """Return experiments that are not deleted, by name."""
    name = by_code_point(connection, experiments.c.name)
    statement = select(experiments).where(*SHOWN)
    if after is not None:
        statement = statement.where(name > after)
    return _with_tags(connection, connection.execute(statement.order_by(name).limit(limit)).all())


def by_code_point(connection: Connection, text: ColumnElement[str]) -> ColumnElement[str]:
    """Return a text that is ordered by code point, as Python orders texts.

    That is what SQLite does by itself, and PostgreSQL when it is told so.
    """
    return text.collate("C" if connection.dialect.name == "postgresql" else "BINARY")


def experiments_by_id(connection: Connection, ids: Sequence[str]) -> dict[str, Experiment]:
    """Return the experiments of these ids that exist."""
    chosen = experiments.c.experiment_id.in_(experiment_numbers(tuple(ids)))
    rows = connection.execute(select(experiments).where(chosen)).all()
    return {each.experiment_id: each for each in _with_tags(connection, rows)}


def experiment_named(connection: Connection, name: str) -> Experiment | None:
    """Return the experiment of that name, or None."""
    statement = select(experiments).where(
        experiments.c.name == name, experiments.c.workspace == DEFAULT_WORKSPACE
    )
    return next(iter(_with_tags(connection, connection.execute(statement).all())), None)


def _with_tags(connection: Connection, rows: Sequence[Any]) -> list[Experiment]:
    if not rows:
        return []
    c = experiment_tags.c
    statement = select(c.experiment_id, c.key, c.value).where(
        c.experiment_id.in_([row.experiment_id for row in rows])
    )
    tags = grouped(connection.execute(statement), by=itemgetter(0), order=itemgetter(1))
    return [
        Experiment(
            experiment_id=str(row.experiment_id),
            name=row.name,
            tags=tuple(Tag(key, value or "") for _, key, value in tags.get(row.experiment_id, ())),
            created_at=moment_or_none(row.creation_time),
            updated_at=moment_or_none(row.last_update_time),
            is_deleted=row.lifecycle_stage == "deleted",
        )
        for row in rows
    ]
