"""Who may not read models sees the static core of the schema, and learns nothing of the models."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from gql_platform.settings import Settings
from tests.app import KEY, app_client

pytestmark = pytest.mark.anyio

INTROSPECTION = '{ __schema { types { name } } __type(name: "IrisSpeciesRow") { name } }'
TYPED = """{ predict { irisSpecies(rows: [{
    sepalLengthCm: 5.1, sepalWidthCm: 3.5, petalLengthCm: 1.4, petalWidthCm: 0.2
}]) { version } } }"""
WITH_KEY = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with a key."""
    async with app_client(Settings(api_secret_key=KEY)) as client:  # type: ignore[arg-type]
        yield client


async def test_introspection_shows_the_served_models_to_readers_only(
    client: httpx2.AsyncClient,
) -> None:
    without = await client.post("/graphql", json={"query": INTROSPECTION})
    with_key = await client.post("/graphql", json={"query": INTROSPECTION}, headers=WITH_KEY)

    assert "IrisSpecies" not in without.text
    assert without.json()["data"]["__type"] is None
    assert with_key.json()["data"]["__type"] == {"name": "IrisSpeciesRow"}


async def test_a_typed_prediction_without_a_key_is_told_to_show_one(
    client: httpx2.AsyncClient,
) -> None:
    without = await client.post("/graphql", json={"query": TYPED})
    with_key = await client.post("/graphql", json={"query": TYPED}, headers=WITH_KEY)

    assert [error["extensions"]["code"] for error in without.json()["errors"]] == [
        "UNAUTHENTICATED",
        "GRAPHQL_VALIDATION_FAILED",
    ]
    assert with_key.json()["data"] == {"predict": {"irisSpecies": {"version": 1}}}


async def test_the_playground_names_no_model_to_strangers(client: httpx2.AsyncClient) -> None:
    page = await client.get("/graphql", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "irisSpecies" not in page.text
