"""The one place where adapters meet services.

Adapters that are heavy to import are imported here when they are first needed, so that commands
which do not need them start at once.
"""

from typing import TYPE_CHECKING

from gql_platform.access.service import Access
from gql_platform.demo.service import Demo
from gql_platform.health.service import Health
from gql_platform.observability import Metrics
from gql_platform.registry.service import Registry
from gql_platform.services import Services
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.settings import Settings
from gql_platform.tracking.service import Tracking

if TYPE_CHECKING:
    from gql_platform.adapters.mlflow.store import MLflowStore


def open_services(settings: Settings) -> Services:
    """Make every service, on the engines that the settings name.

    Raises:
        DataFolderError: If the embedded store's folder cannot be made or written.
    """
    from gql_platform.adapters.demo_process import DemoProcess
    from gql_platform.adapters.mlflow.loader import MLflowModelLoader

    store = open_store(settings)
    metrics = Metrics() if settings.enable_monitoring else None
    registry = Registry(store)
    serving = Serving(
        registry,
        MLflowModelLoader(store.client),
        traffic=Traffic(),
        observers=[metrics] if metrics else [],
        max_rows=settings.max_rows,
        threads=settings.predict_threads,
    )
    return Services(
        access=Access(
            secret_key=settings.api_secret_key.get_secret_value()
            if settings.api_secret_key
            else None
        ),
        registry=registry,
        tracking=Tracking(store),
        serving=serving,
        health=Health(serving),
        metrics=metrics,
        demo=Demo(registry, DemoProcess(settings)) if settings.demo else None,
    )


def open_store(settings: Settings) -> "MLflowStore":
    """Open the store of runs and models, and make the embedded one where it is missing."""
    raise NotImplementedError
