"""Logging and loading models in the process that trains them.

MLflow's own functions for that ask the store of the whole process. Here the files are written
first and sent by a client of the right store, so that nothing else in the process notices.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow import pyfunc as pyfunc_flavour
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from gql_platform.adapters.mlflow import autologging
from gql_platform.adapters.mlflow.artifacts import Artifacts, location_of
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.loader import load_failure, loaded
from gql_platform.adapters.mlflow.locations import ClientLocations
from gql_platform.adapters.mlflow.model_files import flavour_of, save
from gql_platform.adapters.mlflow.outage import described, is_refusal, is_unreachable
from gql_platform.adapters.mlflow.registry_writer import MODEL_FILE
from gql_platform.errors import InvalidRunError, ModelNotLoggedError
from gql_platform.model_log.ports import ModelLog
from gql_platform.model_log.records import FLAVOURS, LoggedModel, TrainedModel
from gql_platform.registry.records import ModelPackage, VersionRef

READY = "READY"
FAILED = "FAILED"


class MLflowModelLog(ModelLog):
    """Log models and files by MLflow's client.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def log_model(self, run_id: str, trained: TrainedModel) -> LoggedModel:
        """Log a model to a run."""
        with tempfile.TemporaryDirectory(prefix="gql-platform-") as folder:
            # What cannot be written leaves nothing behind in the store.
            files, told = Path(folder, "model"), Model(run_id=run_id)
            written = LoggedModel(
                trained.name,
                run_id,
                model_id="",
                uri="",
                flavour=flavour_of(trained.model),
                serialization=save(trained, files, told),
            )
            return self._client.here(
                lambda client: _sent(client, files, told, written), asks_for_runs=True
            )

    def log_file(self, run_id: str, path: Path, folder: str | None) -> None:
        """Log a file, or a folder with all that is in it."""

        def log(client: MlflowClient) -> None:
            try:
                client.log_artifact(run_id, str(path), folder)
            except MlflowException as error:
                if is_refusal(error):
                    raise InvalidRunError(problem=described(error)) from error
                raise

        self._client.here(log, asks_for_runs=True)

    def load(self, ref: VersionRef, package: ModelPackage | None) -> Any:
        """Return the fitted model of a version, or what predicts with it."""
        folder = self._client.here(lambda client: self._folder(client, ref))
        is_native = package is not None and package.flavour in FLAVOURS
        flavour = getattr(mlflow, package.flavour) if package and is_native else pyfunc_flavour
        return loaded(flavour.load_model, folder, ref)

    @contextmanager
    def autologging(self, run_id: str, flavours: Sequence[str]) -> Iterator[None]:
        """Log params and metrics of each training in a block to a run."""
        run = self._client.here(lambda client: client.get_run(run_id), asks_for_runs=True)
        with autologging.logged_to(run, flavours, tracking_uri=self._client.tracking_uri):
            yield

    def installed(self, package: str) -> bool:
        """Return whether a package of Python is there."""
        return find_spec(package) is not None

    def _folder(self, client: MlflowClient, ref: VersionRef) -> Path:
        try:
            uri = self._client.tracking_uri
            location = location_of(ClientLocations(client), ref)
            return Artifacts(location, tracking_uri=uri).folder(self._temporary_folder)
        except Exception as error:
            if is_unreachable(error):
                raise
            raise load_failure(ref, "its files cannot be read", error) from error

    def _temporary_folder(self) -> Path:
        """Return a new folder that lasts as long as this object: some models read from it."""
        folder = Path(tempfile.mkdtemp(prefix="gql-platform-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder


def _sent(client: MlflowClient, files: Path, told: Model, trained: LoggedModel) -> LoggedModel:
    """Send the files of a model to a run, and return it with the id that it has there."""
    run_id = trained.run_id
    try:
        run = client.get_run(run_id)
        made = client.create_logged_model(
            run.info.experiment_id,
            name=trained.name,
            source_run_id=run_id,
            params=dict(run.data.params),
        )
    except MlflowException as error:
        if is_refusal(error):
            raise ModelNotLoggedError(name=trained.name, problem=described(error)) from error
        raise
    told.model_id = told.model_uuid = made.model_id
    told.artifact_path = made.artifact_location
    told.save(str(files / MODEL_FILE))
    state = FAILED
    try:
        client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
        client.log_model_artifacts(made.model_id, str(files))
        state = READY
    finally:
        client.finalize_logged_model(made.model_id, state)
    return replace(trained, model_id=str(made.model_id), uri=str(made.model_uri))
