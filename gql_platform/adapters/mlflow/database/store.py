"""Runs and experiments out of MLflow's tables, or by its client where that is not safe."""

from collections.abc import Mapping, Sequence
from functools import partial

from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.experiments import (
    count_of_experiments,
    experiment_named,
    experiments_by_id,
    page_of_experiments,
)
from gql_platform.adapters.mlflow.database.runs import (
    count_of_runs,
    page_of_runs,
    runs_by_id,
    runs_of_dataset,
)
from gql_platform.adapters.mlflow.database.series import histories
from gql_platform.adapters.mlflow.database.versions import versions_of_runs
from gql_platform.adapters.mlflow.runs import (
    MLflowRuns,
    is_dataset,
    is_experiment_name,
    is_metric,
    is_run_id,
)
from gql_platform.registry.records import ModelVersion
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.tracking.records import DatasetRef, Experiment, MetricRef, Run, Series


class DatabaseRuns:
    """Read runs from MLflow's tables; a `RunStore`.

    Args:
        database: Where the tables are.
        client: What is asked where their revision is not a known one.
        has_registry: Whether registered models are in the same database.
    """

    def __init__(self, database: MLflowDatabase, client: MLflowRuns, *, has_registry: bool) -> None:
        self._database = database
        self._client = client
        self._has_registry = has_registry

    async def experiments(self, *, after: str | None, limit: int) -> Sequence[Experiment]:
        """Return up to ``limit`` experiments by ascending name, behind ``after``."""
        if after is not None and "\x00" in after:
            return []
        return await self._database.read(
            partial(page_of_experiments, after=after, limit=limit),
            lambda: self._client.experiments(after=after, limit=limit),
        )

    async def experiment_count(self) -> int | None:
        """Return how many experiments are not deleted."""
        return await self._database.read(count_of_experiments, self._client.experiment_count)

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments of these ids that exist, by id."""
        return await self._database.read(
            partial(experiments_by_id, ids=experiment_ids),
            lambda: self._client.experiments_by_id(experiment_ids),
        )

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        if not is_experiment_name(name):
            return None
        return await self._database.read(
            partial(experiment_named, name=name), lambda: self._client.experiment_named(name)
        )

    async def run_page(
        self, chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
    ) -> Sequence[Run]:
        """Return up to ``limit`` runs that a filter chooses, behind a position."""
        return await self._database.read(
            partial(page_of_runs, chosen=chosen, order=order, after=after, limit=limit),
            lambda: self._client.run_page(chosen, order=order, after=after, limit=limit),
        )

    async def run_count(self, chosen: RunFilter) -> int | None:
        """Return how many runs a filter chooses."""
        return await self._database.read(
            partial(count_of_runs, chosen=chosen), lambda: self._client.run_count(chosen)
        )

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, deleted ones included, by id."""
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if is_run_id(run_id)]
        if not wanted:
            return {}
        return await self._database.read(
            partial(runs_by_id, run_ids=wanted), lambda: self._client.runs(wanted)
        )

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return up to ``limit`` runs that a data set was logged with, the newest first."""
        if not is_dataset(dataset):
            return []
        return await self._database.read(
            partial(runs_of_dataset, dataset=dataset, limit=limit),
            lambda: self._client.runs_of_dataset(dataset, limit=limit),
        )

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return all logged values of these metrics, of those that have any."""
        wanted = [ref for ref in dict.fromkeys(metrics) if is_metric(ref)]
        if not wanted:
            return {}
        return await self._database.read(
            partial(histories, refs=wanted), lambda: self._client.metric_histories(wanted)
        )

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return the registered versions that these runs trained, by run."""
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if is_run_id(run_id)]
        if not wanted or not self._has_registry:
            return await self._client.versions_of_runs(wanted)
        return await self._database.read(
            partial(versions_of_runs, run_ids=wanted),
            lambda: self._client.versions_of_runs(wanted),
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()
        self._database.close()
