"""The stores that keep the contracts, each filled with the same facts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn, cast

import pytest

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.registry import DatabaseRegistry
from gql_platform.adapters.mlflow.database.store import DatabaseRuns
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import VersionRef
from gql_platform.testing import InMemoryStore
from gql_platform.tracking.ports import RunStore
from tests.contract.databases import kept as kept
from tests.contract.databases import postgresql as postgresql
from tests.contract.facts import EXPERIMENTS, MODELS, PACKAGE, RUNS, SEARCHED
from tests.contract.mlflow_registry import client_of, fill, new_database, new_server


@dataclass(frozen=True)
class Filled:
    """A store that holds the facts.

    Attributes:
        registry: It, as what reads models.
        tracking: It, as what reads runs.
        run_ids: The id that it gave each run, by the run's name.
        is_counted: Whether it tells how many runs and experiments there are.
    """

    registry: RegistryStore
    tracking: RunStore
    run_ids: Mapping[str, str]
    is_counted: bool = True


@contextmanager
def new_store(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """Make an empty store of MLflow of the kind that a fixture's parameter names.

    Yields:
        Its URI; it lasts as long as the block.
    """
    kind = str(request.param)
    if kind.endswith("postgresql"):
        address = request.getfixturevalue("postgresql").new_database()
        yield address.replace("postgresql://", "postgresql+psycopg://")
    elif kind.endswith("server"):
        with new_server(folder) as uri:
            yield uri
    else:
        yield new_database(folder)


STORES = [
    "in_memory",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "mlflow_client",
            "mlflow_server",
            "mlflow_tables",
            "mlflow_tables_postgresql",
        )
    ),
]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """MLflow's client of a server of MLflow."""
    folder = tmp_path_factory.mktemp("served")
    with new_server(folder) as uri:
        yield mlflow_client(uri, folder)


@pytest.fixture(scope="session", params=STORES)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """Each store in turn; no test of a contract changes what it holds."""
    if request.param == "in_memory":
        yield in_memory()
        return
    if request.param == "mlflow_server":
        yield cast("Filled", request.getfixturevalue("served"))
        return
    folder = tmp_path_factory.mktemp("filled")
    with new_store(request, folder) as uri:
        filled = mlflow_client(uri, folder)
        if request.param == "mlflow_client":
            yield filled
            return
        # Whatever MLflow's client is asked here would hide that the tables are not read.
        database = MLflowDatabase(uri)
        registry = DatabaseRegistry(database, NoClient(tracking_uri=uri, registry_uri=uri))
        runs = DatabaseRuns(database, NoRuns(), has_registry=True)
        yield replace(filled, registry=registry, tracking=runs, is_counted=True)
        database.close()


@pytest.fixture(scope="module", params=STORES)
def writable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """Each store in turn, for tests that write; each of them to another model or tag."""
    if request.param == "in_memory":
        yield in_memory()
        return
    folder = tmp_path_factory.mktemp("writable")
    with new_store(request, folder) as uri:
        filled = mlflow_client(uri, folder)
        if "tables" not in request.param:
            yield filled
            return
        database = MLflowDatabase(uri)
        yield replace(filled, registry=DatabaseRegistry(database, client_of(uri)))
        database.close()


def mlflow_client(uri: str, folder: Path) -> Filled:
    """Return what MLflow's client makes of a store, which is filled."""
    run_ids = fill(uri, folder)
    client = client_of(uri)
    return Filled(MLflowStore(client), MLflowRuns(client), run_ids, is_counted=False)


class NoClient(Client):
    """A client that must not be asked."""

    def here(self, *_: object, **__: object) -> NoReturn:
        raise AssertionError


class NoRuns(MLflowRuns):
    """A client that must not be asked."""

    def __init__(self) -> None:
        """Have no client at all."""


def in_memory() -> Filled:
    """Return the store that tests of services use."""
    store = InMemoryStore()
    facts = (*RUNS, *SEARCHED)
    run_ids = {run.name: f"id-of-{number:02}" for number, run in enumerate(facts)}
    made = {
        name: store.add_experiment(name, tags={"made by": "test"}, is_deleted=is_deleted)
        for name, is_deleted in EXPERIMENTS.items()
        if name != "Default"
    }
    for run in facts:
        store.add_run(
            run_ids[run.name],
            name=run.name,
            state=run.state,
            params=run.params,
            metrics=run.metrics,
            tags=run.tags,
            datasets=sorted(run.datasets, key=lambda each: each.name),
            experiment_id=made[run.experiment].experiment_id if run.experiment in made else "0",
            is_deleted=run.is_deleted,
        )
        for key, points in run.histories.items():
            store.log_metric(run_ids[run.name], key, points)
    for model in MODELS:
        store.add_model(model.name, description=model.description, tags=model.tags)
        for number, version in enumerate(model.versions, start=1):
            store.add_version(
                model.name,
                package=PACKAGE if version.has_files else None,
                description=version.description,
                tags=version.tags,
                run_id=run_ids[version.run] if version.run else None,
            )
            for alias in version.aliases:
                store.set_alias(VersionRef(model.name, number), alias)
    return Filled(store, store, run_ids)
