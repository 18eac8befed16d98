"""Registered models and tracked runs, in memory."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
        self._packages: dict[VersionRef, ModelPackage] = {}
        self._experiments: dict[str, Experiment] = {}
        self._runs: dict[str, Run] = {}
        self._points: dict[MetricRef, list[tuple[int, float]]] = {}
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
        version = ModelVersion(
            model_name=model,
            version=len(self._versions[model]) + 1,
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
        del self._models[name]
        for version in self._versions.pop(name):
            self._packages.pop(version.ref, None)

    def set_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version, away from the one that it pointed to before."""
        model = self._models[ref.model]
        others = [found for found in model.aliases if found.name != alias]
        aliases = sorted([*others, Alias(alias, ref.version)], key=lambda found: found.name)
        self._models[ref.model] = replace(model, aliases=tuple(aliases))
        self._versions[ref.model] = [
            replace(
                version,
                aliases=tuple(a.name for a in aliases if a.version == version.version),
            )
            for version in self._versions[ref.model]
        ]

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
        run = self._runs[run_id]
        logged = self._points.setdefault(MetricRef(run_id, key), [])
        logged.extend(points)
        # Sorting is stable: of values of the same step, the one logged last stays the last.
        logged.sort(key=lambda point: point[0])
        step, value = logged[-1]
        others = [metric for metric in run.metrics if metric.key != key]
        metrics = sorted([*others, Metric(key, value, step)], key=lambda metric: metric.key)
        self._runs[run_id] = replace(run, metrics=tuple(metrics))

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name, behind ``after``."""
        self._count("models")
        names = sorted(name for name in self._models if after is None or name > after)
        return [self._models[name] for name in names[:limit]]

    async def model_count(self) -> int:
        """Return the number of registered models."""
        self._count("model_count")
        return len(self._models)

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        self._count("models_named")
        return {name: self._models[name] for name in names if name in self._models}

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first."""
        self._count("versions")
        return {
            name: tuple(reversed(self._versions[name])) for name in names if name in self._versions
        }

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say."""
        self._count("packages")
        return {ref: self._packages[ref] for ref in refs if ref in self._packages}

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version, away from the one that it pointed to before."""
        self._count("point_alias")
        self.set_alias(ref, alias)

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model a tag, in the place of one with the same key."""
        self._count("tag_model")
        model = self._models[name]
        tags = {tag.key: tag.value for tag in model.tags} | {key: value}
        self._models[name] = replace(model, tags=_tags(tags))

    async def experiments(self, *, after: str | None, limit: int) -> Sequence[Experiment]:
        """Return up to ``limit`` experiments by ascending name, behind ``after``."""
        self._count("experiments")
        found = [
            each
            for each in self._experiments.values()
            if not each.is_deleted and (after is None or each.name > after)
        ]
        return sorted(found, key=lambda each: each.name)[:limit]

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments of these ids that exist, by id."""
        self._count("experiments_by_id")
        return {key: self._experiments[key] for key in experiment_ids if key in self._experiments}

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        self._count("experiment_named")
        return next((each for each in self._experiments.values() if each.name == name), None)

    async def run_page(
        self, chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
    ) -> Sequence[Run]:
        """Return up to ``limit`` runs that a filter chooses, behind a position."""
        self._count("run_page")
        last = order.sort_key(after) if after is not None else None
        keys = {
            order.sort_key(order.position_of(run)): run
            for run in self._runs.values()
            if chosen.matches(run)
        }
        return [keys[key] for key in sorted(keys) if last is None or key > last][:limit]

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return the registered versions that these runs trained, by run."""
        self._count("versions_of_runs")
        found: dict[str, list[ModelVersion]] = {}
        for name in sorted(self._versions):
            for version in self._versions[name]:
                if version.run_id is not None and version.run_id in run_ids:
                    found.setdefault(version.run_id, []).append(version)
        return {run_id: tuple(group) for run_id, group in found.items()}

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id."""
        self._count("runs")
        return {run_id: self._runs[run_id] for run_id in run_ids if run_id in self._runs}

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return up to ``limit`` runs that a data set was logged with, the newest first."""
        self._count("runs_of_dataset")
        order = RunOrder()
        found = [
            run
            for run in self._runs.values()
            if not run.is_deleted and dataset in [each.ref for each in run.datasets]
        ]
        return sorted(found, key=lambda run: order.sort_key(order.position_of(run)))[:limit]

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return all logged values of these metrics, of those that have any."""
        self._count("metric_histories")
        return {ref: _series(self._points[ref]) for ref in metrics if ref in self._points}

    async def close(self) -> None:
        """Do nothing: no connection is held."""

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        if self._failure is not None:
            raise self._failure
        if not self.is_available:
            raise RegistryUnavailableError(uri="memory:", reason="it is switched off.")

    def _tick(self) -> datetime:
        moment, self._now = self._now, self._now + timedelta(minutes=1)
        return moment


def _series(points: Sequence[tuple[int, float]]) -> Series:
    steps = array("q", (step for step, _ in points))
    values = array("d", (value for _, value in points))
    return Series(steps, values, sampled=False, total_points=len(points))


def _tags(tags: Mapping[str, str] | None) -> tuple[Tag, ...]:
    return tuple(Tag(key, value) for key, value in sorted((tags or {}).items()))
