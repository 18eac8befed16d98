"""What is new in a store of MLflow's: from its tables, or by its client."""

from collections.abc import Mapping, Sequence
from functools import partial

from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.live import WriteCounter, point_counts, tails
from gql_platform.adapters.mlflow.feed import MLflowFeed
from gql_platform.adapters.mlflow.outage import outages
from gql_platform.adapters.mlflow.runs import is_run_id
from gql_platform.adapters.mlflow.threads import Threads
from gql_platform.adapters.sql.sqlite_file import database_file
from gql_platform.live.ports import LiveStore
from gql_platform.live.records import Mark, Tail


class DatabaseFeed(LiveStore):
    """Tell what is new in MLflow's tables; a `LiveStore`.

    Args:
        database: Where the tables are.
        client: What is asked where their revision is not a known one.
        has_registry: Whether registered models are in the same database.
    """

    def __init__(self, database: MLflowDatabase, client: MLflowFeed, *, has_registry: bool) -> None:
        self._database = database
        self._client = client
        self._has_registry = has_registry
        file = database_file(database.uri)
        self._writes = WriteCounter(file) if file is not None else None
        self._thread = Threads(max_calls=1)

    async def run_stamp(self) -> str | None:
        """Return what SQLite counts of writes; PostgreSQL does not tell."""
        if self._writes is None:
            return None
        writes = self._writes
        return await self._thread.run(lambda: self._stamp(writes))

    async def model_stamp(self) -> str | None:
        """Return the same, where models are in the same file."""
        return await self.run_stamp() if self._has_registry else None

    async def point_counts(self, run_ids: Sequence[str]) -> Mapping[str, int] | None:
        """Return how many points were logged to each run."""
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if is_run_id(run_id)]
        return await self._database.read(
            partial(point_counts, run_ids=wanted), lambda: self._client.point_counts(wanted)
        )

    async def tails(self, run_id: str, known: Mapping[str, Mark]) -> Mapping[str, Tail]:
        """Return the points that are not known."""
        if not is_run_id(run_id):
            return {}
        return await self._database.read(
            partial(tails, run_id=run_id, known=known), lambda: self._client.tails(run_id, known)
        )

    async def close(self) -> None:
        """Let go of all connections."""
        self._database.close()
        if self._writes is not None:
            self._writes.close()

    def _stamp(self, writes: WriteCounter) -> str:
        with outages(self._database.uri):
            return writes.stamp()
