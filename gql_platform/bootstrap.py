"""The one place where adapters meet services.

Adapters that are heavy to import are imported here when they are first needed, so that commands
which do not need them start at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gql_platform.access.service import Access
from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.service import Artifacts
from gql_platform.artifacts.source import KIND, ArtifactSource
from gql_platform.changes.service import DeploymentChanges
from gql_platform.demo.records import DemoModel
from gql_platform.demo.service import Demo
from gql_platform.deployments.service import Deployments
from gql_platform.downloads.service import Downloads
from gql_platform.errors import DataFolderError
from gql_platform.events.service import Events
from gql_platform.health.service import Health
from gql_platform.idempotency.service import Idempotency
from gql_platform.lineage.service import LineageSearch
from gql_platform.observability import Metrics
from gql_platform.registry.records import ModelPackage
from gql_platform.registry.service import Registry
from gql_platform.services import Services
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import ModelLoader, Predictor
from gql_platform.serving.records import ModelFile
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.settings import Settings, environment_name
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.service import Tracking

if TYPE_CHECKING:
    from gql_platform.adapters.estimators.native import SklearnPredictor
    from gql_platform.adapters.mlflow.client import Client
    from gql_platform.adapters.sql.address import Address
    from gql_platform.adapters.sql.database import Database
    from gql_platform.adapters.sql.maintenance import Maintenance


def open_services(settings: Settings) -> Services:
    """Make every service, on the engines that the settings name.

    Raises:
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the embedded store's folder cannot be made or written.
    """
    from gql_platform.adapters.demo_process import DemoProcess
    from gql_platform.adapters.mlflow.loader import MLflowModelLoader
    from gql_platform.adapters.mlflow.store import MLflowStore

    database = open_database(settings)
    client = open_client(settings)
    store = MLflowStore(client)
    registry = Registry(store)
    demo = Demo(registry, DemoProcess(settings)) if settings.demo else None
    return _services(
        settings,
        registry,
        Tracking(run_store(settings, client), registry),
        MLflowModelLoader(client, compile_with=_compiled),
        database,
        artifact_store=artifact_store(settings, client),
        demo=demo,
    )


def local_services(settings: Settings, *, models: Sequence[ModelFile]) -> Services:
    """Make every service, on models in files and without a registry beside them."""
    from gql_platform.adapters.local.artifacts import NoArtifacts
    from gql_platform.adapters.local.loader import LocalModelLoader, describe
    from gql_platform.adapters.local.store import LocalStore

    store = LocalStore(describe)
    for model in models:
        store.add(model)
    registry = Registry(store)
    return _services(
        settings,
        registry,
        Tracking(store, registry),
        LocalModelLoader(store.source, compile_with=_compiled),
        _database_at("sqlite://"),
        artifact_store=NoArtifacts(),
    )


def _compiled(native: "SklearnPredictor", package: ModelPackage) -> Predictor:
    """Return the quickest form of a predictor that answers alike."""
    from gql_platform.adapters.estimators.compilation import compiled

    return compiled(native, package)


def _services(
    settings: Settings,
    registry: Registry,
    tracking: Tracking,
    loader: ModelLoader,
    database: "Database",
    *,
    artifact_store: ArtifactStore,
    demo: Demo | None = None,
) -> Services:
    """Join the services to each other."""
    from gql_platform.adapters.isolation.isolation import ProcessIsolation
    from gql_platform.adapters.sql.idempotency import SqlRequestKeys
    from gql_platform.adapters.sql.secrets import SqlSecretStore

    metrics = Metrics() if settings.enable_monitoring else None
    serving = Serving(
        loader,
        traffic=Traffic(),
        observers=[metrics] if metrics else [],
        limits=limits_of(settings),
        isolation=ProcessIsolation(
            memory_limit_mb=settings.model_memory_mb,
            call_timeout_seconds=settings.predict_timeout_seconds,
        ),
    )
    key = settings.api_secret_key
    deployments = Deployments(registry, serving)
    events = _events(settings, database)
    idempotency = Idempotency(database, SqlRequestKeys(database))
    sources = {KIND: ArtifactSource(artifact_store)}
    downloads = Downloads(SqlSecretStore(database), sources)
    return Services(
        access=Access(secret_key=key.get_secret_value() if key else None),
        registry=registry,
        tracking=tracking,
        serving=serving,
        deployments=deployments,
        health=Health(serving),
        store=database,
        events=events,
        idempotency=idempotency,
        changes=DeploymentChanges(deployments, serving, events, idempotency),
        downloads=downloads,
        artifacts=Artifacts(artifact_store, downloads),
        lineage=LineageSearch(tracking, registry, serving),
        metrics=metrics,
        demo=demo,
    )


def _events(settings: Settings, database: "Database") -> Events:
    from gql_platform.adapters.sql.events import SqlEventLog

    if database.address.is_sqlite:
        from gql_platform.adapters.sql.watch import watch_sqlite as watch
    else:
        from gql_platform.adapters.sql.notifications import watch_postgresql as watch
    return Events(
        database,
        SqlEventLog(database, watch=watch),
        retention_days=settings.event_retention_days,
        max_events=settings.max_events,
    )


def open_database(settings: Settings) -> "Database":
    """Make the platform's database, and the folder of a SQLite file in the data folder.

    It is not connected yet.

    Raises:
        StoreAddressError: If its address can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.sql.sqlite_file import prepare

    database = _database_at(settings.database_uri)
    prepare(settings.database_uri, data_dir=settings.data_dir)
    return database


