"""What the Open Inference Protocol V2 refuses over REST."""

from typing import Any

import httpx2
import pytest

from gql_platform.rest.inference import HEADER_LENGTH
from gql_platform.settings import Settings
from gql_platform.testing import InMemoryLoader, in_memory_services
from tests.app import app_client
from tests.rest.tensors import AREA, FLOWERS, HOUSE, IRIS, ROOMS, binary, house, tensor

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "It is no JSON"),
        (b"{", "It is no JSON"),
        (b"[" * 100_000, "It is no JSON that can be read"),
        (b"\xff", "It is no JSON"),
        (b"[]", "It: Input should be"),
        (b"{}", "inputs: Field required"),
        (b'{"inputs": []}', "inputs: List should have at least 1 item"),
        (b'{"inputs": [1]}', "inputs.0: Input should be"),
        (b'{"id": 7, "inputs": []}', "id: Input should be a valid string"),
    ],
)
async def test_what_is_no_request_is_refused(
    one_client: httpx2.AsyncClient, body: bytes, words: str
) -> None:
    response = await one_client.post(HOUSE, content=body)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    assert response.json()["error"].startswith(f"The request body cannot be read: {words}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": [3]}, "has 2 elements, and its shape [3] 3."),
        ({"shape": [-1]}, "inputs.0.shape.0: Input should be greater than or equal to 0."),
        ({"shape": [2.0]}, "inputs.0.shape.0: Input should be a valid integer."),
        ({"shape": [True]}, "inputs.0.shape.0: Input should be a valid integer."),
        ({"shape": []}, "has 0 sizes."),
        ({"shape": [2, 1, 1]}, "has 3 sizes."),
        ({"shape": [2**62, 2**62]}, "has 2 elements, and its shape"),
        ({"shape": [1, 2]}, "has the shape [1, 2]. Expected [n] or [n, 1] for a column."),
        ({"shape": [1], "data": [100]}, "has 2 rows, and 'living area (m2)' 1."),
        ({"data": [[100], [50.5]]}, "is not nested as its shape [2] says."),
        ({"shape": [2, 1], "data": [[100], 50.5]}, "is not nested as its shape [2, 1] says."),
        ({"data": ["a", 1]}, "has 'a' at place 0, and its datatype is FP64. Expected numbers."),
        ({"data": [1, True]}, "has True at place 1, and its datatype is FP64."),
        ({"datatype": "INT8"}, "has 50.5 at place 1, and its datatype is INT8."),
        ({"datatype": "INT8", "data": [1, 128]}, "has 128, too large for INT8."),
        ({"datatype": "UINT8", "data": [1, -1]}, "has -1, too large for UINT8."),
        ({"datatype": "FP16", "data": [1, 65_520]}, "has a number too large for FP16."),
        ({"data": [1, 10**400]}, "has a number too large for FP64."),
        ({"datatype": "BYTES", "data": ["1", "2"]}, "2 values do not fit the signature"),
        ({"datatype": "FP80"}, "inputs.0.datatype: Input should be 'BOOL', "),
        ({"data": None}, "has neither of `data` and `binary_data_size`."),
        ({"parameters": {"binary_data_size": 0}}, "has both of `data` and `binary_data_size`."),
        ({"parameters": {"shared_memory_region": "r"}}, "lies in shared memory"),
        ({"name": "pool"}, "Input 'pool' is no column of the model."),
        ({"name": ROOMS}, "Input 'number of rooms' is there twice."),
        ({"data": [1, None]}, "row 1, column 'living area (m2)'"),
    ],
)
async def test_a_wrong_tensor_is_named(
    one_client: httpx2.AsyncClient, changes: dict[str, Any], words: str
) -> None:
    response = await one_client.post(HOUSE, json={"inputs": house(**changes)})

    assert (response.status_code, list(response.json())) == (400, ["error"])
    assert words in response.json()["error"]


async def test_a_column_must_not_be_left_out(one_client: httpx2.AsyncClient) -> None:
    response = await one_client.post(HOUSE, json={"inputs": house()[1:]})

    assert response.status_code == 400
    assert response.json()["error"] == (
        "The request body cannot be read: There is no input 'living area (m2)'. Expected one "
        "input for each of 'living area (m2)', 'number of rooms', 'has a garden', or one of the "
        "shape [n, 3]."
    )


@pytest.mark.parametrize(
    ("path", "inputs", "words"),
    [
        (HOUSE, [tensor("all", "FP64", [1, 1, 1], [1, 3])], "column 'has a garden' is BOOLEAN."),
        (IRIS, [tensor("all", "BYTES", ["a"] * 4, [1, 4])], "is of BYTES, and all columns are"),
        (IRIS, [tensor("all", "FP64", [1, 1, 1], [1, 3])], "'all' is no column of the model."),
        (IRIS, [tensor("all", "FP64", [], [0, 4])], "There is nothing to predict"),
    ],
)
async def test_one_tensor_holds_all_columns_only_where_all_are_numbers(
    one_client: httpx2.AsyncClient, path: str, inputs: list[Any], words: str
) -> None:
    response = await one_client.post(path, json={"inputs": inputs})

    assert response.status_code == 400
    assert words in response.json()["error"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ([{"name": "value"}], "There is no output 'value'. Expected 'label' or 'probabilities'."),
        ([{"name": "label"}, {"name": "label"}], "Output 'label' is asked for twice."),
        ([{"name": "label", "parameters": {"classification": 2}}], "as a classification"),
        ([{"name": "label", "parameters": {"shared_memory_region": "r"}}], "in shared memory"),
        ([{"name": "label", "parameters": {"binary_data": 1}}], "outputs.0.parameters.binary_data"),
    ],
)
async def test_an_output_that_cannot_be_sent_is_refused(
    one_client: httpx2.AsyncClient, output: list[Any], words: str
) -> None:
    request = {"inputs": [tensor("all", "FP64", FLOWERS, [2, 4])], "outputs": output}
    response = await one_client.post(IRIS, json=request)

    assert response.status_code == 400
    assert words in response.json()["error"]


