"""Clients of other servers, against the real process: Triton's and MLflow's own."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from gql_platform.registry.records import ColumnType
from gql_platform.rest.scoring import rows_of_csv, rows_of_json
from gql_platform.testing import columns_of

with warnings.catch_warnings(action="ignore"):
    # MLflow warns of type hints of its own.
    from mlflow.pyfunc.scoring_server import infer_and_parse_data, parse_csv_input
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    from mlflow.types import ColSpec, Schema

WINES = load_wine(as_frame=True).data.iloc[[0, 60, 140]].reset_index(drop=True)
LABELS = ["class_0", "class_1", "class_2"]


@pytest.fixture
def triton(server_url: str) -> Iterator[InferenceServerClient]:
    """Triton's client, which speaks the binary form by default."""
    client = InferenceServerClient(server_url.removeprefix("http://"))
    yield client
    client.close()


def matrix(binary: bool = True, dtype: Any = np.float64) -> InferInput:
    """Return all wines as one tensor."""
    array = WINES.to_numpy(dtype=dtype)
    tensor = InferInput("wines", list(array.shape), "FP64" if dtype is np.float64 else "FP32")
    return tensor.set_data_from_numpy(array, binary_data=binary)


def columns(binary: bool) -> list[InferInput]:
    """Return the wines as one tensor for each column."""
    tensors = []
    for name in WINES.columns:
        array = WINES[name].to_numpy(dtype=np.float64)
        tensor = InferInput(name, [len(array)], "FP64")
        tensors.append(tensor.set_data_from_numpy(array, binary_data=binary))
    return tensors


def test_triton_finds_server_and_model_ready(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("wine")
    assert triton.is_model_ready("wine", "1")
    assert not triton.is_model_ready("wine", "2")
    assert not triton.is_model_ready("beer")


def test_triton_reads_the_metadata(triton: InferenceServerClient) -> None:
    metadata = triton.get_model_metadata("wine")

    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert [each["name"] for each in metadata["inputs"]] == list(WINES.columns)
    assert {each["datatype"] for each in metadata["inputs"]} == {"FP64"}
    assert metadata["outputs"][1]["shape"] == [-1, 3]


@pytest.mark.parametrize("binary_output", [True, False])
@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("version", ["", "1"])
def test_triton_predicts_as_rows_do(
    triton: InferenceServerClient,
    server_url: str,
    binary_input: bool,
    binary_output: bool,
    version: str,
) -> None:
    outputs = [
        InferRequestedOutput(name, binary_data=binary_output) for name in ("probabilities", "label")
    ]
    rows = httpx2.post(
        f"{server_url}/predict/wine", json={"inputs": WINES.to_numpy().tolist()}
    ).json()["predictions"]

    for inputs in ([matrix(binary_input)], columns(binary_input)):
        result = triton.infer("wine", inputs, version, outputs=outputs, request_id="7")

        labels = result.as_numpy("label").tolist()
        assert [str(each, "utf-8") if binary_output else each for each in labels] == LABELS
        assert result.as_numpy("probabilities").tolist() == [
            [each["probability"] for each in row["probabilities"]] for row in rows
        ]
        assert result.get_response()["id"] == "7"
        assert result.get_response()["model_version"] == "1"


def test_triton_gets_all_outputs_by_default(triton: InferenceServerClient) -> None:
    result = triton.infer("wine", [matrix()])
    narrow = triton.infer("wine", [matrix(dtype=np.float32)])
    regressed = triton.infer("diabetes", [_diabetes()]).as_numpy("value")

    assert result.as_numpy("label").tolist() == [label.encode() for label in LABELS]
    assert result.as_numpy("probabilities").shape == (3, 3)
    assert narrow.as_numpy("label").tolist() == [label.encode() for label in LABELS]
    assert (regressed.shape, regressed.dtype) == ((1,), np.float64)


def _diabetes() -> InferInput:
    row = np.array([[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.86, 87]])
    return InferInput("row", [1, 10], "FP64").set_data_from_numpy(row)


@pytest.mark.parametrize(
    ("model", "version", "status", "words"),
    [
        ("beer", "", "404", "No model named 'beer' is served"),
        ("wine", "7", "404", "Version '7' of 'wine' is not served; these are: 1."),
        ("diabetes", "", "400", "Input 'wines' is no column of the model."),
    ],
)
def test_triton_is_told_what_was_wrong(
    triton: InferenceServerClient, model: str, version: str, status: str, words: str
) -> None:
    with pytest.raises(InferenceServerException) as caught:
        triton.infer(model, [matrix()], version)

    assert caught.value.status() == status
    assert words in caught.value.message()


def test_mlflows_client_is_answered_as_by_its_own_server(server_url: str) -> None:
    client = ScoringServerClient("unused", 0)
    client.url_prefix = f"{server_url}/models/wine"

    for data in (WINES, WINES.to_numpy(), WINES.to_dict(orient="records")):
        assert client.invoke(data).get_predictions()[0].tolist() == LABELS


FRAME = pd.DataFrame({"a": [0.5, 2.0], "b": [1, -7], "c": [True, False], "d": ["x", "y"]})
KINDS = {
    "a": (ColumnType.DOUBLE, "double"),
    "b": (ColumnType.LONG, "long"),
    "c": (ColumnType.BOOLEAN, "boolean"),
    "d": (ColumnType.STRING, "string"),
}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": FRAME.to_dict(orient="split")},
        {"dataframe_records": FRAME.to_dict(orient="records")},
        {"instances": FRAME.to_dict(orient="records")},
        {"inputs": FRAME.to_dict(orient="list")},
        {"inputs": FRAME.to_dict(orient="records")},
    ],
    ids=lambda body: next(iter(body)),
)
def test_json_is_read_as_mlflow_reads_it(body: dict[str, Any]) -> None:
    schema = Schema([ColSpec(kind, name) for name, (_, kind) in KINDS.items()])
    theirs = pd.DataFrame(infer_and_parse_data(body, schema)).to_dict(orient="records")
    ours = rows_of_json(
        json.dumps(body).encode(), columns_of({name: kind for name, (kind, _) in KINDS.items()})
    )

    assert list(ours) == theirs == FRAME.to_dict(orient="records")


@pytest.mark.parametrize("index", [True, False])
def test_csv_is_read_as_mlflow_reads_it(tmp_path: Path, index: bool) -> None:
    path = tmp_path / "rows.csv"
    FRAME.to_csv(path, index=index)
    schema = Schema([ColSpec(kind, name) for name, (_, kind) in KINDS.items()])
    table: Any = parse_csv_input(path, schema)
    theirs = table[list(KINDS)].to_dict(orient="records")
    ours = rows_of_csv(
        path.read_bytes(), columns_of({name: kind for name, (kind, _) in KINDS.items()})
    )

    assert list(ours) == theirs
