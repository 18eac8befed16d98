"""A registry of model files that lasts as long as the process."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gql_platform.registry.records import (
    CHAMPION,
    Alias,
    Model,
    ModelPackage,
    ModelVersion,
    Tag,
    VersionRef,
)
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.serving.records import ModelFile
from gql_platform.tracking.records import DatasetRef, Experiment, MetricRef, Run, Series

Describe = Callable[[ModelFile], ModelPackage | None]
"""Reads what a file says of its model; it blocks, and returns None where that cannot be read."""


@dataclass(slots=True)
class _Entry:
    """A version: where it comes from, and what is shown of it."""

    source: ModelFile
    shown: ModelVersion
    package: ModelPackage | None = None


@dataclass(slots=True)
class _Registered:
    model: Model
    versions: list[_Entry] = field(default_factory=list)


class LocalStore:
    """Keep the models that a program names; a `RegistryStore` and a `RunStore` without runs.

    Args:
        describe: Reads what a file says of its model.
    """

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._models: dict[str, _Registered] = {}

    def add(self, source: ModelFile) -> ModelVersion:
        """Register a file as the next version of a model, and as its champion."""
        now = datetime.now(UTC)
        registered = self._models.get(source.name)
        if registered is None:
            model = Model(source.name, None, (), (), created_at=now, updated_at=now)
            registered = self._models[source.name] = _Registered(model)
        shown = ModelVersion(
            model_name=source.name,
            version=len(registered.versions) + 1,
            aliases=(),
            description=f"From {source.path}.",
            tags=(),
            created_at=now,
            run_id=None,
        )
        registered.versions.append(_Entry(source, shown))
        self._point(shown.ref, CHAMPION)
        return registered.versions[-1].shown

    def source(self, ref: VersionRef) -> ModelFile:
        """Return where a version comes from."""
        return self._models[ref.model].versions[ref.version - 1].source

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name, behind ``after``."""
        names = sorted(name for name in self._models if after is None or name > after)
        return [self._models[name].model for name in names[:limit]]

    async def model_count(self) -> int:
        """Return the number of registered models."""
        return len(self._models)

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        return {name: self._models[name].model for name in names if name in self._models}

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first."""
        return {
            name: tuple(entry.shown for entry in reversed(self._models[name].versions))
            for name in names
            if name in self._models
        }

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say."""
        found = {}
        for ref in refs:
            registered = self._models.get(ref.model)
            if registered is None or ref.version > len(registered.versions):
                continue
            entry = registered.versions[ref.version - 1]
            if entry.package is None:
                entry.package = await asyncio.to_thread(self._describe, entry.source)
            if entry.package is not None:
                found[ref] = entry.package
        return found

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version, away from the one that it pointed to before."""
        self._point(ref, alias)

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model a tag, in the place of one with the same key."""
        registered = self._models[name]
        tags = {tag.key: tag.value for tag in registered.model.tags} | {key: value}
        registered.model = replace(
            registered.model, tags=tuple(Tag(*item) for item in sorted(tags.items()))
        )

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return no runs: nobody tracked how the files were made."""
        del run_ids
        return {}

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return no values, as there are no runs."""
        del metrics
        return {}

    async def experiments(self, *, after: str | None, limit: int) -> Sequence[Experiment]:
        """Return no experiments, as there are no runs."""
        del after, limit
        return ()

    async def experiment_count(self) -> int | None:
        """Return that there are none."""
        return 0

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return no experiments, as there are no runs."""
        del experiment_ids
        return {}

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return no experiment, as there are no runs."""
        del name
        return None

    async def run_page(
        self, chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
    ) -> Sequence[Run]:
        """Return no runs: nobody tracked how the files were made."""
        del chosen, order, after, limit
        return ()

    async def run_count(self, chosen: RunFilter) -> int | None:
        """Return that there are none."""
        del chosen
        return 0

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return no runs."""
        del dataset, limit
        return ()

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return no versions, as there are no runs."""
        del run_ids
        return {}

    async def close(self) -> None:
        """Do nothing: no connection is held."""

    def _point(self, ref: VersionRef, alias: str) -> None:
        registered = self._models[ref.model]
        others = [found for found in registered.model.aliases if found.name != alias]
        aliases = tuple(sorted([*others, Alias(alias, ref.version)], key=lambda each: each.name))
        registered.model = replace(registered.model, aliases=aliases, updated_at=datetime.now(UTC))
        for entry in registered.versions:
            named = tuple(each.name for each in aliases if each.version == entry.shown.version)
            entry.shown = replace(entry.shown, aliases=named)
