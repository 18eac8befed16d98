"""The Open Inference Protocol V2 over REST."""

import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest

from gql_platform import __version__
from gql_platform.registry.records import ColumnType, ModelPackage, Signature, VersionRef
from gql_platform.rest.inference import HEADER_LENGTH
from gql_platform.serving.ports import ClassOutput, Table
from gql_platform.testing import (
    InMemoryLoader,
    InMemoryStore,
    LinearClassifier,
    columns_of,
    in_memory_services,
)
from tests.app import app_client
from tests.rest.tensors import (
    AREA,
    FLOWERS,
    GARDEN,
    HOUSE,
    IRIS,
    ROOMS,
    binary,
    flowers,
    house,
    tensor,
)

pytestmark = pytest.mark.anyio


async def test_the_server_tells_its_name_and_extensions(one_client: httpx2.AsyncClient) -> None:
    assert (await one_client.get("/v2")).json() == {
        "name": "gql_platform",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/house_price/ready", {"name": "house_price", "ready": True}),
        ("/v2/models/house_price/versions/1/ready", {"name": "house_price", "ready": True}),
    ],
)
async def test_what_works_says_so(
    one_client: httpx2.AsyncClient, path: str, answer: dict[str, Any]
) -> None:
    response = await one_client.get(path)

    assert (response.status_code, response.json()) == (200, answer)


@pytest.mark.parametrize("path", ["/v2/models/house_price", "/v2/models/house_price/versions/1"])
async def test_a_regressor_describes_its_tensors(one_client: httpx2.AsyncClient, path: str) -> None:
    assert (await one_client.get(path)).json() == {
        "name": "house_price",
        "versions": ["1"],
        "platform": "mlflow",
        "inputs": [
            {"name": AREA, "datatype": "FP64", "shape": [-1]},
            {"name": ROOMS, "datatype": "INT64", "shape": [-1]},
            {"name": GARDEN, "datatype": "BOOL", "shape": [-1]},
        ],
        "outputs": [{"name": "value", "datatype": "FP64", "shape": [-1]}],
    }


async def test_a_classifier_describes_its_tensors(one_client: httpx2.AsyncClient) -> None:
    assert (await one_client.get("/v2/models/iris_species")).json()["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]},
    ]


@pytest.mark.parametrize("path", [HOUSE, "/v2/models/house_price/versions/1/infer"])
async def test_a_tensor_for_each_column_is_answered(
    one_client: httpx2.AsyncClient, path: str
) -> None:
    response = await one_client.post(path, json={"id": "a-1", "inputs": house()})

    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "model_name": "house_price",
        "model_version": "1",
        "id": "a-1",
        "outputs": [
            {"name": "value", "datatype": "FP64", "shape": [2], "data": [420_000.0, 226_500.0]}
        ],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [2, 1]},
        {"shape": [2, 1], "data": [[100], [50.5]]},
        {"datatype": "FP32"},
        {"datatype": "FP16"},
        {"unknown": 1, "parameters": {"content_type": "np"}},
    ],
)
async def test_a_column_may_come_in_several_forms(
    one_client: httpx2.AsyncClient, changes: dict[str, Any]
) -> None:
    answer = (await one_client.post(HOUSE, json={"inputs": house(**changes)})).json()

    assert "id" not in answer
    assert answer["outputs"][0]["data"] == [420_000.0, 226_500.0]


async def test_the_order_of_the_inputs_does_not_matter(one_client: httpx2.AsyncClient) -> None:
    answer = await one_client.post(HOUSE, json={"inputs": house()[::-1]})

    assert answer.json()["outputs"][0]["data"] == [420_000.0, 226_500.0]


@pytest.mark.parametrize("data", [FLOWERS, [value for row in FLOWERS for value in row]])
async def test_one_tensor_may_hold_all_columns(
    one_client: httpx2.AsyncClient, data: list[Any]
) -> None:
    request = {"inputs": [tensor("input-0", "FP64", data, [2, 4])]}
    label, probabilities = (await one_client.post(IRIS, json=request)).json()["outputs"]
    rows = (await one_client.post("/predict/iris_species", json={"inputs": FLOWERS})).json()

    assert label == {
        "name": "label", "datatype": "BYTES", "shape": [2], "data": ["setosa", "virginica"],
    }  # fmt: skip
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP64", [2, 3])
    assert probabilities["data"] == [
        each["probability"] for row in rows["predictions"] for each in row["probabilities"]
    ]


async def test_only_outputs_that_are_asked_for_are_sent(one_client: httpx2.AsyncClient) -> None:
    request = {
        "inputs": [tensor("all", "FP64", FLOWERS, [2, 4])],
        "outputs": [{"name": "probabilities"}],
    }
    answer = (await one_client.post(IRIS, json=request)).json()

    assert [output["name"] for output in answer["outputs"]] == ["probabilities"]


