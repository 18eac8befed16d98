"""A server with models, that can die in the middle of a change."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gql_platform.events.service import Events
from gql_platform.idempotency.service import CLAIM, Idempotency
from gql_platform.journal.service import Journal
from gql_platform.model_changes.service import ModelChanges
from gql_platform.registry.records import ModelPackage, ModelVersion, VersionRef
from gql_platform.serving.ports import Predictor
from gql_platform.testing import (
    IRIS_PACKAGE,
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryLoader,
    InMemoryRegistryWriter,
    InMemoryRequestKeys,
    in_memory_services,
)
from tests.graphql.deploying import classifier, iris_loader, iris_store

MODEL = "iris_species"


def ref(version: int) -> VersionRef:
    """Return a version of the model."""
    return VersionRef(MODEL, version)


class DeadError(Exception):
    """The server is gone."""


class Loader(InMemoryLoader):
    """A loader of the iris models, and of the first version of another one."""

    def __init__(self) -> None:
        super().__init__({VersionRef("new", 1): classifier("setosa")})
        self._others = iris_loader()

    async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        """Return the predictor of a version."""
        if version.model_name == MODEL:
            return await self._others.load(version, package)
        return await super().load(version, package)


class Server:
    """A server whose clock stands still; version 1 of the model is the champion."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, tzinfo=UTC)
        self.store = iris_store()
        self.store.add_run("r")
        self.store.add_files("r", "model", IRIS_PACKAGE)
        self.services = in_memory_services(self.store, Loader())
        self.database = InMemoryDatabase()
        self.idempotency = Idempotency(
            self.database, InMemoryRequestKeys(self.database), now=lambda: self.now
        )
        self.changes = self.served_by(InMemoryRegistryWriter(self.store))

    def served_by(self, writer: InMemoryRegistryWriter | None) -> ModelChanges:
        """Return what changes models by a writer."""
        events = Events(self.database, InMemoryEventLog(self.database))
        journal = Journal(events, self.idempotency)
        return ModelChanges(writer, self.services.registry, self.services.deployments, journal)

    async def version(self, number: int, model: str = MODEL) -> ModelVersion:
        """Return a version as it is now."""
        found = await self.services.registry.version(model, number=number)
        assert found is not None
        return found

    def served(self, model: str = MODEL) -> list[int]:
        """Return the versions that answer, by variant."""
        deployment = self.services.serving.deployment(model)
        variants = deployment.variants if deployment else ()
        return [each.served.version for each in variants if each.served]

    async def until_served(self, model: str, version: int) -> None:
        """Wait until a version answers."""
        async with asyncio.timeout(10):
            async for _ in self.services.serving.news.follow():
                if self.served(model) == [version]:
                    return

    def told(self) -> list[tuple[str, str, str, Mapping[str, Any]]]:
        """Return type, subject, actor and data of each event."""
        return [
            (each.type, f"{each.subject_kind}:{each.subject_id}", each.actor, dict(each.data))
            for each in self.database.contents.events
        ]

    async def dies_in(self, change: Callable[[], Any]) -> None:
        """Make a change whose server is gone when it is to be written down."""
        begin, beginnings = self.database.begin, 0

        def begin_once() -> Any:
            nonlocal beginnings
            beginnings += 1
            # The first transaction claims the key, and the next one would write it all down.
            if beginnings > 1:
                raise DeadError
            return begin()

        self.database.begin = begin_once  # type: ignore[method-assign]
        with pytest.raises(DeadError):
            await change()
        self.database.begin = begin  # type: ignore[method-assign]
        self.now += 2 * CLAIM
