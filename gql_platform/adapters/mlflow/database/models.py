"""Registered models out of MLflow's tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from gql_platform.adapters.mlflow.database.experiments import DEFAULT_WORKSPACE, by_code_point
from gql_platform.adapters.mlflow.database.runs import IDS, grouped
from gql_platform.adapters.mlflow.database.tables import (
    logged_models,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from gql_platform.adapters.mlflow.database.versions import DELETED
from gql_platform.adapters.mlflow.entities import moment_of
from gql_platform.adapters.mlflow.locations import Locations
from gql_platform.registry.records import Alias, Model, Tag


def page_of_models(connection: Connection, *, after: str | None, limit: int) -> list[Model]:
    """Return models by name, in three statements."""
    name = by_code_point(connection, registered_models.c.name)
    statement = MODELS if after is None else MODELS.where(name > after)
    rows = connection.execute(statement.order_by(name).limit(limit)).all()
    return _with_content(connection, rows)


def count_of_models(connection: Connection) -> int:
    """Return how many models there are."""
    return int(connection.execute(COUNT).scalar_one())


def models_by_name(connection: Connection, names: Sequence[str]) -> dict[str, Model]:
    """Return the models of these names that exist, in three statements."""
    rows = connection.execute(NAMED, {"ids": list(names)}).all()
    return {model.name: model for model in _with_content(connection, rows)}


def existing(connection: Connection, names: Sequence[str]) -> Sequence[str]:
    """Return those of these names that models have."""
    asked = NAMED.with_only_columns(registered_models.c.name)
    return connection.execute(asked, {"ids": list(names)}).scalars().all()


def _with_content(connection: Connection, rows: Sequence[Any]) -> list[Model]:
    if not rows:
        return []
    names = {"ids": [row.name for row in rows]}
    tags, aliases = (
        grouped(connection.execute(each, names).all(), by=itemgetter(0), order=itemgetter(1))
        for each in (TAGS, ALIASES)
    )
    return [
        Model(
            name=row.name,
            description=row.description or None,
            aliases=tuple(Alias(alias, number) for _, alias, number in aliases.get(row.name, ())),
            tags=tuple(Tag(key, value or "") for _, key, value in tags.get(row.name, ())),
            created_at=moment_of(row.creation_time),
            updated_at=moment_of(row.last_updated_time or row.creation_time),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class TableLocations(Locations):
    """Find where files are in the tables.

    Attributes:
        connection: Where they are read.
    """

    connection: Connection

    def of_version(self, name: str, version: int) -> str:
        """Return where the files of a version are, or an address that is to be followed.

        Raises:
            LookupError: If there is no such version.
        """
        c = model_versions.c
        asked = select(func.coalesce(func.nullif(c.storage_location, ""), c.source)).where(
            c.name == name, c.version == version, _is_here(c.workspace), c.current_stage != DELETED
        )
        return self._found(asked, f"version {version} of the model {name!r}")

    def of_logged_model(self, model_id: str) -> str:
        """Return where the files of a model are that a run logged.

        Raises:
            LookupError: If there is no such model.
        """
        c = logged_models.c
        asked = select(c.artifact_location).where(c.model_id == model_id)
        return self._found(asked, f"logged model {model_id!r}")

    def _found(self, asked: Select[Any], noun: str) -> str:
        place = self.connection.execute(asked).scalar_one_or_none()
        if place is None:
            raise LookupError(f"There are no files of a {noun}.")
        return str(place)


def _is_here(workspace: ColumnElement[Any]) -> ColumnElement[bool]:
    return workspace == DEFAULT_WORKSPACE


MODELS = select(registered_models).where(_is_here(registered_models.c.workspace))
NAMED = MODELS.where(registered_models.c.name.in_(IDS))
COUNT = (
    select(func.count())
    .select_from(registered_models)
    .where(_is_here(registered_models.c.workspace))
)
TAGS = select(
    registered_model_tags.c.name, registered_model_tags.c.key, registered_model_tags.c.value
).where(registered_model_tags.c.name.in_(IDS), _is_here(registered_model_tags.c.workspace))
ALIASES = select(
    registered_model_aliases.c.name,
    registered_model_aliases.c.alias,
    registered_model_aliases.c.version,
).where(registered_model_aliases.c.name.in_(IDS), _is_here(registered_model_aliases.c.workspace))