async def test_tensors_go_and_come_in_binary_form(one_client: httpx2.AsyncClient) -> None:
    asked = flowers(parameters={"binary_data_output": True})
    response = await one_client.post(IRIS, **asked)
    length = int(response.headers[HEADER_LENGTH])
    head, rest = json.loads(response.content[:length]), response.content[length:]
    plain = (await one_client.post(IRIS, **flowers())).json()["outputs"]

    assert response.headers["content-type"] == "application/octet-stream"
    assert head["outputs"] == [
        {
            "name": "label", "datatype": "BYTES", "shape": [2],
            "parameters": {"binary_data_size": 23},
        },
        {
            "name": "probabilities", "datatype": "FP64", "shape": [2, 3],
            "parameters": {"binary_data_size": 48},
        },
    ]  # fmt: skip
    assert rest[:23] == b"\x06\0\0\0setosa\x09\0\0\0virginica"
    assert np.frombuffer(rest[23:], "<f8").tolist() == plain[1]["data"]


async def test_each_output_is_sent_as_it_is_asked_for(one_client: httpx2.AsyncClient) -> None:
    outputs = [
        {"name": "probabilities", "parameters": {"binary_data": False}},
        {"name": "label"},
    ]
    asked = flowers(parameters={"binary_data_output": True}, outputs=outputs)
    response = await one_client.post(IRIS, **asked)
    length = int(response.headers[HEADER_LENGTH])
    probabilities, label = json.loads(response.content[:length])["outputs"]

    assert len(probabilities["data"]) == 6
    assert label["parameters"] == {"binary_data_size": len(response.content) - length}


async def test_binary_and_json_tensors_mix(one_client: httpx2.AsyncClient) -> None:
    area, rooms, garden = house()
    for described, size in ((area, 16), (garden, 2)):
        del described["data"]
        described["parameters"] = {"binary_data_size": size}
    raw = struct.pack("<2d", 100, 50.5)
    answer = await one_client.post(HOUSE, **binary({"inputs": [area, rooms, garden]}, raw, b"\1\0"))

    assert answer.json()["outputs"][0]["data"] == [420_000.0, 226_500.0]


async def test_many_rows_are_answered_in_their_order(one_client: httpx2.AsyncClient) -> None:
    count = 5_000
    raw = np.arange(count, dtype="<f8").tobytes()
    rooms, garden = np.zeros(count, "<i8").tobytes(), np.zeros(count, "?").tobytes()
    described = [
        {"name": name, "shape": [count], "datatype": datatype,
         "parameters": {"binary_data_size": len(part)}}
        for name, datatype, part in (
            (AREA, "FP64", raw), (ROOMS, "INT64", rooms), (GARDEN, "BOOL", garden),
        )
    ]  # fmt: skip
    answer = await one_client.post(HOUSE, **binary({"inputs": described}, raw, rooms, garden))

    assert answer.json()["outputs"][0]["data"] == [50_000 + 3000 * row for row in range(count)]


class Undecided(LinearClassifier):
    """A classifier that repeats its column `flag`, and gives no probabilities."""

    def predict(self, rows: Table) -> ClassOutput:
        assert isinstance(rows, pd.DataFrame)
        return ClassOutput(rows["flag"].to_numpy(dtype=np.int64), None)


@pytest.fixture(scope="module")
async def flags() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with one classifier, of an optional number and a boolean."""
    store = InMemoryStore()
    store.add_model("flags")
    columns = (
        *columns_of({"length": ColumnType.LONG}, required=False),
        *columns_of({"flag": ColumnType.BOOLEAN}),
    )
    signature = Signature(columns, columns_of({"kind": ColumnType.LONG}))
    store.add_version("flags", package=ModelPackage("sklearn", signature, 1))
    loader = InMemoryLoader({VersionRef("flags", 1): Undecided(("7", "é"), [[0, 0], [0, 0]])})
    async with app_client(services=in_memory_services(store, loader)) as client:
        yield client


async def test_a_classifier_without_probabilities_sends_labels_alone(
    flags: httpx2.AsyncClient,
) -> None:
    request: dict[str, Any] = {"inputs": [tensor("flag", "BOOL", [True, False])]}
    answer = (await flags.post("/v2/models/flags/infer", json=request)).json()
    asked = {**request, "outputs": [{"name": "probabilities"}]}
    refused = await flags.post("/v2/models/flags/infer", json=asked)

    assert answer["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["é", "7"]}
    ]
    assert refused.status_code == 400
    assert "The model gives no probabilities." in refused.json()["error"]


async def test_an_optional_value_may_be_missing(flags: httpx2.AsyncClient) -> None:
    request = {
        "inputs": [
            tensor("flag", "BOOL", [True, False]), tensor("length", "INT64", [None, 3]),
        ]
    }  # fmt: skip
    assert (await flags.post("/v2/models/flags/infer", json=request)).status_code == 200
