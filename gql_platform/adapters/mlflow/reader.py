"""What reads MLflow's stores best: its tables where they can be reached, else its client."""

from dataclasses import dataclass

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.database.connection import MLflowDatabase, is_readable
from gql_platform.adapters.mlflow.database.feed import DatabaseFeed
from gql_platform.adapters.mlflow.database.registry import DatabaseRegistry
from gql_platform.adapters.mlflow.database.store import DatabaseRuns
from gql_platform.adapters.mlflow.feed import MLflowFeed
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.live.ports import LiveStore
from gql_platform.tracking.ports import RunStore


@dataclass(frozen=True, slots=True)
class Readers:
    """What reads MLflow's stores.

    Attributes:
        registry: Reads registered models.
        runs: Reads experiments and runs.
        live: Tells what is new.
    """

    registry: MLflowStore
    runs: RunStore
    live: LiveStore


def readers_of(client: Client) -> Readers:
    """Return what reads the stores of a client."""
    runs, feed = MLflowRuns(client), MLflowFeed(client)
    if not is_readable(client.tracking_uri):
        return Readers(MLflowStore(client), runs, feed)
    database = MLflowDatabase(client.tracking_uri)
    has_registry = client.registry_uri == client.tracking_uri
    return Readers(
        DatabaseRegistry(database, client) if has_registry else MLflowStore(client),
        DatabaseRuns(database, runs, has_registry=has_registry),
        DatabaseFeed(database, feed, has_registry=has_registry),
    )
