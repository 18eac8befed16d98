"""What following runs and the registry needs of a store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gql_platform.live.records import Mark, Tail


class LiveStore(Protocol):
    """Tell cheaply what is new in a store of runs and models.

    Each method raises `gql_platform.errors.RegistryUnavailableError` when the store does not
    answer.
    """

    async def run_stamp(self) -> str | None:
        """Return a text that is another after anything was written to the store of runs.

        None where the store cannot tell that without being read.
        """
        ...

    async def model_stamp(self) -> str | None:
        """Return the same of the store of models."""
        ...

    async def point_counts(self, run_ids: Sequence[str]) -> Mapping[str, int] | None:
        """Return how many points of all metrics were logged to each run, of those with any.

        None where counting costs as much as reading.
        """
        ...

    async def tails(self, run_id: str, known: Mapping[str, Mark]) -> Mapping[str, Tail]:
        """Return the points of all metrics of a run that have more points than are known.

        Of a metric that is known, the points from its mark's time on are returned, those at that
        very time included; of others, all of them.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
