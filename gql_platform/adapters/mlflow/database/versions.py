"""Versions of models out of MLflow's tables: those of models, and those that runs trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, select

from gql_platform.adapters.mlflow.database.experiments import DEFAULT_WORKSPACE
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


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """The statements that read some versions, each with the parameter ``ids``.

    Attributes:
        versions: Reads the versions themselves.
        tags: Reads their tags.
        aliases: Reads their aliases.
    """

    versions: Select[Any]
    tags: Select[Any]
    aliases: Select[Any]


def versions_of_runs(
    connection: Connection, run_ids: Sequence[str]
) -> dict[str, tuple[ModelVersion, ...]]:
    """Return the versions that these runs trained, by model and number, in three statements."""
    found = sorted(_versions(connection, BY_RUN, run_ids), key=_place)
    return {key: tuple(of) for key, of in grouped(found, by=_run, order=_place).items()}


def versions_of_models(
    connection: Connection, names: Sequence[str]
) -> dict[str, tuple[ModelVersion, ...]]:
    """Return all versions of these models that have any, newest first, in three statements."""
    found = _versions(connection, BY_MODEL, names)
    by_name = grouped(found, by=lambda version: version.model_name, order=_place)
    return {name: tuple(reversed(of)) for name, of in by_name.items()}


def _versions(connection: Connection, reads: Reads, ids: Sequence[str]) -> list[ModelVersion]:
    given = {"ids": list(ids)}
    rows = connection.execute(reads.versions, given).all()
    tags = grouped(connection.execute(reads.tags, given).all(), by=_key, order=itemgetter(2))
    aliases = grouped(connection.execute(reads.aliases, given).all(), by=_key, order=itemgetter(2))
    return [
        ModelVersion(
            model_name=row.name,
            version=row.version,
            aliases=tuple(alias for *_, alias in aliases.get(_key(row), ())),
            description=row.description or None,
            tags=tuple(Tag(key, value or "") for *_, key, value in tags.get(_key(row), ())),
            created_at=moment_of(row.creation_time),
            run_id=row.run_id or None,
        )
        for row in rows
    ]


_key = itemgetter(0, 1)


def _place(version: ModelVersion) -> tuple[str, int]:
    return version.model_name, version.version


def _run(version: ModelVersion) -> str | None:
    return version.run_id


def _reads(chosen: ColumnElement[bool]) -> Reads:
    """Return the statements for the versions that a condition chooses."""
    return Reads(
        select(model_versions).where(chosen, model_versions.c.current_stage != DELETED),
        _of_versions(chosen, model_version_tags, "key", "value"),
        _of_versions(chosen, registered_model_aliases, "alias"),
    )


def _of_versions(chosen: ColumnElement[bool], table: Table, *columns: str) -> Select[Any]:
    """Return the statement for what belongs to versions, by model and number."""
    c = table.c
    on = and_(
        model_versions.c.workspace == c.workspace,
        model_versions.c.name == c.name,
        model_versions.c.version == c.version,
    )
    shown = [c[column] for column in columns]
    return select(c.name, c.version, *shown).join(model_versions, on).where(chosen)


BY_RUN = _reads(model_versions.c.run_id.in_(IDS))
BY_MODEL = _reads(
    and_(model_versions.c.name.in_(IDS), model_versions.c.workspace == DEFAULT_WORKSPACE)
)
