"""Who is let in: hosts, origins, keys."""

import httpx2
import pytest

from gql_platform.edge.gate import host_name
from gql_platform.settings import Settings
from tests.app import KEY, app_client

pytestmark = pytest.mark.anyio

QUERY = {"query": "{ server { version } }"}


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
async def test_a_local_server_answers_to_its_own_names(
    client: httpx2.AsyncClient, host: str
) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"Host": host})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", ""]
)
@pytest.mark.parametrize("path", ["/graphql", "/models", "/health", "/static/playground.js"])
async def test_a_local_server_answers_to_no_other_name(
    client: httpx2.AsyncClient, host: str, path: str
) -> None:
    response = await client.get(path, headers={"Host": host})

    assert (response.status_code, response.json()["code"]) == (403, "HOST_NOT_ALLOWED")


@pytest.mark.parametrize(
    "host", ["evil@localhost", "localhost:abc", "localhost:", "localhost/x", "local host", "::1"]
)
async def test_a_host_that_no_browser_would_write_is_refused(
    client: httpx2.AsyncClient, host: str
) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"Host": host})

    assert (response.status_code, response.json()["code"]) == (403, "HOST_NOT_ALLOWED")


async def test_two_hosts_are_none(client: httpx2.AsyncClient) -> None:
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    response = await client.post("/graphql", json=QUERY, headers=headers)

    assert (response.status_code, response.json()["code"]) == (403, "HOST_NOT_ALLOWED")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:5173"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
async def test_other_web_pages_are_kept_out(
    client: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.post("/graphql", json=QUERY, headers=headers)

    assert (response.status_code, response.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8000"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
async def test_the_own_pages_and_links_are_let_in(
    client: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.post("/graphql", json=QUERY, headers=headers)

    assert response.status_code == 200


async def test_a_listed_origin_is_let_in_with_cors() -> None:
    origin = "http://localhost:5173"
    async with app_client(Settings(allowed_origins=(origin,))) as client:
        preflight = await client.options(
            "/graphql",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        )
        response = await client.post("/graphql", json=QUERY, headers={"Origin": origin})
        other = await client.post("/graphql", json=QUERY, headers={"Origin": "http://localhost:1"})

    assert preflight.headers["access-control-allow-origin"] == origin
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert other.status_code == 403


async def test_an_open_server_answers_to_any_name_until_one_is_listed() -> None:
    settings = Settings(host="0.0.0.0", api_secret_key=KEY)  # type: ignore[arg-type]
    async with app_client(settings) as client:
        anyone = await client.get("/health", headers={"Host": "api.example"})
    listed = settings.model_copy(update={"allowed_hosts": ("api.example",)})
    async with app_client(listed) as client:
        right = await client.get("/health", headers={"Host": "api.example:443"})
        wrong = await client.get("/health", headers={"Host": "other.example"})

    assert (anyone.status_code, right.status_code, wrong.status_code) == (200, 200, 403)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8000", "localhost"),
        ("[::1]:8000", "::1"),
        ("Example.COM.", "example.com"),
        ("", ""),
        ("[", ""),
    ],
)
def test_the_name_is_read_from_the_header(header: str, name: str) -> None:
    assert host_name(header) == name
