"""The services of a server, wired to in-memory adapters, with models to try things on."""

import asyncio
from collections.abc import Mapping
from functools import partial

from gql_platform.access.service import Access
from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.service import Artifacts
from gql_platform.artifacts.source import KIND, ArtifactSource
from gql_platform.changes.service import DeploymentChanges
from gql_platform.demo.ports import DemoRun
from gql_platform.demo.service import Demo
from gql_platform.deployments.service import Deployments
from gql_platform.downloads.ports import DownloadSource
from gql_platform.downloads.service import Downloads
from gql_platform.events.service import Events
from gql_platform.exports.service import Exports
from gql_platform.health.service import Health
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.service import Jobs
from gql_platform.journal.service import Journal
from gql_platform.lineage.service import LineageSearch
from gql_platform.live.service import Live
from gql_platform.model_changes.service import ModelChanges
from gql_platform.observability import Metrics
from gql_platform.registry.service import Registry
from gql_platform.run_changes.service import RunChanges
from gql_platform.schedules.service import Schedules
from gql_platform.services import Services
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import Isolation
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing.artifacts import InMemoryArtifacts
from gql_platform.testing.database import InMemoryDatabase, InMemoryEventLog, InMemoryRequestKeys
from gql_platform.testing.downloads import InMemorySecretStore
from gql_platform.testing.examples import example_loader, example_store
from gql_platform.testing.feed import InMemoryFeed
from gql_platform.testing.jobs import InMemoryJobEngine
from gql_platform.testing.predictors import InMemoryLoader
from gql_platform.testing.registry_writer import InMemoryRegistryWriter
from gql_platform.testing.run_writer import InMemoryRunWriter
from gql_platform.testing.schedules import InMemoryScheduleStore
from gql_platform.testing.store import InMemoryStore
from gql_platform.testing.webhooks import InMemoryNetwork, InMemoryWebhookStore
from gql_platform.tracking.service import Tracking
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.cleaning import Cleaner
from gql_platform.webhooks.dispatch import Dispatcher
from gql_platform.webhooks.ports import Network
from gql_platform.webhooks.service import Webhooks


def in_memory_services(
    store: InMemoryStore | None = None,
    loader: InMemoryLoader | None = None,
    *,
    secret_key: str | None = None,
    max_rows: int = 10_000,
    threads: int = 2,
    max_queue: int = 256,
    max_batch_rows: int = 256,
    isolation: Isolation | None = None,
    has_metrics: bool = True,
    demo_run: DemoRun | None = None,
    sources: Mapping[str, DownloadSource] | None = None,
    network: Network | None = None,
    artifacts: ArtifactStore | None = None,
) -> Services:
    """Wire services as a server does, to in-memory adapters.

    The models are not loaded yet: ``await services.deployments.load_all()`` does that. Call
    ``await services.close()`` in the end.

    Args:
        store: Models and runs; `example_store` when left out.
        loader: The predictors; `example_loader` when left out.
        secret_key: The key that callers need; None lets everybody in.
        max_rows: The most rows of one prediction.
        threads: How many calls of one model compute at once, where it lets others compute.
        max_queue: How many predictions of one model are at work or wait.
        max_batch_rows: The most rows of requests that are sent to a model together.
        isolation: What gives slow models processes of their own, if anything does.
        has_metrics: Whether Prometheus metrics are counted.
        demo_run: What fills an empty registry, if anything does.
        sources: What opens further kinds of files that links lead to.
        network: Takes what is sent to webhooks; by default something that accepts all of it.
        artifacts: The files of runs; none when left out.
    """
    store = store or example_store()
    metrics = Metrics() if has_metrics else None
    limits = ServingLimits(
        max_rows=max_rows, threads=threads, max_queue=max_queue, max_batch_rows=max_batch_rows
    )
    return _joined(
        Access(secret_key=secret_key),
        store,
        _serving(loader or example_loader(), metrics, limits, isolation),
        metrics=metrics,
        demo_run=demo_run,
        sources=sources or {},
        network=network or InMemoryNetwork(),
        artifacts=artifacts or InMemoryArtifacts(),
    )


def _joined(
    access: Access,
    store: InMemoryStore,
    serving: Serving,
    *,
    metrics: Metrics | None,
    demo_run: DemoRun | None,
    sources: Mapping[str, DownloadSource],
    network: Network,
    artifacts: ArtifactStore,
) -> Services:
    """Join the services to each other, in one database."""
    database = InMemoryDatabase()
    registry = Registry(store)
    tracking = Tracking(store, registry)
    opened_by = {KIND: ArtifactSource(artifacts), **sources}
    downloads = Downloads(InMemorySecretStore(database), opened_by)
    deployments = Deployments(registry, serving)
    hooks = InMemoryWebhookStore(database)
    events = Events(database, InMemoryEventLog(database), outbox=hooks)
    idempotency = Idempotency(database, InMemoryRequestKeys(database))
    journal = Journal(events, idempotency)
    jobs = Jobs(InMemoryJobEngine(database), idempotency, events)
    schedules = Schedules(database, InMemoryScheduleStore(database), jobs, events, idempotency)
    return Services(
        access=access,
        registry=registry,
        tracking=tracking,
        serving=serving,
        deployments=deployments,
        health=Health(serving),
        store=database,
        events=events,
        idempotency=idempotency,
        changes=DeploymentChanges(deployments, serving, events, idempotency),
        run_changes=RunChanges(InMemoryRunWriter(store), tracking, journal),
        model_changes=ModelChanges(InMemoryRegistryWriter(store), registry, deployments, journal),
        jobs=jobs,
        exports=Exports(jobs, schedules, tracking),
        schedules=schedules,
        downloads=downloads,
        artifacts=Artifacts(artifacts, downloads),
        lineage=LineageSearch(tracking, registry, serving),
        live=Live(InMemoryFeed(store), tracking, registry, pause=_briefly),
        webhooks=_webhooks(hooks, events, idempotency, network),
        metrics=metrics,
        demo=Demo(registry, demo_run) if demo_run is not None else None,
    )


async def _briefly(seconds: float) -> None:
    """Wait a fiftieth of the time: what lies in memory is looked at for nothing."""
    await asyncio.sleep(seconds / 50)


def _serving(
    loader: InMemoryLoader,
    metrics: Metrics | None,
    limits: ServingLimits,
    isolation: Isolation | None,
) -> Serving:
    observers = [metrics] if metrics is not None else []
    return Serving(
        loader, traffic=Traffic(), observers=observers, limits=limits, isolation=isolation
    )


def _webhooks(
    store: InMemoryWebhookStore, events: Events, idempotency: Idempotency, network: Network
) -> Webhooks:
    guard = AddressGuard()
    dispatcher = partial(Dispatcher, store, network, guard, timeout_seconds=1.0)
    cleaner = Cleaner(store, retention_days=30.0)
    return Webhooks(store, events, idempotency, guard, dispatcher, cleaner)
