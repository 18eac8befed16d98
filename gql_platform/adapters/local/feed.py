"""What is new where models are files and no run was tracked."""

from collections.abc import Mapping, Sequence

from gql_platform.live.ports import LiveStore
from gql_platform.live.records import Mark, Tail


class NoRunFeed(LiveStore):
    """Tell of no runs; models are looked at."""

    async def run_stamp(self) -> str | None:
        """Return always the same: there is nothing that could change."""
        return ""

    async def model_stamp(self) -> str | None:
        """Return None: the models lie in memory, and looking costs nothing."""
        return None

    async def point_counts(self, run_ids: Sequence[str]) -> Mapping[str, int] | None:
        """Return no counts, as there are no runs."""
        del run_ids
        return {}

    async def tails(self, run_id: str, known: Mapping[str, Mark]) -> Mapping[str, Tail]:
        """Return no points, as there are no runs."""
        del run_id, known
        return {}

    async def close(self) -> None:
        """Do nothing: no connection is held."""
