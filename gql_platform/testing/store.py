"""Registered models and tracked runs, in memory."""

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gql_platform.errors import RegistryUnavailableError
from gql_platform.registry.records import (
    Alias,
    Model,
    ModelPackage,
    ModelVersion,
    Tag,
    VersionRef,
)
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.tracking.records import (
    DatasetRef,
    Experiment,
    LoggedDataset,
    Metric,
    MetricRef,
    Param,
    Run,
    RunState,
    Series,
)

FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first thing was registered; each further one came a minute later."""


class InMemoryStore:
    """Registered models and tracked runs; a `RegistryStore` and a `RunStore`.

    Attributes:
        is_available: Whether it answers; set it to False to play a registry that is down.
        calls: How often each method of the ports was called, to prove that reads are batched.
    """

    def __init__(self) -> None:
        self.is_available = True
        self.calls: Counter[str] = Counter()
        self._failure: Exception | None = None
        self._models: dict[str, Model] = {}
        self._versions: dict[str, list[ModelVersion]] = {}
        self._numbers: Counter[str] = Counter()
        self._packages: dict[VersionRef, ModelPackage] = {}
        self._files: dict[tuple[str, str], ModelPackage] = {}
        self._experiments: dict[str, Experiment] = {}
        self._runs: dict[str, Run] = {}
        self._points: dict[MetricRef, list[tuple[int, int, float]]] = {}
        self._now = FIRST_MOMENT
        self.add_experiment("Default")

    def fail_with(self, error: Exception | None) -> None:
        """Raise an error from every read, or with None no longer."""
        self._failure = error

    def add_model(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Register a model without versions."""
        moment = self._tick()
        model = Model(name, description, (), _tags(tags), created_at=moment, updated_at=moment)
        self._models[name] = model
        self._versions[name] = []
        return model

    def add_version(
        self,
        model: str,
        *,
        package: ModelPackage | None = None,
        aliases: Sequence[str] = (),
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        run_id: str | None = None,
    ) -> ModelVersion:
        """Register the next version of a model, and the model itself if it is new.

        Args:
            model: The model's name.
            package: What its files say; None plays files that cannot be read.
            aliases: Names that point to this version from now on.
            description: What is new in it.
            tags: Keys and values attached to it.
            run_id: The run that trained it.
        """
        if model not in self._models:
            self.add_model(model)
        self._numbers[model] += 1
        version = ModelVersion(
            model_name=model,
            version=self._numbers[model],
            aliases=(),
            description=description,
            tags=_tags(tags),
            created_at=self._tick(),
            run_id=run_id,
        )
        self._versions[model].append(version)
        if package is not None:
            self._packages[version.ref] = package
        for alias in aliases:
            self.set_alias(version.ref, alias)
        self._models[model] = replace(self._models[model], updated_at=self._now)
        return self._versions[model][-1]

    def remove_model(self, name: str) -> None:
        """Delete a model with all of its versions; their numbers begin at 1 again."""
        del self._models[name], self._numbers[name]
        for version in self._versions.pop(name):
            self._packages.pop(version.ref, None)

    def remove_version(self, ref: VersionRef) -> None:
        """Delete a version and its aliases; its number is not used again."""
        for alias in self._models[ref.model].aliases:
            if alias.version == ref.version:
                self.remove_alias(ref.model, alias.name)
        self._versions[ref.model] = [each for each in self._versions[ref.model] if each.ref != ref]
        self._packages.pop(ref, None)

    def set_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version, away from the one that it pointed to before."""
        others = [found for found in self._models[ref.model].aliases if found.name != alias]
        self._point(ref.model, [*others, Alias(alias, ref.version)])

    def remove_alias(self, name: str, alias: str) -> None:
        """Take an alias from a model, if it has it."""
        self._point(name, [found for found in self._models[name].aliases if found.name != alias])

    def _point(self, name: str, aliases: Sequence[Alias]) -> None:
        pointed = tuple(sorted(aliases, key=lambda found: found.name))
        self._models[name] = replace(self._models[name], aliases=pointed)
        self._versions[name] = [
            replace(each, aliases=tuple(a.name for a in pointed if a.version == each.version))
            for each in self._versions[name]
        ]

    def change_model(self, name: str, **changes: Any) -> None:
        """Put other values in the place of some that a model has."""
        self._models[name] = replace(self._models[name], **changes)

    def change_version(self, ref: VersionRef, **changes: Any) -> None:
        """Put other values in the place of some that a version has."""
        self._versions[ref.model] = [
            replace(each, **changes) if each.ref == ref else each
            for each in self._versions[ref.model]
        ]

    def add_files(self, run_id: str, path: str, package: ModelPackage) -> None:
        """Let a run have the files of a model at a path, ready to be registered."""
        self._files[run_id, path] = package

    def files(self, run_id: str, path: str) -> ModelPackage | None:
        """Return what the files of a model at a path of a run say, or None."""
        return self._files.get((run_id, path))

    def add_experiment(
        self, name: str, *, tags: Mapping[str, str] | None = None, is_deleted: bool = False
    ) -> Experiment:
        """Make an experiment; ids count from 0, which is that of `Default`."""
        # It belongs to the beginning, so that it leaves the clock alone.
        experiment = Experiment(
            experiment_id=str(len(self._experiments)),
            name=name,
            tags=_tags(tags),
            created_at=FIRST_MOMENT,
            updated_at=FIRST_MOMENT,
            is_deleted=is_deleted,
        )
        self._experiments[experiment.experiment_id] = experiment
        return experiment

    def add_run(
        self,
        run_id: str,
        *,
        name: str | None = None,
        state: RunState = RunState.FINISHED,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        datasets: Sequence[LoggedDataset] = (),
        experiment_id: str = "0",
        is_deleted: bool = False,
    ) -> Run:
        """Track a run that began now and, unless it is still at work, ended a minute later."""
        started_at = self._tick()
        is_over = state in (RunState.FINISHED, RunState.FAILED, RunState.KILLED)
        run = Run(
            run_id=run_id,
            name=name,
            state=state,
            params=tuple(Param(key, value) for key, value in sorted((params or {}).items())),
            metrics=(),
            started_at=started_at,
            finished_at=self._tick() if is_over else None,
            experiment_id=experiment_id,
            tags=_tags(tags),
            datasets=tuple(datasets),
            is_deleted=is_deleted,
        )
        self._runs[run_id] = run
        for key, value in (metrics or {}).items():
            self.log_metric(run_id, key, [(0, value)])
        return self._runs[run_id]

    def log_metric(self, run_id: str, key: str, points: Sequence[tuple[int, float]]) -> None:
        """Log values of a metric of a run after those that were logged before.

        Args:
            run_id: The run, which must exist.
            key: The metric's name.
            points: Steps with their values, in any order; at least one.
        """
        first = len(self._points.get(MetricRef(run_id, key), ()))
        timed = [(step, time, value) for time, (step, value) in enumerate(points, start=first)]
        self.log_points(run_id, key, timed)

    def log_points(self, run_id: str, key: str, points: Sequence[tuple[int, int, float]]) -> None:
        """Log values of a metric of a run; what is there already is not logged again.

        Args:
            run_id: The run, which must exist.
            key: The metric's name.
            points: Steps, times in milliseconds, and values, in any order; at least one.
        """
        before = self._points.get(MetricRef(run_id, key), [])
        # No NaN is equal to another, and their texts are.
        found = {str(point): point for point in (*before, *points)}
        logged = sorted(found.values(), key=lambda point: point[:2])
        self._points[MetricRef(run_id, key)] = logged
        # MLflow takes NaN for 0 here.
        last = max(logged, key=lambda each: (*each[:2], 0.0 if math.isnan(each[2]) else each[2]))
        run = self._runs[run_id]
        others = [metric for metric in run.metrics if metric.key != key]
        metrics = sorted([*others, Metric(key, last[2], last[0])], key=lambda metric: metric.key)
        self._runs[run_id] = replace(run, metrics=tuple(metrics))

    def change_run(self, run_id: str, **changes: Any) -> None:
        """Put other values in the place of some that a run has."""
        self._runs[run_id] = replace(self._runs[run_id], **changes)

    def run(self, run_id: str) -> Run | None:
        """Return a run, deleted or not, or None."""
        return self._runs.get(run_id)

    def points(self, run_id: str) -> Mapping[str, Sequence[tuple[int, int, float]]]:
        """Return what was logged to a run, by metric: steps, times and values."""
        return {ref.key: found for ref, found in self._points.items() if ref.run_id == run_id}

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name, behind ``after``."""
        self.called("models")
        names = sorted(name for name in self._models if after is None or name > after)
        return [self._models[name] for name in names[:limit]]

    async def model_count(self) -> int:
        """Return the number of registered models."""
        self.called("model_count")
        return len(self._models)

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        self.called("models_named")
        return {name: self._models[name] for name in names if name in self._models}

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first."""
        self.called("versions")
        return {
            name: tuple(reversed(self._versions[name])) for name in names if name in self._versions
        }

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say."""
        self.called("packages")
        return {ref: self._packages[ref] for ref in refs if ref in self._packages}

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version, away from the one that it pointed to before."""
        self.called("point_alias")
        self.set_alias(ref, alias)

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model a tag, in the place of one with the same key."""
        self.called("tag_model")
        model = self._models[name]
        tags = {tag.key: tag.value for tag in model.tags} | {key: value}
        self._models[name] = replace(model, tags=_tags(tags))

    async def experiments(self, *, after: str | None, limit: int) -> Sequence[Experiment]:
        """Return up to ``limit`` experiments by ascending name, behind ``after``."""
        self.called("experiments")
        active = (each for each in self._experiments.values() if not each.is_deleted)
        found = [each for each in active if after is None or each.name > after]
        return sorted(found, key=lambda each: each.name)[:limit]

    async def experiment_count(self) -> int | None:
        """Return how many experiments are not deleted."""
        self.called("experiment_count")
        return sum(not each.is_deleted for each in self._experiments.values())

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments of these ids that exist, by id."""
        self.called("experiments_by_id")
        return {key: self._experiments[key] for key in experiment_ids if key in self._experiments}

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        self.called("experiment_named")
        return next((each for each in self._experiments.values() if each.name == name), None)

    async def run_page(
        self, chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
    ) -> Sequence[Run]:
        """Return up to ``limit`` runs that a filter chooses, behind a position."""
        self.called("run_page")
        last = order.sort_key(after) if after is not None else None
        keys = {
            order.sort_key(order.position_of(run)): run
            for run in self._runs.values()
            if chosen.matches(run)
        }
        return [keys[key] for key in sorted(keys) if last is None or key > last][:limit]

    async def run_count(self, chosen: RunFilter) -> int | None:
        """Return how many runs a filter chooses."""
        self.called("run_count")
        return sum(map(chosen.matches, self._runs.values()))

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return the registered versions that these runs trained, by run."""
        self.called("versions_of_runs")
        found: dict[str, list[ModelVersion]] = {}
        for name in sorted(self._versions):
            for version in self._versions[name]:
                if version.run_id is not None and version.run_id in run_ids:
                    found.setdefault(version.run_id, []).append(version)
        return {run_id: tuple(group) for run_id, group in found.items()}

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id."""
        self.called("runs")
        return {run_id: self._runs[run_id] for run_id in run_ids if run_id in self._runs}

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return up to ``limit`` runs that a data set was logged with, the newest first."""
        self.called("runs_of_dataset")
        order = RunOrder()
        found = [
            run
            for run in self._runs.values()
            if not run.is_deleted and dataset in [each.ref for each in run.datasets]
        ]
        return sorted(found, key=lambda run: order.sort_key(order.position_of(run)))[:limit]

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return all logged values of these metrics, of those that have any."""
        self.called("metric_histories")
        return {ref: _series(self._points[ref]) for ref in metrics if ref in self._points}

    async def close(self) -> None:
        """Do nothing: no connection is held."""

    def called(self, method: str) -> None:
        """Count a call, and fail if it is to; every method of a port begins with that."""
        self.calls[method] += 1
        if self._failure is not None:
            raise self._failure
        if not self.is_available:
            raise RegistryUnavailableError(uri="memory:", reason="it is switched off.")

    def _tick(self) -> datetime:
        moment, self._now = self._now, self._now + timedelta(minutes=1)
        return moment


def _series(points: Sequence[tuple[int, int, float]]) -> Series:
    steps = array("q", (step for step, _, _ in points))
    values = array("d", (value for _, _, value in points))
    return Series(steps, values, sampled=False, total_points=len(points))


def _tags(tags: Mapping[str, str] | None) -> tuple[Tag, ...]:
    return tuple(Tag(key, value) for key, value in sorted((tags or {}).items()))