@pytest.mark.parametrize("length", ["", "-1", "x", "²", "1" * 20, "9999", "0"])
async def test_a_wrong_length_of_the_json_is_refused(
    one_client: httpx2.AsyncClient, length: str
) -> None:
    headers = [(HEADER_LENGTH.encode(), length.encode("latin-1"))]
    response = await one_client.post(IRIS, content=b"{}", headers=headers)

    assert (response.status_code, list(response.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("datatype", "raw", "size", "words"),
    [
        ("FP64", b"\0" * 8, 8, "has 8 bytes, and its shape [2] of FP64 16."),
        ("FP64", b"\0" * 8, 16, "The body ends within input"),
        ("FP64", b"\0" * 17, 16, "1 bytes after the JSON belong to no input."),
        ("FP64", b"\0" * 16, -1, "binary_data_size: Input should be greater than or equal to 0."),
        ("FP64", b"\0" * 16, 2**62, "The body ends within input"),
        ("BOOL", b"\1\2", 2, "has bytes that are neither 0 nor 1"),
        ("BYTES", b"\0" * 7, 7, "has 7 bytes, too few for 2 elements of BYTES."),
        ("BYTES", b"\1\0\0\0a\xff\xff\xff\xffb", 10, "ends within its element 1."),
        ("BYTES", b"\5\0\0\0abcde", 9, "ends within its element 1."),
        ("BYTES", b"\1\0\0\0a\1\0\0\0bc", 11, "has 1 bytes after its last element."),
        ("BYTES", b"\1\0\0\0\xff\1\0\0\0b", 10, "has an element 0 that is not UTF-8."),
    ],
)
async def test_a_wrong_binary_tensor_is_named(
    one_client: httpx2.AsyncClient, datatype: str, raw: bytes, size: int, words: str
) -> None:
    described = {
        "name": AREA, "shape": [2], "datatype": datatype,
        "parameters": {"binary_data_size": size},
    }  # fmt: skip
    response = await one_client.post(HOUSE, **binary({"inputs": [described]}, raw))

    assert (response.status_code, list(response.json())) == (400, ["error"])
    assert words in response.json()["error"]


async def test_a_compressed_body_is_refused(one_client: httpx2.AsyncClient) -> None:
    response = await one_client.post(
        HOUSE, content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}
    )

    assert response.status_code == 400
    assert "Its Content-Encoding is 'gzip'." in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/v2/models/nope", "No model named 'nope' is served; these are: 'house_price', "),
        ("/v2/models/nope/ready", "No model named 'nope' is served"),
        ("/v2/models/house_price/versions/7", "Version '7' of 'house_price' is not served; "),
        ("/v2/models/house_price/versions/01/ready", "Version '01' of 'house_price' is not "),
        ("/v2/models/house_price/config", "There is nothing at '/v2/models/house_price/config'"),
    ],
)
async def test_what_is_not_there_is_a_404(
    one_client: httpx2.AsyncClient, path: str, error: str
) -> None:
    response = await one_client.get(path)

    assert (response.status_code, list(response.json())) == (404, ["error"])
    assert response.json()["error"].startswith(error)


async def test_predictions_of_what_is_not_there_are_a_404(one_client: httpx2.AsyncClient) -> None:
    model = await one_client.post("/v2/models/nope/infer", json={"inputs": house()})
    version = await one_client.post(
        "/v2/models/house_price/versions/2/infer", json={"inputs": house()}
    )

    assert model.status_code == version.status_code == 404
    assert version.json() == {"error": "Version '2' of 'house_price' is not served; these are: 1."}


async def test_another_method_is_refused_with_those_that_are_taken(
    one_client: httpx2.AsyncClient,
) -> None:
    response = await one_client.get(HOUSE)

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json() == {
        "error": "'/v2/models/house_price/infer' does not take GET; it takes POST."
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/models/house_price"),
        ("GET", "/v2/models/house_price/ready"),
        ("POST", HOUSE),
    ],
)
async def test_a_model_that_is_not_ready_is_a_503(method: str, path: str) -> None:
    services = in_memory_services(loader=InMemoryLoader({}))
    async with app_client(services=services) as client:
        response = await client.request(method, path, json={"inputs": house()})

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error"].startswith("The model 'house_price' cannot predict yet: ")


async def test_more_rows_than_are_taken_are_refused_before_they_are_made() -> None:
    async with app_client(Settings(max_rows=1)) as client:
        response = await client.post(HOUSE, json={"inputs": house()})

    assert response.status_code == 400
    assert response.json()["error"].startswith("2 rows are more than the 1 that one request")
