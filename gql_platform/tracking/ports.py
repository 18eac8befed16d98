"""What tracking needs of a store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gql_platform.tracking.records import MetricRef, Run, Series


class RunStore(Protocol):
    """Read runs."""

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id.

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
