"""Tracking's use cases."""

from collections.abc import Mapping, Sequence

from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import HistoryRequest, Run, Series
from gql_platform.tracking.sampling import sampled


class Tracking:
    """Read runs.

    Args:
        store: Where they are tracked.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id."""
        return await self._store.runs(run_ids)

    async def metric_histories(
        self, requests: Sequence[HistoryRequest]
    ) -> Mapping[HistoryRequest, Series]:
        """Return the logged values of metrics, each with no more points than were asked for.

        Args:
            requests: Which; a metric that is asked for several times is read once.

        Returns:
            The series of each metric that has any values, as `sampled` cuts it down.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        metrics = list(dict.fromkeys(request.metric for request in requests))
        found = await self._store.metric_histories(metrics)
        return {
            request: sampled(found[request.metric], request.max_points)
            for request in requests
            if request.metric in found
        }
