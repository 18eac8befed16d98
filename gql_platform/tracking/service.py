"""Tracking's use cases."""

from collections.abc import Mapping, Sequence

from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import Run


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
