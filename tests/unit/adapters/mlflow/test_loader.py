"""Models that MLflow saved are loaded and predict, or are refused with a reason that helps."""

from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow import pyfunc as pyfunc_flavour
from mlflow import sklearn as sklearn_flavour
from mlflow.models import infer_signature
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.loader import MLflowModelLoader
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.errors import (
    ModelLoadError,
    RegistryUnavailableError,
    UnsupportedModelError,
)
from gql_platform.registry.records import ModelPackage, VersionRef
from gql_platform.serving.ports import ClassOutput, Predictor, ValueOutput
from gql_platform.serving.records import Task
from tests.artifact_server import PREFIX
from tests.contract.mlflow_registry import REQUIREMENTS
from tests.unit.adapters.mlflow.versions import package_for, version_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*Add type hints to the `predict` method"),
]

X, CODES = load_iris(return_X_y=True, as_frame=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[CODES]
TREE = "sklearn.tree._tree.Tree"


class Doubler(pyfunc_flavour.PythonModel):  # type: ignore[misc] # it has no types
    """A model that MLflow knows nothing of."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Double the first column."""
        del context, params
        return model_input.iloc[:, 0].to_numpy() * 2


class Namer(pyfunc_flavour.PythonModel):  # type: ignore[misc] # it has no types
    """A model that answers with text."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Call everything by the same name."""
        del context, params
        return ["setosa"] * len(model_input)


class Registered:
    """Register the saved files of models, and load them as the server does."""

    def __init__(self, opened: MlflowClient, client: Client, folder: Path) -> None:
        self.opened = opened
        self.folder = folder
        self.store = MLflowStore(client)
        self.loader = MLflowModelLoader(self.store)
        opened.create_registered_model("model")

    def save(self, estimator: Any, frame: pd.DataFrame = X, **options: Any) -> Path:
        """Save a scikit-learn model with a signature and an example."""
        sklearn_flavour.save_model(
            estimator,
            str(self.folder / "files"),
            signature=infer_signature(frame),
            input_example=frame.head(2),
            pip_requirements=REQUIREMENTS,
            **options,
        )
        return self.folder / "files"

    async def load(self, source: str | Path, package: ModelPackage | None = None) -> Predictor:
        """Register files as a new version, and load it."""
        number = int(self.opened.create_model_version("model", str(source)).version)
        ref = VersionRef("model", number)
        package = package or (await self.store.packages([ref]))[ref]
        return await self.loader.load(version_of("model", number), package)


@pytest.fixture
def registered(opened: MlflowClient, client: Client, tmp_path: Path) -> Registered:
    """A registry with one model without versions."""
    return Registered(opened, client, tmp_path)


class TestSklearn:
    @pytest.mark.parametrize(
        "estimator",
        [
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
            LinearSVC(),
            DecisionTreeClassifier(max_depth=2),
        ],
        ids=["pipeline", "no probabilities", "trusted type"],
    )
    @pytest.mark.parametrize("target", [CODES.to_numpy(), NAMES], ids=["numbers", "names"])
    async def test_classifier(self, registered: Registered, estimator: Any, target: Any) -> None:
        """A classifier that was saved and loaded decides as it did before."""
        estimator.fit(X, target)
        predictor = await registered.load(registered.save(estimator, skops_trusted_types=[TREE]))
        output = predictor.predict(X)
        assert predictor.task is Task.CLASSIFICATION
        assert isinstance(output, ClassOutput)
        assert (output.probabilities is not None) == hasattr(estimator, "predict_proba")
        expected = [str(label) for label in estimator.predict(X)]
        assert [predictor.labels[index] for index in output.chosen] == expected

    async def test_regressor(self, registered: Registered) -> None:
        """A regressor that was saved and loaded computes what it computed before."""
        frame, target = load_diabetes(return_X_y=True, as_frame=True)
        estimator = LinearRegression().fit(frame, target)
        output = (await registered.load(registered.save(estimator, frame))).predict(frame)
        assert isinstance(output, ValueOutput)
        np.testing.assert_array_equal(output.values, estimator.predict(frame))

    async def test_clustering_is_not_served(self, registered: Registered) -> None:
        """A model without labels and target loads, but is refused."""
        with pytest.raises(UnsupportedModelError, match="KMeans neither classifies"):
            await registered.load(registered.save(KMeans(2, random_state=0).fit(X)))

    async def test_other_columns_than_signed_are_not_served(self, registered: Registered) -> None:
        """A signature that is not the model's own is found out before the first request."""
        signed = X.rename(columns={"petal width (cm)": "petal_width"})
        with pytest.raises(UnsupportedModelError, match=r"'petal width \(cm\)'.*'petal_width'"):
            await registered.load(registered.save(GaussianNB().fit(X, NAMES)), package_for(signed))

    async def test_pickled_model(self, registered: Registered) -> None:
        """Models that were saved in the older format are served as well."""
        files = registered.save(GaussianNB().fit(X, NAMES), serialization_format="cloudpickle")
        predictor = await registered.load(files)
        assert predictor.labels == ("setosa", "versicolor", "virginica")


class TestPyfunc:
    def save(self, registered: Registered, model: Any) -> Path:
        """Save a model of no flavour."""
        path = registered.folder / "files"
        pyfunc_flavour.save_model(
            str(path),
            python_model=model,
            signature=infer_signature(X),
            input_example=X.head(2),
            pip_requirements=REQUIREMENTS,
        )
        return path

    async def test_numbers(self, registered: Registered) -> None:
        """A model of one's own making is served when it answers with numbers."""
        predictor = await registered.load(self.save(registered, Doubler()))
        output = predictor.predict(X)
        assert (predictor.task, predictor.labels) == (Task.REGRESSION, ())
        assert isinstance(output, ValueOutput)
        np.testing.assert_array_equal(output.values, X["sepal length (cm)"].to_numpy() * 2)

    async def test_text_is_not_served(self, registered: Registered) -> None:
        """A model that answers with text is refused."""
        with pytest.raises(UnsupportedModelError, match="must answer with numbers"):
            await registered.load(self.save(registered, Namer()))


class TestBroken:
    async def test_corrupt_file(self, registered: Registered) -> None:
        """A file that is cut off does not load, and the reason says which error that was."""
        files = registered.save(GaussianNB().fit(X, NAMES))
        (files / "model.skops").write_bytes(b"PK\x03\x04 and nothing more")
        with pytest.raises(ModelLoadError) as caught:
            await registered.load(files)
        assert caught.value.reason.startswith("its files do not load: BadZipFile")
        assert (caught.value.name, caught.value.version) == ("model", 1)
        assert caught.value.__cause__ is not None

    async def test_types_that_were_not_trusted(self, registered: Registered) -> None:
        """A type that the author did not vouch for is named, and what to do about it."""
        estimator = DecisionTreeClassifier(max_depth=1).fit(X, NAMES)
        files = registered.save(estimator, skops_trusted_types=[TREE])
        text = (files / "MLmodel").read_text()
        (files / "MLmodel").write_text(text.replace(f"- {TREE}", "- builtins.int"))
        with pytest.raises(ModelLoadError, match="skops_trusted_types") as caught:
            await registered.load(files)
        assert TREE in caught.value.reason

    async def test_missing_package(self, registered: Registered) -> None:
        """A model of a library that is not installed names the library."""
        files = registered.save(GaussianNB().fit(X, NAMES), serialization_format="pickle")
        # A pickle that imports a module and takes a name from it.
        (files / "model.pkl").write_bytes(b"cno_such_library\nModel\n.")
        with pytest.raises(ModelLoadError, match="it needs the package 'no_such_library'"):
            await registered.load(files)

    @pytest.mark.parametrize("name", ["", "model.skops", "MLmodel"])
    async def test_missing_files(self, registered: Registered, name: str) -> None:
        """Files that are gone are an error of this version, not of the registry."""
        files = registered.save(GaussianNB().fit(X, NAMES))
        package = package_for(X)
        if name:
            (files / name).unlink()
        with pytest.raises(ModelLoadError, match="its files"):
            await registered.load(files if name else f"{files}-gone", package)

    async def test_unknown_version(self, registered: Registered) -> None:
        """A version that was deleted meanwhile cannot be loaded."""
        with pytest.raises(ModelLoadError, match="its files cannot be read"):
            await registered.loader.load(version_of("model", 99), package_for(X))


class TestRemote:
    async def test_files_are_fetched(
        self, registered: Registered, artifact_server: tuple[ThreadingHTTPServer, Path]
    ) -> None:
        """A model on another machine is loaded."""
        server, remote = artifact_server
        registered.folder = remote
        registered.save(GaussianNB().fit(X, NAMES))
        address = f"http://127.0.0.1:{server.server_port}{PREFIX}/files"
        predictor = await registered.load(address)
        assert predictor.labels == ("setosa", "versicolor", "virginica")

    def test_fetched_files_go_with_the_loader(self, client: Client) -> None:
        """Files of other machines lie in a folder that lasts as long as who needs it."""
        loader = MLflowModelLoader(MLflowStore(client))
        folder = loader._temporary_folder()
        (folder / "model.skops").touch()
        del loader
        assert not folder.exists()

    async def test_unreachable_files_are_an_outage(self, registered: Registered) -> None:
        """Where the files cannot be reached now, the server tries again later."""
        with pytest.raises(RegistryUnavailableError, match="Connection refused"):
            await registered.load(f"http://127.0.0.1:1{PREFIX}/files", package_for(X))
        with pytest.raises(RegistryUnavailableError, match="Connection refused"):
            await registered.store.packages([VersionRef("model", 1)])
