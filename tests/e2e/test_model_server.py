"""Models in files, served from a program or a notebook."""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from statsmodels.tsa.ar_model import AutoReg

from gql_platform import ModelServer
from gql_platform.errors import ModelFileError, SettingsError

SALES = AutoReg([10.0, 12.0, 11.0, 13.0, 12.0, 14.0, 13.0, 15.0], lags=2).fit()

FRAUD = """{
  predict { fraud(rows: [{amount: 900.0, age: 1.0}]) { engine predictions { label } } }
  server { models { model version state reason } } }"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models in files."""
    made = tmp_path_factory.mktemp("models")
    rows = pd.DataFrame({"amount": [10.0, 20.0, 800.0, 900.0], "age": [5.0, 4.0, 1.0, 2.0]})
    fraud = LogisticRegression().fit(rows, ["no", "no", "yes", "yes"])
    (made / "fraud.pkl").write_bytes(pickle.dumps(fraud))
    joblib.dump(LinearRegression().fit(np.array([[1.0], [2.0]]), [2.0, 4.0]), made / "twice.joblib")
    colours = pd.DataFrame({"colour": ["red", "blue", "red", "blue"]})
    price = make_pipeline(OneHotEncoder(), LinearRegression()).fit(colours, [1.0, 3.0, 1.0, 3.0])
    skops.io.dump(price, made / "price.skops")
    (made / "broken.pkl").write_bytes(b"no pickle")
    flowers = LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True))
    graph = to_onnx(flowers, np.zeros((1, 4), np.float32), options={"zipmap": False})
    (made / "iris.onnx").write_bytes(graph.SerializeToString())
    (made / "sales.pkl").write_bytes(pickle.dumps(SALES))
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ModelServer]:
    """A server of these files, in a thread."""
    running = (
        ModelServer(port=0, log_level="error")
        .register_model("fraud", model_path=folder / "fraud.pkl", model_type="classifier")
        .register_model("twice", model_path=str(folder / "twice.joblib"), model_type="regressor")
        .register_model(
            "price",
            model_path=folder / "price.skops",
            model_type="regressor",
            input_example=[{"colour": "red"}],
        )
        .register_model("iris", model_path=folder / "iris.onnx", model_type="classifier")
        .register_model("sales", model_path=folder / "sales.pkl", model_type="timeseries")
        .register_model("broken", model_path=folder / "broken.pkl")
        .register_model("wrong", model_path=folder / "twice.joblib", model_type="classifier")
    )
    with running as started:
        for _ in range(6000):
            # While models are loaded in this process, others of its threads may wait long.
            if httpx2.get(f"{started.url}/health/ready", timeout=60.0).status_code == 200:
                break
        yield started


def test_each_file_has_its_typed_field(server: ModelServer) -> None:
    answer = httpx2.post(f"{server.url}/graphql", json={"query": FRAUD}).json()

    assert answer["data"]["predict"]["fraud"]["predictions"] == [{"label": "yes"}]
    states = {each["model"]: each["state"] for each in answer["data"]["server"]["models"]}
    assert states == {
        "broken": "FAILED",
        "fraud": "READY",
        "iris": "READY",
        "price": "READY",
        "sales": "READY",
        "twice": "READY",
        "wrong": "FAILED",
    }
    reasons = {each["model"]: each["reason"] for each in answer["data"]["server"]["models"]}
    assert "its files are missing or cannot be read" in reasons["broken"]
    assert "it was registered for CLASSIFICATION, and it does REGRESSION" in reasons["wrong"]


@pytest.mark.parametrize(
    ("model", "row", "value"),
    [("twice", {"feature_0": 21.0}, 42.0), ("price", {"colour": "blue"}, 3.0)],
)
def test_columns_are_those_of_training_or_of_the_example(
    server: ModelServer, model: str, row: dict[str, object], value: float
) -> None:
    answer = httpx2.post(f"{server.url}/predict/{model}", json={"inputs": [row]}).json()

    assert answer["predictions"] == [{"value": pytest.approx(value)}]


def test_a_graph_answers_with_its_labels(server: ModelServer) -> None:
    rows = {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}
    answer = httpx2.post(f"{server.url}/predict/iris", json=rows).json()

    assert [each["label"] for each in answer["predictions"]] == ["0", "2"]


def test_a_time_series_goes_on(server: ModelServer) -> None:
    rows = {"inputs": [{"step": 1}, {"step": 3}]}
    answer = httpx2.post(f"{server.url}/predict/sales", json=rows).json()
    beyond = httpx2.post(f"{server.url}/predict/sales", json={"inputs": [{"step": 0}]})

    forecast = SALES.forecast(3)
    values = [each["value"] for each in answer["predictions"]]
    assert values == [pytest.approx(forecast[0]), pytest.approx(forecast[2])]
    assert (beyond.status_code, beyond.json()["code"]) == (422, "INVALID_ROWS")


def test_nothing_is_written_beside_files(server: ModelServer) -> None:
    document = """mutation {
      runCreate(input: {experiment: {name: "Default"}}) { ... on UserError { code } }
      modelUpdate(input: {model: "fraud", description: "x"}) { ... on UserError { code } }
    }"""
    answer = httpx2.post(f"{server.url}/graphql", json={"query": document}).json()

    refused = {"code": "READ_ONLY_SERVER"}
    assert answer["data"] == {"runCreate": refused, "modelUpdate": refused}


def test_a_wrong_call_says_what_is_wrong(folder: Path) -> None:
    server = ModelServer(port=0)

    with pytest.raises(ModelFileError, match=re.escape("there is no such file")):
        server.register_model("x", model_path=folder / "away.pkl")
    with pytest.raises(ModelFileError, match="'classifer' should be 'classifier' or 'regressor'"):
        server.register_model("x", model_path=folder / "fraud.pkl", model_type="classifer")
    with pytest.raises(SettingsError, match="GQL_PLATFORM_PORT"):
        ModelServer(port=-1)
    with pytest.raises(RuntimeError, match="was not started"):
        _ = server.url


def test_it_stops_and_can_be_started_again(folder: Path) -> None:
    server = ModelServer(port=0, log_level="error")
    server.register_model("fraud", model_path=folder / "fraud.pkl")
    for _ in range(2):
        with server:
            url = server.url
            assert httpx2.get(f"{url}/health/live").status_code == 200
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{url}/health/live")
