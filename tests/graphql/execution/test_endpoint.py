"""GraphQL over HTTP, as its specification has it."""

from typing import Any

import httpx2
import pytest

from gql_platform.graphql.execution.negotiation import accepted_type
from gql_platform.settings import Settings
from tests.app import KEY, app_client

pytestmark = pytest.mark.anyio

GRAPHQL_RESPONSE = "application/graphql-response+json"
SERVER = "{ server { state } }"
ANSWER = {
    "data": {"server": {"state": "HEALTHY"}},
    "extensions": {"cost": {"requested": 2, "actual": 2}},
}


async def test_a_post_of_json_is_answered(client: httpx2.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": SERVER})

    assert (response.status_code, response.json()) == (200, ANSWER)
    assert response.headers["content-type"] == "application/json"


async def test_a_query_runs_over_get(client: httpx2.AsyncClient) -> None:
    query = "query Q($by: ModelBy!) { model(by: $by) { name } }"
    response = await client.get(
        "/graphql",
        params={
            "query": query,
            "operationName": "Q",
            "variables": '{"by": {"name": "house_price"}}',
        },
    )

    assert response.json()["data"] == {"model": {"name": "house_price"}}


async def test_a_browser_gets_the_playground(client: httpx2.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.headers["content-type"].startswith("text/html")
    assert "Models" in response.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, application/json;q=0.9", GRAPHQL_RESPONSE),
        (f"application/json, {GRAPHQL_RESPONSE};q=0.5", "application/json"),
        (f"{GRAPHQL_RESPONSE};q=0, application/json", "application/json"),
        ("text/html;q=wrong, application/*", "application/json"),
    ],
)
def test_the_media_type_is_the_one_that_the_client_prefers(
    accept: str | None, media_type: str
) -> None:
    assert accepted_type(accept) == media_type


async def test_another_media_type_is_refused(client: httpx2.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": SERVER}, headers={"Accept": "text/csv"})

    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
        (
            {
                "query": "query ($first: Int!) { models(first: $first) { totalCount } }",
                "variables": {"first": "two"},
            },
            "BAD_USER_INPUT",
        ),
    ],
)
async def test_what_cannot_run_has_no_data_and_a_status_by_media_type(
    client: httpx2.AsyncClient, body: dict[str, Any], code: str
) -> None:
    plain = await client.post("/graphql", json=body, headers={"Accept": "application/json"})
    strict = await client.post("/graphql", json=body, headers={"Accept": GRAPHQL_RESPONSE})

    assert (plain.status_code, strict.status_code) == (200, 400)
    for response in (plain, strict):
        assert "data" not in response.json()
        error = response.json()["errors"][0]
        assert error["extensions"]["code"] == code
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]


async def test_an_error_of_a_field_leaves_the_rest(client: httpx2.AsyncClient) -> None:
    query = '{ server { state } node(id: "x") { id } }'
    response = await client.post(
        "/graphql", json={"query": query}, headers={"Accept": GRAPHQL_RESPONSE}
    )

    assert response.status_code == 200
    assert response.json()["data"] == {"server": {"state": "HEALTHY"}, "node": None}
    assert response.json()["errors"][0]["path"] == ["node"]


JSON = "application/json"


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{", JSON, 400, "INVALID_BODY"),
        (b"\xff", JSON, 400, "INVALID_BODY"),
        (b"[]", JSON, 400, "INVALID_BODY"),
        (b"null", JSON, 400, "INVALID_BODY"),
        (b"{}", JSON, 400, "INVALID_BODY"),
        (b'{"query": ""}', JSON, 400, "INVALID_BODY"),
        (b'{"query": 1}', JSON, 400, "INVALID_BODY"),
        (b'{"query": "{ server { state } }", "variables": []}', JSON, 400, "INVALID_BODY"),
        (b'{"query": "{ server { state } }", "operationName": 1}', JSON, 400, "INVALID_BODY"),
        (b'{"query": "{ server { state } }", "extensions": 1}', JSON, 400, "INVALID_BODY"),
        (b'[{"query": "{ server { state } }"}]', JSON, 400, "INVALID_BODY"),
        (
            b'{"query": "query A { server { state } }", "operationName": "B"}',
            JSON,
            400,
            "UNKNOWN_OPERATION",
        ),
        (
            b'{"query": "subscription { liveMetrics { sampledAt } }"}',
            JSON,
            400,
            "SUBSCRIPTION_OVER_HTTP",
        ),
        (b"query=1", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/json; charset=utf-16", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_what_is_no_graphql_request_is_refused_with_a_code(
    client: httpx2.AsyncClient, content: bytes, content_type: str, status: int, code: str
) -> None:
    response = await client.post(
        "/graphql", content=content, headers={"Content-Type": content_type}
    )

    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_other_methods_are_refused(client: httpx2.AsyncClient) -> None:
    response = await client.put("/graphql", json={"query": SERVER})

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_a_document_of_too_many_tokens_is_refused(client: httpx2.AsyncClient) -> None:
    query = "{" + " server { state }" * 5000 + "}"
    response = await client.post("/graphql", json={"query": query, "operationName": "Any"})

    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_introspection_can_be_switched_off() -> None:
    async with app_client(Settings(introspection=False)) as client:
        schema = await client.post("/graphql", json={"query": "{ __schema { description } }"})
        name = await client.post("/graphql", json={"query": "{ __typename }"})

    assert schema.json()["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED"
    assert name.json()["data"] == {"__typename": "Query"}


async def test_suggestions_are_for_developers_on_their_own_machine(
    client: httpx2.AsyncClient,
) -> None:
    query = {"query": "{ servr { state } }"}
    local = await client.post("/graphql", json=query)
    settings = Settings(host="0.0.0.0", api_secret_key=KEY)  # type: ignore[arg-type]
    async with app_client(settings) as stranger:
        remote = await stranger.post("/graphql", json=query)

    assert "server" in local.json()["errors"][0]["message"]
    assert "server" not in remote.json()["errors"][0]["message"].replace("servr", "")


async def test_a_document_that_was_refused_once_is_refused_again(
    client: httpx2.AsyncClient,
) -> None:
    answers = [await client.post("/graphql", json={"query": "{ nope }"}) for _ in range(2)]

    codes = {answer.json()["errors"][0]["extensions"]["code"] for answer in answers}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}


async def test_a_bug_of_ours_is_masked(client: httpx2.AsyncClient) -> None:
    class Broken:
        def status(self) -> None:
            raise RuntimeError("the secret is 42")

    services = client._transport.app.state.services  # type: ignore[attr-defined]
    object.__setattr__(services, "health", Broken())
    response = await client.post(
        "/graphql", json={"query": SERVER}, headers={"X-Request-ID": "bug-2"}
    )
    (error,) = response.json()["errors"]

    assert response.json()["data"] == {"server": None}
    assert (error["extensions"]["code"], error["extensions"]["requestId"]) == ("INTERNAL", "bug-2")
    assert "bug-2" in error["message"]
    assert "42" not in response.text
