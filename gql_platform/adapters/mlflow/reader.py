"""What reads and follows runs best: MLflow's tables where they can be reached, else its client."""

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.database.connection import MLflowDatabase, is_readable
from gql_platform.adapters.mlflow.database.feed import DatabaseFeed
from gql_platform.adapters.mlflow.database.store import DatabaseRuns
from gql_platform.adapters.mlflow.feed import MLflowFeed
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.live.ports import LiveStore
from gql_platform.tracking.ports import RunStore


def run_reader(client: Client) -> RunStore:
    """Return what reads runs from the stores of a client."""
    runs = MLflowRuns(client)
    if not is_readable(client.tracking_uri):
        return runs
    has_registry = client.registry_uri == client.tracking_uri
    return DatabaseRuns(MLflowDatabase(client.tracking_uri), runs, has_registry=has_registry)


def live_store(client: Client) -> LiveStore:
    """Return what tells of news in the stores of a client."""
    feed = MLflowFeed(client)
    if not is_readable(client.tracking_uri):
        return feed
    has_registry = client.registry_uri == client.tracking_uri
    return DatabaseFeed(MLflowDatabase(client.tracking_uri), feed, has_registry=has_registry)
