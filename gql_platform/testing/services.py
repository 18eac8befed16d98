"""The services of a server, wired to in-memory adapters, with models to try things on."""

from collections.abc import Mapping

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
from gql_platform.health.service import Health
from gql_platform.idempotency.service import Idempotency
from gql_platform.lineage.service import LineageSearch
from gql_platform.observability import Metrics
from gql_platform.registry.records import (
    CHAMPION,
    Column,
    ColumnType,
    ModelPackage,
    Signature,
    VersionRef,
)
from gql_platform.registry.service import Registry
from gql_platform.services import Services
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import Isolation
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing.artifacts import InMemoryArtifacts
from gql_platform.testing.database import InMemoryDatabase, InMemoryEventLog, InMemoryRequestKeys
from gql_platform.testing.downloads import InMemorySecretStore
from gql_platform.testing.predictors import InMemoryLoader, LinearClassifier, LinearRegressor
from gql_platform.testing.store import InMemoryStore
from gql_platform.tracking.service import Tracking


def columns_of(types: Mapping[str, ColumnType], *, required: bool = True) -> tuple[Column, ...]:
    """Return the columns of a signature from their names and types."""
    return tuple(Column(name, kind, required) for name, kind in types.items())


IRIS_COLUMNS = columns_of(
    dict.fromkeys(
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        ColumnType.DOUBLE,
    )
)
IRIS_PACKAGE = ModelPackage(
    flavour="sklearn",
    signature=Signature(IRIS_COLUMNS, columns_of({"species": ColumnType.STRING})),
    size_bytes=2048,
    input_example=(dict(zip((c.name for c in IRIS_COLUMNS), (5.1, 3.5, 1.4, 0.2), strict=True)),),
)
IRIS_LABELS = ("setosa", "versicolor", "virginica")
HOUSE_PACKAGE = ModelPackage(
    flavour="sklearn",
    signature=Signature(
        columns_of(
            {
                "living area (m2)": ColumnType.DOUBLE,
                "number of rooms": ColumnType.LONG,
                "has a garden": ColumnType.BOOLEAN,
            }
        ),
        columns_of({"price": ColumnType.DOUBLE}),
    ),
    size_bytes=512,
)


def example_store() -> InMemoryStore:
    """Return a store with two models to try things on.

    ``iris_species`` is a classifier of three labels with versions 1 (the champion, trained in
    run ``run-iris``) and 2; ``house_price`` is a regressor with one version.
    """
    store = InMemoryStore()
    store.add_run(
        "run-iris",
        name="logistic regression",
        params={"C": "1.0", "max_iter": "5000"},
        metrics={"accuracy": 0.973, "log_loss": 0.13},
    )
    store.add_model(
        "iris_species", description="The species of an iris flower.", tags={"owner": "botany"}
    )
    store.add_version("iris_species", package=IRIS_PACKAGE, aliases=[CHAMPION], run_id="run-iris")
    store.add_version("iris_species", package=IRIS_PACKAGE, description="Stronger regularised.")
    store.add_version("house_price", package=HOUSE_PACKAGE)
    return store


def example_loader() -> InMemoryLoader:
    """Return a loader for the versions of `example_store`."""
    first = LinearClassifier(
        IRIS_LABELS,
        [[-0.42, 0.97, -2.52, -1.08], [0.53, -0.32, -0.21, -0.94], [-0.11, -0.65, 2.72, 2.03]],
        [9.86, 2.23, -12.09],
    )
    second = LinearClassifier(
        IRIS_LABELS,
        [[-0.3, 0.35, -1.18, -0.48], [0.07, -0.33, 0.07, -0.23], [0.23, -0.01, 1.11, 0.71]],
        [5.32, 1.59, -6.92],
    )
    return InMemoryLoader(
        {
            VersionRef("iris_species", 1): first,
            VersionRef("iris_species", 2): second,
            VersionRef("house_price", 1): LinearRegressor([3000.0, 12_500.0, 20_000.0], 50_000.0),
        }
    )


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


def _logs(database: InMemoryDatabase) -> tuple[Events, Idempotency]:
    events = Events(database, InMemoryEventLog(database))
    return events, Idempotency(database, InMemoryRequestKeys(database))


def _files(
    database: InMemoryDatabase, store: ArtifactStore, sources: Mapping[str, DownloadSource]
) -> tuple[Downloads, Artifacts]:
    opened_by = {KIND: ArtifactSource(store), **sources}
    downloads = Downloads(InMemorySecretStore(database), opened_by)
    return downloads, Artifacts(store, downloads)


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
    artifacts: ArtifactStore | None = None,
) -> Services:
    """Wire services as a server does, to in-memory adapters.

    Call ``await services.deployments.load_all()`` to load the models, and ``close()`` in the end.

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
        artifacts: The files of runs; none when left out.
    """
    store = store or example_store()
    database = InMemoryDatabase()
    registry = Registry(store)
    tracking = Tracking(store, registry)
    metrics = Metrics() if has_metrics else None
    limits = ServingLimits(max_rows, threads, max_batch_rows, max_queue)
    serving = _serving(loader or example_loader(), metrics, limits, isolation)
    deployments = Deployments(registry, serving)
    events, idempotency = _logs(database)
    downloads, files = _files(database, artifacts or InMemoryArtifacts(), sources or {})
    return Services(
        access=Access(secret_key=secret_key),
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
        artifacts=files,
        lineage=LineageSearch(tracking, registry, serving),
        metrics=metrics,
        demo=Demo(registry, demo_run) if demo_run is not None else None,
    )
