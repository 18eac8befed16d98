"""What tracking needs of a store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gql_platform.registry.records import ModelVersion
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.tracking.records import DatasetRef, Experiment, MetricRef, Run, Series


class RunStore(Protocol):
    """Read experiments and runs.

    No method raises for what does not exist: it is absent from the answer.
    """

    async def experiments(self, *, after: str | None, limit: int) -> Sequence[Experiment]:
        """Return up to ``limit`` experiments by ascending name (code point order).

        Deleted ones are left out.

        Args:
            after: Return only names greater than this one; None begins at the start.
            limit: At least 1.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def experiment_count(self) -> int | None:
        """Return how many experiments are not deleted; None where that is not cheap.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments of these ids that exist, deleted ones included, by id.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not, or None.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def run_page(
        self, chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
    ) -> Sequence[Run]:
        """Return up to ``limit`` runs that a filter chooses, in an order.

        Args:
            chosen: Which runs; its `model` is not read.
            order: In which order.
            after: Return only runs behind this position; None begins at the start.
            limit: At least 1.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def run_count(self, chosen: RunFilter) -> int | None:
        """Return how many runs a filter chooses; None where counting them is not cheap.

        Args:
            chosen: Which runs; its `model` is not read.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return up to ``limit`` runs that a data set was logged with, the newest first.

        Deleted ones are left out.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return all logged values of these metrics, of those that have any.

        The steps (int64) ascend, and values (float64) of the same step come in the order in which
        they were logged. Nothing is left out; values may be NaN and infinite.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return the registered versions that these runs trained, by run, of those with any.

        They are sorted by model and number.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the registry does not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
