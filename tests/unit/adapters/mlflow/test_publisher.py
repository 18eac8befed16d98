"""The demo models, published by a process of its own, are served as they were trained."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gql_platform.adapters.mlflow.loader import MLflowModelLoader
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.demo.records import TrainedModel
from gql_platform.demo.training import TRAINING
from gql_platform.registry.records import CHAMPION, ColumnType, ModelVersion
from gql_platform.serving.ports import ClassOutput, Predictor
from gql_platform.tracking.records import RunState
from tests.contract.mlflow_registry import client_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

# Publishing sets MLflow's global store, which other tests must not find changed.
PUBLISH = """
import sys
from pathlib import Path
from gql_platform.adapters.sql import sqlite_file
from gql_platform.adapters.mlflow.publisher import MLflowPublisher
from gql_platform.demo.training import publish_models

folder = Path(sys.argv[1])
uri = f"sqlite:///{folder / 'mlflow.db'}"
sqlite_file.prepare(uri, data_dir=folder)
publisher = MLflowPublisher(
    tracking_uri=uri, registry_uri=uri, artifact_dir=folder / "artifacts"
)
print(publish_models(publisher))
if "again" in sys.argv:
    print(publish_models(publisher))
"""

NAMES = ("breast_cancer", "diabetes", "wine")


def publish(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Publish the demo models to a new registry in a folder."""
    return subprocess.run(
        [sys.executable, "-c", PUBLISH, str(folder), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a registry to which the models were published twice."""
    folder = tmp_path_factory.mktemp("data")
    finished = publish(folder, "again")
    first = [(name, 1) for name in NAMES]
    second = [(name, 2) for name in NAMES]
    assert (finished.stderr, finished.stdout) == ("", f"{first}\n{second}\n")
    return folder


@pytest.fixture(scope="module")
def trained() -> Mapping[str, TrainedModel]:
    """The models as they are trained here."""
    return {model.name: model for model in (train() for train in TRAINING.values())}


@pytest.fixture
def store(published: Path) -> MLflowStore:
    """The store over the registry."""
    return MLflowStore(client_of(f"sqlite:///{published / 'mlflow.db'}"))


async def champion(store: MLflowStore, name: str) -> ModelVersion:
    """Return the version that serves."""
    versions = (await store.versions([name]))[name]
    return next(version for version in versions if CHAMPION in version.aliases)


async def loaded(store: MLflowStore, name: str) -> Predictor:
    """Return the predictor of the version that serves."""
    version = await champion(store, name)
    package = (await store.packages([version.ref]))[version.ref]
    return await MLflowModelLoader(store).load(version, package)


@pytest.mark.parametrize("name", NAMES)
class TestPublished:
    async def test_newest_version_is_the_champion(self, store: MLflowStore, name: str) -> None:
        """Publishing again makes a new version, which takes the alias over."""
        versions = (await store.versions([name]))[name]
        assert [(version.version, version.aliases) for version in versions] == [
            (2, (CHAMPION,)),
            (1, ()),
        ]

    async def test_descriptions(
        self, store: MLflowStore, trained: Mapping[str, TrainedModel], name: str
    ) -> None:
        """The model says what it is for, and the version how it was made."""
        model = (await store.models_named([name]))[name]
        assert model.description == trained[name].description
        description = (await champion(store, name)).description
        assert description is not None
        assert "on rows that it was not trained on" in description

    async def test_run_tells_how_it_was_trained(
        self, store: MLflowStore, trained: Mapping[str, TrainedModel], name: str
    ) -> None:
        """Params and metrics are those of the training."""
        run_id = (await champion(store, name)).run_id
        assert run_id is not None
        run = (await MLflowRuns(store.client).runs([run_id]))[run_id]
        model = trained[name]
        assert (run.name, run.state) == (name, RunState.FINISHED)
        assert {param.key: param.value for param in run.params} == {
            key: str(value) for key, value in model.params.items()
        }
        assert {metric.key: metric.value for metric in run.metrics} == dict(model.metrics)

    async def test_package_fits_the_data(
        self, store: MLflowStore, trained: Mapping[str, TrainedModel], name: str
    ) -> None:
        """The signature has the data's columns, and the example two of its rows."""
        version = await champion(store, name)
        package = (await store.packages([version.ref]))[version.ref]
        inputs = trained[name].inputs
        assert package.flavour == "sklearn"
        assert package.signature is not None
        assert [column.name for column in package.signature.inputs] == list(inputs.columns)
        assert {column.type for column in package.signature.inputs} == {ColumnType.DOUBLE}
        assert [column.name for column in package.signature.outputs] == list(
            trained[name].outputs.columns
        )
        assert list(package.input_example) == inputs.head(20).to_dict("records")
        assert package.size_bytes is not None
        assert package.size_bytes > 1000

    async def test_predictions_are_the_estimators_own(
        self, store: MLflowStore, trained: Mapping[str, TrainedModel], name: str
    ) -> None:
        """What is served computes what was trained, to the last bit."""
        predictor = await loaded(store, name)
        model = trained[name]
        output = predictor.predict(model.inputs)
        if isinstance(output, ClassOutput):
            chosen = [predictor.labels[index] for index in output.chosen]
            assert chosen == model.estimator.predict(model.inputs).tolist()
            np.testing.assert_array_equal(
                output.probabilities, model.estimator.predict_proba(model.inputs)
            )
        else:
            np.testing.assert_array_equal(output.values, model.estimator.predict(model.inputs))


class TestFiles:
    def test_all_lie_in_the_data_folder(self, published: Path) -> None:
        """Nothing is left in the working directory, nor anywhere but in the folder."""
        assert sorted(
            path.name for path in published.iterdir() if not path.name.startswith("mlflow.db")
        ) == ["artifacts"]
        assert len(list((published / "artifacts" / "demo").rglob("MLmodel"))) == 6


class TestOutage:
    def test_registry_that_is_down_is_told_in_one_line(self, tmp_path: Path) -> None:
        """Without a registry nothing is trained for minutes, and the error is ours."""
        script = PUBLISH.replace("sqlite:///{folder / 'mlflow.db'}", "http://u:s3cret@127.0.0.1:1")
        finished = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert finished.returncode == 1
        last = finished.stderr.splitlines()[-1]
        assert last.startswith("gql_platform.errors.availability.RegistryUnavailableError: ")
        assert "Connection refused" in last
        assert "s3cret" not in last
