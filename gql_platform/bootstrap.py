"""The one place where adapters meet services.

Adapters that are heavy to import are imported here when they are first needed, so that commands
which do not need them start at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING

from gql_platform.access.service import Access
from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.service import Artifacts
from gql_platform.artifacts.source import KIND as ARTIFACTS
from gql_platform.artifacts.source import ArtifactSource
from gql_platform.changes.service import DeploymentChanges
from gql_platform.demo.ports import DemoRun
from gql_platform.demo.records import DemoModel
from gql_platform.demo.service import Demo
from gql_platform.deployments.service import Deployments
from gql_platform.downloads.ports import DownloadSource
from gql_platform.downloads.service import Downloads
from gql_platform.engines import (
    artifact_store,
    database_at,
    job_files,
    open_client,
    open_database,
    prepare_stores,
    queue_at,
)
from gql_platform.events.ports import Outbox
from gql_platform.events.service import Events
from gql_platform.exports.service import Exports
from gql_platform.health.service import Health
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.ports import WorkerHost
from gql_platform.jobs.records import JOB_FILES
from gql_platform.jobs.service import Jobs
from gql_platform.journal.service import Journal
from gql_platform.lineage.service import LineageSearch
from gql_platform.live.ports import LiveStore
from gql_platform.live.service import Live
from gql_platform.model_changes.ports import RegistryWriter
from gql_platform.model_changes.service import ModelChanges
from gql_platform.model_log.ports import ModelLog
from gql_platform.observability import Metrics
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import ModelPackage
from gql_platform.registry.service import Registry
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.service import RunChanges
from gql_platform.schedules.service import Schedules
from gql_platform.services import Services
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import ModelLoader, Predictor
from gql_platform.serving.records import ModelFile
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.settings import Settings
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.service import Tracking
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.cleaning import Cleaner
from gql_platform.webhooks.dispatch import Dispatcher
from gql_platform.webhooks.ports import WebhookStore
from gql_platform.webhooks.service import Webhooks

if TYPE_CHECKING:
    from gql_platform.adapters.estimators.native import SklearnPredictor
    from gql_platform.adapters.sql.database import Database


@dataclass(frozen=True, slots=True)
class Outside:
    """The outside systems of one server.

    Attributes:
        registry: Registered models.
        runs: Experiments and runs.
        live: What is new in those, and in the registry.
        artifacts: The files of runs.
        loader: Loads models.
        database: The platform's own tables.
        run_writer: Changes experiments and runs; None where there are none that could be changed.
        registry_writer: Changes registered models; None as well.
        demo_run: Trains demo models; None when that was not asked for.
        host: Gives workers a process; None where none is started here.
    """

    registry: RegistryStore
    runs: RunStore
    live: LiveStore
    artifacts: ArtifactStore
    loader: ModelLoader
    database: "Database"
    run_writer: RunWriter | None = None
    registry_writer: RegistryWriter | None = None
    demo_run: DemoRun | None = None
    host: WorkerHost | None = None


@dataclass(frozen=True, slots=True)
class TrackerParts:
    """What a program tracks its runs with.

    Attributes:
        tracking: Reads experiments and runs.
        run_writer: Changes them.
        registry: Reads registered models, and points aliases.
        registry_writer: Changes registered models.
        model_log: Writes and reads the files of runs and models.
    """

    tracking: Tracking
    run_writer: RunWriter
    registry: RegistryStore
    registry_writer: RegistryWriter
    model_log: ModelLog


def open_services(settings: Settings) -> Services:
    """Make every service, on the engines that the settings name.

    Raises:
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the embedded store's folder cannot be made or written.
    """
    from gql_platform.adapters.demo_process import DemoProcess
    from gql_platform.adapters.mlflow.loader import MLflowModelLoader
    from gql_platform.adapters.mlflow.reader import readers_of
    from gql_platform.adapters.mlflow.registry_writer import MLflowRegistryWriter
    from gql_platform.adapters.mlflow.run_writer import MLflowRunWriter
    from gql_platform.adapters.worker_process import WorkerProcess

    database = open_database(settings)
    client = open_client(settings)
    readers = readers_of(client)
    outside = Outside(
        registry=readers.registry,
        runs=readers.runs,
        live=readers.live,
        artifacts=artifact_store(settings, client),
        loader=MLflowModelLoader(readers.registry, compile_with=_compiled),
        database=database,
        run_writer=MLflowRunWriter(client),
        registry_writer=MLflowRegistryWriter(client),
        demo_run=DemoProcess(settings) if settings.demo else None,
        host=WorkerProcess(settings) if settings.jobs_at_once else None,
    )
    return _services(settings, outside)


def local_services(settings: Settings, *, models: Sequence[ModelFile]) -> Services:
    """Make every service, on models in files and without a registry beside them."""
    from gql_platform.adapters.local.artifacts import NoArtifacts
    from gql_platform.adapters.local.feed import NoRunFeed
    from gql_platform.adapters.local.loader import LocalModelLoader, describe
    from gql_platform.adapters.local.store import LocalStore

    store = LocalStore(describe)
    for model in models:
        store.add(model)
    outside = Outside(
        registry=store,
        runs=store,
        live=NoRunFeed(),
        artifacts=NoArtifacts(),
        loader=LocalModelLoader(store.source, compile_with=_compiled),
        database=database_at("sqlite://"),
    )
    return _services(settings, outside)


def _compiled(native: "SklearnPredictor", package: ModelPackage) -> Predictor:
    """Return the quickest form of a predictor that answers alike."""
    from gql_platform.adapters.estimators.compilation import compiled

    return compiled(native, package)


def _services(settings: Settings, outside: Outside) -> Services:
    """Join the services to each other."""
    from gql_platform.adapters.sql.idempotency import SqlRequestKeys
    from gql_platform.adapters.sql.schedules import SqlScheduleStore
    from gql_platform.adapters.sql.webhooks import SqlWebhookStore

    database = outside.database
    metrics = Metrics() if settings.enable_monitoring else None
    registry = Registry(outside.registry)
    tracking = Tracking(outside.runs, registry)
    serving = _serving(settings, outside.loader, metrics)
    deployments = Deployments(registry, serving)
    hooks = SqlWebhookStore(database)
    events = _events(settings, database, hooks)
    idempotency = Idempotency(database, SqlRequestKeys(database))
    journal = Journal(events, idempotency)
    jobs = _jobs(settings, outside, idempotency, events)
    schedules = Schedules(database, SqlScheduleStore(database), jobs, events, idempotency)
    downloads = _downloads(settings, outside)
    key = settings.api_secret_key
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
        run_changes=RunChanges(outside.run_writer, tracking, journal),
        model_changes=ModelChanges(outside.registry_writer, registry, deployments, journal),
        jobs=jobs,
        exports=Exports(jobs, schedules, tracking),
        schedules=schedules,
        downloads=downloads,
        artifacts=Artifacts(outside.artifacts, downloads),
        lineage=LineageSearch(tracking, registry, serving),
        live=Live(outside.live, tracking, registry),
        webhooks=_webhooks(settings, hooks, events, idempotency, metrics),
        metrics=metrics,
        demo=Demo(registry, outside.demo_run) if outside.demo_run else None,
    )


def _serving(settings: Settings, loader: ModelLoader, metrics: Metrics | None) -> Serving:
    from gql_platform.adapters.isolation.isolation import ProcessIsolation

    return Serving(
        loader,
        traffic=Traffic(),
        observers=[metrics] if metrics else [],
        limits=limits_of(settings),
        isolation=ProcessIsolation(
            memory_limit_mb=settings.model_memory_mb,
            call_timeout_seconds=settings.predict_timeout_seconds,
        ),
    )


def _downloads(settings: Settings, outside: Outside) -> Downloads:
    from gql_platform.adapters.sql.secrets import SqlSecretStore

    sources: dict[str, DownloadSource] = {
        ARTIFACTS: ArtifactSource(outside.artifacts),
        JOB_FILES: job_files(settings),
    }
    return Downloads(SqlSecretStore(outside.database), sources)


def _events(settings: Settings, database: "Database", outbox: Outbox) -> Events:
    from gql_platform.adapters.sql.events import SqlEventLog

    if database.address.is_sqlite:
        from gql_platform.adapters.sql.watch import watch_sqlite as watch
    else:
        from gql_platform.adapters.sql.notifications import watch_postgresql as watch
    return Events(
        database,
        SqlEventLog(database, watch=watch),
        outbox=outbox,
        retention_days=settings.event_retention_days,
        max_events=settings.max_events,
    )


def _webhooks(
    settings: Settings,
    store: WebhookStore,
    events: Events,
    idempotency: Idempotency,
    metrics: Metrics | None,
) -> Webhooks:
    from gql_platform.adapters.receivers import Receivers

    guard = AddressGuard([ip_network(each) for each in settings.webhook_networks])
    seconds = settings.webhook_timeout_seconds
    receivers = Receivers(timeout_seconds=seconds)
    dispatcher = partial(
        Dispatcher, store, receivers, guard, timeout_seconds=seconds, observer=metrics
    )
    cleaner = Cleaner(store, retention_days=settings.event_retention_days)
    return Webhooks(store, events, idempotency, guard, dispatcher, cleaner)


def _jobs(settings: Settings, outside: Outside, idempotency: Idempotency, events: Events) -> Jobs:
    from gql_platform.adapters.dbos.engine import DbosJobEngine

    return Jobs(
        DbosJobEngine(outside.database, open_queue=queue_at),
        idempotency,
        events,
        files=job_files(settings),
        host=outside.host,
        retention_days=settings.event_retention_days,
    )


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


def tracker_parts(settings: Settings) -> TrackerParts:
    """Return what a program tracks its runs with.

    Raises:
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the embedded store's folder cannot be made or written.
    """
    from gql_platform.adapters.mlflow.model_log import MLflowModelLog
    from gql_platform.adapters.mlflow.registry_writer import MLflowRegistryWriter
    from gql_platform.adapters.mlflow.run_writer import MLflowRunWriter
    from gql_platform.adapters.mlflow.runs import MLflowRuns
    from gql_platform.adapters.mlflow.store import MLflowStore

    client = open_client(settings)
    registry = MLflowStore(client)
    return TrackerParts(
        tracking=Tracking(MLflowRuns(client), Registry(registry)),
        run_writer=MLflowRunWriter(client),
        registry=registry,
        registry_writer=MLflowRegistryWriter(client),
        model_log=MLflowModelLog(client),
    )


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