def open_maintenance(settings: Settings) -> "Maintenance":
    """Make what looks after the platform's database.

    Raises:
        StoreAddressError: If its address can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.sql.address import Address
    from gql_platform.adapters.sql.maintenance import Maintenance

    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(path=str(settings.data_dir), reason=str(error)) from error
    setting = environment_name("database_url")
    return Maintenance(Address.parsed(settings.database_uri, setting=setting))


def _database_at(uri: str) -> "Database":
    from gql_platform.adapters.sql.address import Address
    from gql_platform.adapters.sql.database import Database

    address = Address.parsed(uri, setting=environment_name("database_url"))
    return Database(address, upgrade=_upgrade)


def _upgrade(address: "Address") -> None:
    """Bring the tables up; a database that is up to date never needs what does that."""
    from gql_platform.adapters.sql.upgrade import upgrade

    upgrade(address)


def limits_of(settings: Settings) -> ServingLimits:
    """Return how much the models of a server take."""
    return ServingLimits(
        max_rows=settings.max_rows,
        threads=settings.predict_threads,
        max_batch_rows=settings.max_batch_rows,
        max_queue=settings.max_queue,
        timeout_seconds=settings.predict_timeout_seconds,
        load_seconds=settings.load_timeout_seconds,
        cached_answers=settings.cached_predictions,
    )


def open_client(settings: Settings) -> "Client":
    """Make the client of MLflow, and the folder of the embedded store where it is missing.

    Raises:
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.mlflow.client import Client

    prepare_stores(settings)
    return Client(
        tracking_uri=settings.tracking_uri,
        registry_uri=settings.registry_uri,
        artifact_root=settings.artifact_dir.as_uri(),
    )


def run_store(settings: Settings, client: "Client") -> RunStore:
    """Return what reads runs: MLflow's tables where they can be reached, else its client."""
    from gql_platform.adapters.mlflow.database.connection import MLflowDatabase, is_readable
    from gql_platform.adapters.mlflow.database.store import DatabaseRuns
    from gql_platform.adapters.mlflow.runs import MLflowRuns

    runs = MLflowRuns(client)
    if not is_readable(settings.tracking_uri):
        return runs
    has_registry = settings.registry_uri == settings.tracking_uri
    return DatabaseRuns(MLflowDatabase(settings.tracking_uri), runs, has_registry=has_registry)


def artifact_store(settings: Settings, client: "Client") -> ArtifactStore:
    """Return what reads the files of runs."""
    from gql_platform.adapters.mlflow.address import is_database
    from gql_platform.adapters.mlflow.run_artifacts import MLflowArtifacts
    from gql_platform.adapters.mlflow.run_places import Places

    # Whoever writes to the database has the run of the machine; callers of a server have not.
    folders = [Path(folder) for folder in settings.artifact_folders]
    allowed = None if is_database(settings.tracking_uri) else folders
    return MLflowArtifacts(client, Places(settings.tracking_uri, local_folders=allowed))


def prepare_stores(settings: Settings) -> None:
    """Check the addresses of the stores, and make the folder of an embedded one.

    Raises:
        StoreAddressError: If an address can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.mlflow.address import check_address
    from gql_platform.adapters.sql.sqlite_file import prepare

    for uri, field in (
        (settings.tracking_uri, "mlflow_tracking_uri"),
        (settings.registry_uri, "model_registry_uri"),
    ):
        check_address(uri, setting=environment_name(field))
        prepare(uri, data_dir=settings.data_dir)


def publish_demo_models(settings: Settings, names: Sequence[DemoModel]) -> list[tuple[str, int]]:
    """Train demo models in this process, and register a version of each.

    Args:
        settings: Where they are registered.
        names: Which ones.

    Returns:
        The name and the new version of each.

    Raises:
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the embedded store's folder cannot be made or written.
        RegistryUnavailableError: If the registry does not answer.
    """
    from gql_platform.adapters.mlflow.publisher import MLflowPublisher
    from gql_platform.demo.training import publish_models

    prepare_stores(settings)
    publisher = MLflowPublisher(
        tracking_uri=settings.tracking_uri,
        registry_uri=settings.registry_uri,
        artifact_dir=settings.artifact_dir,
    )
    return publish_models(publisher, names)
