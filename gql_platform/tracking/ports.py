"""What tracking needs of a store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gql_platform.tracking.records import Run


class RunStore(Protocol):
    """Read runs."""

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id.

        Raises:
            gql_platform.errors.RegistryUnavailableError: If the store does not answer.
        """
        ...
