"""In-memory adapters, for tests of what is built on the platform, and of the platform itself.

They do what the real ones do, without files, network or waiting::

    services = in_memory_services()
    await services.deployments.load_all()
    answer = await services.serving.predict("iris_species", [[5.1, 3.5, 1.4, 0.2]])
    assert answer.predictions[0].label == "setosa"
"""

from gql_platform.testing.artifacts import InMemoryArtifacts
from gql_platform.testing.client import REQUEST_ID, GraphQLClient
from gql_platform.testing.database import InMemoryDatabase, InMemoryEventLog, InMemoryRequestKeys
from gql_platform.testing.downloads import InMemorySecretStore, InMemorySource
from gql_platform.testing.examples import (
    HOUSE_PACKAGE,
    IRIS_LABELS,
    IRIS_PACKAGE,
    columns_of,
    example_loader,
    example_store,
)
from gql_platform.testing.feed import InMemoryFeed
from gql_platform.testing.jobs import InMemoryJobEngine
from gql_platform.testing.predictors import InMemoryLoader, LinearClassifier, LinearRegressor
from gql_platform.testing.registry_writer import InMemoryRegistryWriter
from gql_platform.testing.run_writer import InMemoryRunWriter
from gql_platform.testing.schedules import InMemoryScheduleStore
from gql_platform.testing.services import in_memory_services
from gql_platform.testing.store import FIRST_MOMENT, InMemoryStore
from gql_platform.testing.webhooks import InMemoryNetwork, InMemoryWebhookStore

__all__ = [
    "FIRST_MOMENT",
    "HOUSE_PACKAGE",
    "IRIS_LABELS",
    "IRIS_PACKAGE",
    "REQUEST_ID",
    "GraphQLClient",
    "InMemoryArtifacts",
    "InMemoryDatabase",
    "InMemoryEventLog",
    "InMemoryFeed",
    "InMemoryJobEngine",
    "InMemoryLoader",
    "InMemoryNetwork",
    "InMemoryRegistryWriter",
    "InMemoryRequestKeys",
    "InMemoryRunWriter",
    "InMemoryScheduleStore",
    "InMemorySecretStore",
    "InMemorySource",
    "InMemoryStore",
    "InMemoryWebhookStore",
    "LinearClassifier",
    "LinearRegressor",
    "columns_of",
    "example_loader",
    "example_store",
    "in_memory_services",
]
