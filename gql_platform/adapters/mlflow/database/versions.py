"""Versions that runs trained, out of MLflow's tables."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, select

from gql_platform.adapters.mlflow.database.runs import IDS, grouped
from gql_platform.adapters.mlflow.database.tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
)
from gql_platform.adapters.mlflow.entities import moment_of
from gql_platform.registry.records import ModelVersion, Tag

DELETED = "Deleted_Internal"
"""The stage of versions that MLflow has deleted and still keeps."""


def versions_of_runs(
    connection: Connection, run_ids: Sequence[str]
) -> dict[str, tuple[ModelVersion, ...]]:
    """Return the versions that these runs trained, by model and number, in three statements."""
    ids = {"ids": list(run_ids)}
    rows = connection.execute(VERSIONS, ids).all()
    tags = grouped(connection.execute(TAGS, ids).all(), by=_key, order=itemgetter(2))
    aliases = grouped(connection.execute(ALIASES, ids).all(), by=_key, order=itemgetter(2))
    by_run = grouped(rows, by=itemgetter(5), order=itemgetter(0, 1))
    return {
        run_id: tuple(
            ModelVersion(
                model_name=row.name,
                version=row.version,
                aliases=tuple(alias for *_, alias in aliases.get(_key(row), ())),
                description=row.description or None,
                tags=tuple(Tag(key, value or "") for *_, key, value in tags.get(_key(row), ())),
                created_at=moment_of(row.creation_time),
                run_id=run_id,
            )
            for row in group
        )
        for run_id, group in by_run.items()
    }


_key = itemgetter(0, 1)


def _of_versions(table: Table, *columns: str) -> Select[Any]:
    """Return the statement for what belongs to the versions of runs, by model and number."""
    c = table.c
    on = and_(
        model_versions.c.workspace == c.workspace,
        model_versions.c.name == c.name,
        model_versions.c.version == c.version,
    )
    shown = [c[column] for column in columns]
    chosen = model_versions.c.run_id.in_(IDS)
    return select(c.name, c.version, *shown).join(model_versions, on).where(chosen)


VERSIONS = select(model_versions).where(
    model_versions.c.run_id.in_(IDS), model_versions.c.current_stage != DELETED
)
TAGS = _of_versions(model_version_tags, "key", "value")
ALIASES = _of_versions(registered_model_aliases, "alias")
