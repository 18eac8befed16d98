"""The stores that keep the contracts, each filled with the same facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import VersionRef
from gql_platform.testing import InMemoryStore
from gql_platform.tracking.ports import RunStore
from tests.contract.databases import kept as kept
from tests.contract.databases import postgresql as postgresql
from tests.contract.facts import MODELS, PACKAGE, RUNS
from tests.contract.mlflow_registry import client_of, fill, new_database


@dataclass(frozen=True)
class Filled:
    """A store that holds the facts.

    Attributes:
        registry: It, as what reads models.
        tracking: It, as what reads runs.
        run_ids: The id that it gave each run, by the run's name.
    """

    registry: RegistryStore
    tracking: RunStore
    run_ids: Mapping[str, str]


STORES = ["in_memory", pytest.param("mlflow_sqlite", marks=pytest.mark.slow)]


@pytest.fixture(scope="session", params=STORES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Each store in turn; no test of a contract changes what it holds."""
    if request.param == "in_memory":
        return in_memory()
    return mlflow_sqlite(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module", params=STORES)
def writable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Each store in turn, for tests that write; each of them to another model or tag."""
    if request.param == "in_memory":
        return in_memory()
    return mlflow_sqlite(tmp_path_factory.mktemp("writable"))


def mlflow_sqlite(folder: Path) -> Filled:
    """Return MLflow's embedded store."""
    uri = new_database(folder)
    run_ids = fill(uri, folder)
    store = MLflowStore(client_of(uri))
    return Filled(store, store, run_ids)


def in_memory() -> Filled:
    """Return the store that tests of services use."""
    store = InMemoryStore()
    run_ids = {run.name: f"id-of-{number}" for number, run in enumerate(RUNS)}
    for run in RUNS:
        store.add_run(
            run_ids[run.name],
            name=run.name,
            state=run.state,
            params=run.params,
            metrics=run.metrics,
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
