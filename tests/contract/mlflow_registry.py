"""A real MLflow registry on SQLite, filled with tiny models."""

import atexit
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from mlflow import MlflowClient, sklearn
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.models import infer_signature
from sklearn.dummy import DummyClassifier

from gql_platform.adapters.mlflow import embedded
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.sql import sqlite_file
from gql_platform.tracking.records import LoggedDataset
from tests.contract.facts import EXPERIMENTS, MODELS, PACKAGE, RUNS, SEARCHED, ModelFacts, RunFacts
from tests.mlflow_server import mlflow_server

with warnings.catch_warnings():
    # MLflow imports it on first use, and complains of its own type hints then.
    warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType")
    import mlflow.pyfunc.model  # noqa: F401

FIRST_START_MS = 1_767_225_600_000
"""When the first run started; each further one did a minute later."""

REQUIREMENTS = ["scikit-learn"]
"""Named, so that MLflow does not take seconds to find out what a tiny model needs."""


@dataclass(frozen=True)
class Placed:
    """Where the files of a model are, and the logged model that they belong to, if any."""

    uri: str
    model_id: str | None = None


@cache
def _template() -> Path:
    """Return a database with MLflow's tables; making them takes more than a second."""
    folder = Path(mkdtemp(prefix="gql-platform-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "mlflow.db"
    uri = f"sqlite:///{file}"
    sqlite_file.prepare(uri, data_dir=folder)
    embedded.create_tables(uri, artifact_root=(folder / "artifacts").as_uri())
    return file


def new_database(folder: Path) -> str:
    """Make an empty registry in a folder, and return its URI."""
    source = _template()
    for file in source.parent.glob("mlflow.db*"):
        shutil.copy(file, folder / file.name)
    return f"sqlite:///{folder / source.name}"


@contextmanager
def new_server(folder: Path) -> Iterator[str]:
    """Serve an empty registry in a folder with MLflow's own server, and give its URI."""
    with mlflow_server(new_database(folder), folder / "sent") as uri:
        yield uri


def client_of(uri: str) -> Client:
    """Return our client of a registry that keeps runs and models in one place."""
    return Client(tracking_uri=uri, registry_uri=uri)


def fill(uri: str, folder: Path) -> dict[str, str]:
    """Put all facts into a registry, and return the id of each run by its name."""
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    for name in EXPERIMENTS:
        if name != "Default":
            client.create_experiment(name, tags={"made by": "test"})
    run_ids = {
        run.name: _track(client, run, minute=minute)
        for minute, run in enumerate((*RUNS, *SEARCHED))
    }
    for name, is_deleted in EXPERIMENTS.items():
        if is_deleted:
            client.delete_experiment(_experiment(client, name))
    files = saved_model(folder / "model")
    placed = Placed(files.as_uri())
    if uri.startswith("http"):
        # A server takes no files for a version's that it has not been sent for a run or a model.
        placed = logged_model(client, _experiment(client, "search"), None, "tiny", files)
    for model in MODELS:
        _register(client, model, files=placed, run_ids=run_ids)
    return run_ids


def _experiment(client: MlflowClient, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    return str(experiment.experiment_id)


def _track(client: MlflowClient, facts: RunFacts, *, minute: int) -> str:
    run = client.create_run(
        _experiment(client, facts.experiment),
        start_time=FIRST_START_MS + 60_000 * minute,
        run_name=facts.name,
        tags=dict(facts.tags),
    )
    run_id = str(run.info.run_id)
    client.log_batch(
        run_id,
        # The value counts that was logged for the last step.
        metrics=[Metric(key, 0.0, 0, 0) for key in facts.metrics]
        + [Metric(key, value, 1, 7) for key, value in facts.metrics.items()],
        params=[Param(key, value) for key, value in facts.params.items()],
    )
    for key, points in facts.histories.items():
        client.log_batch(
            run_id,
            metrics=[
                Metric(key, value, timestamp, step)
                for timestamp, (step, value) in enumerate(points, start=1)
            ],
        )
    if facts.state.value != "RUNNING":
        client.set_terminated(run_id, status=facts.state.value)
    if facts.datasets:
        client.log_inputs(run_id, [_input(each) for each in facts.datasets])
    if facts.is_deleted:
        client.delete_run(run_id)
    return run_id


def _input(facts: LoggedDataset) -> DatasetInput:
    dataset = Dataset(facts.name, facts.digest, facts.source_type, facts.source)
    context = [InputTag("mlflow.data.context", facts.context)] if facts.context else []
    return DatasetInput(dataset, context)


def saved_model(folder: Path) -> Path:
    """Save the files of a tiny model in a folder, and return that."""
    example = pd.DataFrame(list(PACKAGE.input_example))
    labels = pd.DataFrame({"kind": ["Boskoop", "Gala"]})
    sklearn.save_model(
        DummyClassifier().fit(example, labels["kind"]),
        str(folder),
        signature=infer_signature(example, labels),
        input_example=example,
        pip_requirements=REQUIREMENTS,
    )
    return folder


def logged_model(
    client: MlflowClient, experiment_id: str, run_id: str | None, name: str, files: Path
) -> Placed:
    """Log the files of a model under a name, as MLflow 3 does."""
    made = client.create_logged_model(experiment_id, name=name, source_run_id=run_id)
    client.log_model_artifacts(made.model_id, str(files))
    client.finalize_logged_model(made.model_id, "READY")
    return Placed(made.artifact_location, made.model_id)


def _register(
    client: MlflowClient, model: ModelFacts, *, files: Placed, run_ids: Mapping[str, str]
) -> None:
    client.create_registered_model(model.name, description=model.description, tags=dict(model.tags))
    for facts in model.versions:
        version = client.create_model_version(
            model.name,
            files.uri if facts.has_files else f"{files.uri}/gone",
            run_id=run_ids[facts.run] if facts.run else None,
            model_id=files.model_id,
            description=facts.description,
            tags=dict(facts.tags),
        )
        for alias in facts.aliases:
            client.set_registered_model_alias(model.name, alias, str(version.version))
