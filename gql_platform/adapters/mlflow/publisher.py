"""Publishing trained models through MLflow's own interface.

It sets MLflow's global store, so that it belongs into a process of its own.
"""

from importlib.metadata import version as installed_version
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow import sklearn as sklearn_flavour
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.models.model import ModelInfo

from gql_platform.adapters.mlflow.address import is_database
from gql_platform.adapters.mlflow.embedded import create_tables
from gql_platform.adapters.mlflow.outage import outages
from gql_platform.adapters.mlflow.package import EXAMPLE_ROWS, REQUIREMENTS
from gql_platform.demo.records import TrainedModel
from gql_platform.registry.records import CHAMPION

EXPERIMENT = "demo"


class MLflowPublisher:
    """Log, register and alias trained models; a `ModelPublisher`.

    Args:
        tracking_uri: Where MLflow keeps runs.
        registry_uri: Where MLflow keeps registered models.
        artifact_dir: Where the files of the models go when the store is a database; a server of
            MLflow knows its own place.
    """

    def __init__(self, *, tracking_uri: str, registry_uri: str, artifact_dir: Path) -> None:
        self._tracking_uri = tracking_uri
        self._registry_uri = registry_uri
        self._artifact_dir = artifact_dir

    def publish(self, model: TrainedModel) -> int:
        """Log a run with the model, register it and point the alias ``champion`` to it.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        with outages(self._tracking_uri):
            create_tables(self._tracking_uri, artifact_root=self._artifact_dir.resolve().as_uri())
            mlflow.set_tracking_uri(self._tracking_uri)
            mlflow.set_registry_uri(self._registry_uri)
            client = MlflowClient()
            with mlflow.start_run(
                experiment_id=self._experiment(client), run_name=model.name
            ) as run:
                logged = _log(model)
            return _register(client, model, logged=logged, run_id=run.info.run_id)

    def _experiment(self, client: MlflowClient) -> str:
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        # MLflow itself would put them into the folder that the process was started in.
        is_ours = is_database(self._tracking_uri)
        place = (self._artifact_dir.resolve() / EXPERIMENT).as_uri() if is_ours else None
        return str(client.create_experiment(EXPERIMENT, artifact_location=place))


def _log(model: TrainedModel) -> ModelInfo:
    """Log what is known of a model, and its files, to the active run."""
    mlflow.log_params(dict(model.params))
    mlflow.log_metrics(dict(model.metrics))
    return sklearn_flavour.log_model(
        model.estimator,
        name="model",
        signature=infer_signature(model.inputs, model.outputs),
        input_example=model.inputs.head(EXAMPLE_ROWS),
        skops_trusted_types=list(model.trusted_types),
        pip_requirements=[f"{name}=={installed_version(name)}" for name in REQUIREMENTS],
    )


def _register(client: MlflowClient, model: TrainedModel, *, logged: ModelInfo, run_id: str) -> int:
    try:
        client.create_registered_model(model.name, description=model.description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        model.name,
        logged.model_uri,
        run_id=run_id,
        # A server of MLflow wants to know whose files these are; a database would not ask.
        model_id=logged.model_id,
        description=_summary(model),
    )
    client.set_registered_model_alias(model.name, CHAMPION, str(version.version))
    return int(version.version)


def _summary(model: TrainedModel) -> str:
    steps = [step for _, step in getattr(model.estimator, "steps", [("", model.estimator)])]
    kind = " + ".join(type(step).__name__ for step in steps)
    figures = ", ".join(f"{name} {value:.3f}" for name, value in model.metrics.items())
    return f"{kind}; on rows that it was not trained on: {figures}."
