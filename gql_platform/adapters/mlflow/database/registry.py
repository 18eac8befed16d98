"""Registered models out of MLflow's tables, or by its client where that is not safe."""

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import Connection

from gql_platform.adapters.mlflow.artifacts import location_of
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.models import (
    TableLocations,
    count_of_models,
    existing,
    models_by_name,
    page_of_models,
)
from gql_platform.adapters.mlflow.database.versions import versions_of_models
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.registry.records import Model, ModelVersion, VersionRef


class DatabaseRegistry(MLflowStore):
    """Read models from MLflow's tables, and write by its client; a `RegistryStore`.

    Args:
        database: Where the tables are.
        client: What is asked where their revision is not a known one.
    """

    def __init__(self, database: MLflowDatabase, client: Client) -> None:
        super().__init__(client)
        self._database = database

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name, behind ``after``."""
        if after is not None and "\x00" in after:
            return []
        return await self._database.read(
            partial(page_of_models, after=after, limit=limit),
            lambda: super(DatabaseRegistry, self).models(after=after, limit=limit),
        )

    async def model_count(self) -> int:
        """Return the number of registered models."""
        return await self._database.read(count_of_models, super().model_count)

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        wanted = _possible(names)
        if not wanted:
            return {}
        return await self._database.read(
            partial(models_by_name, names=wanted),
            lambda: super(DatabaseRegistry, self).models_named(wanted),
        )

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first."""
        wanted = _possible(names)
        if not wanted:
            return {}
        found = await self._database.read(
            partial(_versions, names=wanted),
            lambda: super(DatabaseRegistry, self).versions(wanted),
        )
        self.see(found)
        return found

    def location(self, ref: VersionRef) -> str:
        """Return where the files of a version are; it blocks."""
        return self._database.read_here(
            lambda connection: location_of(TableLocations(connection), ref),
            lambda: super(DatabaseRegistry, self).location(ref),
        )


def _possible(names: Sequence[str]) -> list[str]:
    """Return each name once, without those that PostgreSQL takes for no text."""
    return [name for name in dict.fromkeys(names) if "\x00" not in name]


def _versions(
    connection: Connection, names: Sequence[str]
) -> Mapping[str, tuple[ModelVersion, ...]]:
    found = versions_of_models(connection, names)
    return {name: found.get(name, ()) for name in existing(connection, names)}
