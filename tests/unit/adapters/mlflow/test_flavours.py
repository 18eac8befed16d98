"""Forecasters and graphs that MLflow really logged are loaded natively."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from mlflow import onnx as onnx_flavour
from mlflow import statsmodels as statsmodels_flavour
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.arima.model import ARIMA

from gql_platform.adapters.forecasters.steps import STEP_SIGNATURE, StepForecaster
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.pyfunc_predictor import PyfuncPredictor
from gql_platform.adapters.onnx.predictor import GraphPredictor
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import VersionRef
from gql_platform.serving.ports import ClassOutput, ForecastOutput
from tests.contract.mlflow_registry import REQUIREMENTS
from tests.unit.adapters.mlflow.test_loader import CODES, Registered, X

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WALK = np.random.default_rng(3).normal(size=80).cumsum()


@pytest.fixture
def registered(opened: MlflowClient, client: Client, tmp_path: Path) -> Registered:
    """A registry with one model without versions."""
    return Registered(opened, client, tmp_path)


def save_statsmodels(results: Any, folder: Path, **options: Any) -> Path:
    """Save fitted results as MLflow does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        statsmodels_flavour.save_model(
            results, str(folder), pip_requirements=REQUIREMENTS, **options
        )
    return folder


def save_graph(folder: Path) -> Path:
    """Save a converted classifier as MLflow does."""
    rows = X.to_numpy(dtype=np.float32)
    graph = to_onnx(LogisticRegression(max_iter=900).fit(rows, CODES), rows[:1])
    onnx_flavour.save_model(
        graph,
        str(folder),
        signature=infer_signature(X),
        input_example=X.head(2),
        pip_requirements=REQUIREMENTS,
        save_as_external_data=False,
    )
    return folder


class TestStatsmodels:
    async def test_forecaster(self, registered: Registered, tmp_path: Path) -> None:
        """A model that was logged without a signature forecasts by its step."""
        results = ARIMA(WALK, order=(0, 1, 1)).fit()
        predictor = await registered.load(save_statsmodels(results, tmp_path / "m"))
        package = (await registered.store.packages([VersionRef("model", 1)]))[
            VersionRef("model", 1)
        ]
        output = predictor.predict(pd.DataFrame({"step": [2]}))
        assert package.signature == STEP_SIGNATURE
        assert isinstance(predictor, StepForecaster)
        assert isinstance(output, ForecastOutput)
        np.testing.assert_allclose(output.values, results.forecast(2)[-1:])

    async def test_pickles_that_are_not_wanted(
        self, registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where MLflow may not read pickles, a pickled model does not load."""
        folder = save_statsmodels(ARIMA(WALK, order=(0, 1, 1)).fit(), tmp_path / "m")
        monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        with pytest.raises(ModelLoadError, match="MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
            await registered.load(folder)

    async def test_regression(self, registered: Registered, tmp_path: Path) -> None:
        """A regression goes through the common interface, and needs a signature."""
        results = OLS(WALK, pd.DataFrame({"a": np.arange(80.0)})).fit()
        frame = pd.DataFrame({"a": [1.0]})
        signed = save_statsmodels(
            results, tmp_path / "signed", signature=infer_signature(frame), input_example=frame
        )
        assert isinstance(await registered.load(signed), PyfuncPredictor)
        with pytest.raises(UnsupportedModelError, match="no input signature"):
            await registered.load(save_statsmodels(results, tmp_path / "unsigned"))


class TestGraphs:
    async def test_classifier(self, registered: Registered, tmp_path: Path) -> None:
        """A graph has the labels and probabilities that MLflow's common interface hides."""
        predictor = await registered.load(save_graph(tmp_path / "m"))
        output = predictor.predict(X.head(3))
        assert isinstance(predictor, GraphPredictor)
        assert predictor.labels == ("0", "1", "2")
        assert isinstance(output, ClassOutput)
        assert output.chosen.tolist() == [0, 0, 0]

    async def test_graph_outside_of_its_folder(
        self, registered: Registered, tmp_path: Path
    ) -> None:
        """A model whose files name a graph elsewhere does not load."""
        folder = save_graph(tmp_path / "m")
        document = yaml.safe_load((folder / "MLmodel").read_text())
        (folder / "model.onnx").rename(tmp_path / "elsewhere.onnx")
        document["flavors"]["onnx"]["data"] = "../elsewhere.onnx"
        (folder / "MLmodel").write_text(yaml.safe_dump(document))
        with pytest.raises(ModelLoadError, match="lies outside of its folder"):
            await registered.load(folder)
