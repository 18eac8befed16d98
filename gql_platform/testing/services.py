"""The services of a server, wired to in-memory adapters, with models to try things on."""

from collections.abc import Mapping

from gql_platform.access.service import Access
from gql_platform.changes.service import DeploymentChanges
from gql_platform.demo.ports import DemoRun
from gql_platform.demo.service import Demo
from gql_platform.deployments.service import Deployments
from gql_platform.events.service import Events
from gql_platform.health.service import Health
from gql_platform.idempotency.service import Idempotency
from gql_platform.journal.service import Journal
from gql_platform.model_changes.service import ModelChanges
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
from gql_platform.run_changes.service import RunChanges
from gql_platform.services import Services
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import Isolation
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing.database import InMemoryDatabase, InMemoryEventLog, InMemoryRequestKeys
from gql_platform.testing.predictors import InMemoryLoader, LinearClassifier, LinearRegressor
from gql_platform.testing.registry_writer import InMemoryRegistryWriter
from gql_platform.testing.run_writer import InMemoryRunWriter
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
    run ``run-iris``, which has its files at the path ``model``) and 2; ``house_price`` is a
    regressor with one version.
    """
    store = InMemoryStore()
    store.add_run(
        "run-iris",
        name="logistic regression",
        params={"C": "1.0", "max_iter": "5000"},
        metrics={"accuracy": 0.973, "log_loss": 0.13},
    )
    store.add_files("run-iris", "model", IRIS_PACKAGE)
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
    """
    metrics = Metrics() if has_metrics else None
    serving = Serving(
        loader or example_loader(),
        traffic=Traffic(),
        observers=[metrics] if metrics is not None else [],
        limits=ServingLimits(
            max_rows=max_rows, threads=threads, max_queue=max_queue, max_batch_rows=max_batch_rows
        ),
        isolation=isolation,
    )
    access = Access(secret_key=secret_key)
    return _joined(access, store or example_store(), serving, metrics=metrics, demo_run=demo_run)


def _joined(
    access: Access,
    store: InMemoryStore,
    serving: Serving,
    *,
    metrics: Metrics | None,
    demo_run: DemoRun | None,
) -> Services:
    """Join the services to each other, over a database of their own."""
    database = InMemoryDatabase()
    registry = Registry(store)
    tracking = Tracking(store, registry)
    deployments = Deployments(registry, serving)
    events = Events(database, InMemoryEventLog(database))
    idempotency = Idempotency(database, InMemoryRequestKeys(database))
    journal = Journal(events, idempotency)
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
        metrics=metrics,
        demo=Demo(registry, demo_run) if demo_run is not None else None,
    )
