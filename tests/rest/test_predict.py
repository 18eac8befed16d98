"""Predictions over REST."""

import re

import httpx2
import pytest

from gql_platform.settings import Settings
from tests.app import app_client

pytestmark = pytest.mark.anyio

HOUSE = {"living area (m2)": 100, "number of rooms": 4, "has a garden": True}


@pytest.mark.parametrize("row", [HOUSE, [100, 4, True]])
async def test_objects_and_arrays_are_rows(client: httpx2.AsyncClient, row: object) -> None:
    response = await client.post("/predict/house_price", json={"inputs": [row, row]})
    answer = response.json()

    assert response.status_code == 200
    assert answer.pop("latency_ms") > 0
    assert re.fullmatch("[0-9a-f]{32}", answer.pop("prediction_id"))
    assert answer == {
        "model": "house_price",
        "version": 1,
        "variant": "champion",
        "engine": "NATIVE",
        "predictions": [{"value": 420_000.0}, {"value": 420_000.0}],
    }


async def test_a_classifier_answers_with_labels_and_probabilities(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post("/predict/iris_species", json={"inputs": [[5.1, 3.5, 1.4, 0.2]]})
    (prediction,) = answer.json()["predictions"]

    assert prediction["label"] == "setosa"
    assert prediction["probability"] == prediction["probabilities"][0]["probability"]
    assert sum(each["probability"] for each in prediction["probabilities"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nope", {"inputs": [[1]]}, 404, "MODEL_NOT_FOUND"),
        ("house_price", {"inputs": []}, 422, "EMPTY_ROWS"),
        ("house_price", {"inputs": [[1]]}, 422, "INVALID_ROWS"),
        ("house_price", {"inputs": [{**HOUSE, "pool": True}]}, 422, "INVALID_ROWS"),
        ("house_price", {"inputs": "rows"}, 400, "INVALID_BODY"),
        ("house_price", {"inputs": [1]}, 422, "INVALID_ROWS"),
        ("house_price", {"rows": []}, 400, "INVALID_BODY"),
        ("house_price", [], 400, "INVALID_BODY"),
    ],
)
async def test_wrong_input_is_a_typed_problem(
    client: httpx2.AsyncClient, path: str, body: object, status: int, code: str
) -> None:
    response = await client.post(
        f"/predict/{path}", json=body, headers={"X-Request-ID": "request-7"}
    )
    problem = response.json()

    assert response.status_code == problem["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["request_id"]) == (code, "request-7")
    assert problem["detail"]


async def test_each_wrong_value_is_named_by_row_and_column(client: httpx2.AsyncClient) -> None:
    rows = [HOUSE, {**HOUSE, "number of rooms": 2.5}]
    response = await client.post("/predict/house_price", json={"inputs": rows})

    assert response.json()["problems"] == [
        {
            "row": 1,
            "column": "number of rooms",
            "problem": "The value is a number (2.5).",
            "expected": "a whole number of 64 bits",
        }
    ]


async def test_a_body_that_is_no_json_is_refused(client: httpx2.AsyncClient) -> None:
    response = await client.post(
        "/predict/house_price", content=b"{", headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_BODY")


async def test_what_is_no_request_is_told_by_an_example(client: httpx2.AsyncClient) -> None:
    response = await client.post("/predict/house_price", json={"rows": []})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_BODY")
    assert response.json()["expected"].startswith('a JSON object such as {"inputs": [')


@pytest.mark.parametrize("media_type", [None, "application/x-www-form-urlencoded", "text/plain"])
async def test_a_body_that_is_not_said_to_be_json_is_refused(
    client: httpx2.AsyncClient, media_type: str | None
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    response = await client.post(
        "/predict/house_price", content=b'{"inputs": [[1, 1, true]]}', headers=headers
    )

    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert response.json()["media_type"] == (media_type or "none")


async def test_half_a_character_is_refused_like_any_other_text(
    client: httpx2.AsyncClient,
) -> None:
    response = await client.post(
        "/predict/house_price",
        content=rb'{"inputs": [["\ud800", 4, true]]}',
        headers={"Content-Type": "application/json"},
    )

    assert (response.status_code, response.json()["code"]) == (422, "INVALID_ROWS")


async def test_too_many_rows_are_refused_with_the_limit() -> None:
    async with app_client(Settings(max_rows=2)) as client:
        response = await client.post("/predict/house_price", json={"inputs": [HOUSE] * 3})

    assert response.status_code == 422
    assert (response.json()["count"], response.json()["maximum"]) == (3, 2)
