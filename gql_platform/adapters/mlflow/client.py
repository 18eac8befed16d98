"""An MLflow client that is opened by its first call and used from threads."""

import threading
import uuid
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy
from mlflow import MlflowClient

from gql_platform.adapters.mlflow import embedded
from gql_platform.adapters.mlflow.address import is_database
from gql_platform.adapters.mlflow.outage import outages
from gql_platform.adapters.mlflow.threads import Threads

T = TypeVar("T")

LONG_CALLS = 4
"""How many calls that may take minutes are at work at once."""


class Client:
    """Run blocking calls of MLflow in threads, away from the event loop.

    MLflow connects, and makes its tables in a new database, while a client is built. That is
    put off to the first call, so that a server can start while its registry is down.

    Args:
        tracking_uri: Where MLflow keeps runs; any URI that it knows.
        registry_uri: Where MLflow keeps registered models.
        artifact_root: Where a new embedded store keeps files; None leaves it to MLflow.
    """

    def __init__(
        self, *, tracking_uri: str, registry_uri: str, artifact_root: str | None = None
    ) -> None:
        self.tracking_uri = tracking_uri
        self.registry_uri = registry_uri
        self._artifact_root = artifact_root
        self._threads = Threads()
        self._long_threads = Threads(LONG_CALLS)
        self._lock = threading.Lock()
        self._opened: MlflowClient | None = None

    async def call(
        self,
        use: Callable[[MlflowClient], T],
        *,
        asks_for_runs: bool = False,
        takes_long: bool = False,
    ) -> T:
        """Return what a function makes of the MLflow client.

        Args:
            use: It may block; it runs in a thread, several at once.
            asks_for_runs: Whether it asks the store of runs, which an error then names.
            takes_long: Whether it may take minutes, as a download does; the others do not wait
                for it then.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        threads = self._long_threads if takes_long else self._threads
        return await threads.run(lambda: self.here(use, asks_for_runs=asks_for_runs))

    async def beside(self, work: Callable[[], T]) -> T:
        """Return what work comes to that reads files of the registry, and needs no client.

        Args:
            work: It may block; it runs in a thread, as calls do.

        Raises:
            RegistryUnavailableError: If a store does not answer.
        """

        def guarded() -> T:
            with outages(self.registry_uri):
                return work()

        return await self._threads.run(guarded)

    def here(self, use: Callable[[MlflowClient], T], *, asks_for_runs: bool = False) -> T:
        """Return what a function makes of the MLflow client, in the caller's own thread.

        Args:
            use: It may block.
            asks_for_runs: Whether it asks the store of runs, which an error then names.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        with outages(self.tracking_uri if asks_for_runs else self.registry_uri):
            return use(self._client())

    def new_files(self) -> str | None:
        """Return where a new experiment keeps its files; None where a server of MLflow tells.

        MLflow would put those of a database into the folder that the process was started in.
        """
        if self._artifact_root is None or not is_database(self.tracking_uri):
            return None
        return f"{self._artifact_root.rstrip('/')}/{uuid.uuid4().hex}"

    def _client(self) -> MlflowClient:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> MlflowClient:
        for uri in {self.registry_uri, self.tracking_uri}:
            with outages(uri, is_opening=True):
                _knock(uri)
        with outages(self.tracking_uri, is_opening=True):
            if self._artifact_root is not None:
                embedded.create_tables(self.tracking_uri, artifact_root=self._artifact_root)
            return MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.registry_uri)


def _knock(uri: str) -> None:
    """Connect to a database once, for MLflow would try ten times and take minutes to give up."""
    if is_database(uri):
        engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)
        engine.connect().close()
