"""The limit on bodies, and what every request gets."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from gql_platform.edge.body import BodyLimit
from gql_platform.edge.request import RequestLog
from gql_platform.settings import Settings
from tests.app import app_client

pytestmark = pytest.mark.anyio

LIMIT = 2048


async def in_chunks(count: int) -> AsyncIterator[bytes]:
    """Send a body of unknown length."""
    for _ in range(count):
        yield b" " * 1024


@pytest.mark.parametrize("path", ["/graphql", "/predict/house_price"])
async def test_a_body_above_the_limit_is_refused(path: str) -> None:
    async with app_client(Settings(max_body_bytes=LIMIT)) as client:
        declared = await client.post(path, content=b" " * (LIMIT + 1))
        chunked = await client.post(path, content=in_chunks(3))

    for response in (declared, chunked):
        assert response.status_code == 413
        assert response.json()["code"] == "BODY_TOO_LARGE"
        assert response.json()["limit_bytes"] == LIMIT
        assert response.headers["connection"] == "close"


async def test_a_body_at_the_limit_is_taken() -> None:
    body = json.dumps({"query": "{ server { version } }"}).encode().ljust(LIMIT)
    async with app_client(Settings(max_body_bytes=LIMIT)) as client:
        response = await client.post(
            "/graphql", content=body, headers={"Content-Type": "application/json"}
        )

    assert response.status_code == 200


async def test_no_more_is_read_than_the_limit_and_one_chunk() -> None:
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * 1024, "more_body": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the request must not get here")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [], "state": {"request_id": "r"}}
    await BodyLimit(app, limit_bytes=LIMIT)(scope, receive, send)

    assert sent[0]["status"] == 413
    assert read == 3


async def test_a_client_that_goes_away_is_not_answered() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def unreachable(*_: object) -> None:
        raise AssertionError("nothing must be sent or called")

    scope = {"type": "http", "method": "POST", "headers": [], "state": {"request_id": "r"}}
    await BodyLimit(unreachable, limit_bytes=LIMIT)(scope, receive, unreachable)


async def test_each_answer_carries_the_id_of_its_request(client: httpx2.AsyncClient) -> None:
    own = await client.get("/health", headers={"X-Request-ID": "mine-1"})
    strange = await client.get("/health", headers={"X-Request-ID": "a b\tc"})
    missing = await client.get("/health")

    assert own.headers["x-request-id"] == "mine-1"
    ids = {response.headers["x-request-id"] for response in (strange, missing)}
    assert len(ids) == 2
    assert all(len(each) == 16 for each in ids)


async def test_a_bug_of_ours_is_masked_and_logged_once() -> None:
    class Broken:
        def models(self) -> None:
            raise RuntimeError("the secret is 42")

        async def close(self) -> None:
            pass

    async with app_client() as client:
        app = client._transport.app  # type: ignore[attr-defined]
        services = app.state.services
        object.__setattr__(services, "serving", Broken())
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            response = await client.get("/models", headers={"X-Request-ID": "bug-1"})

    assert response.status_code == 500
    assert response.json()["code"] == "INTERNAL"
    assert response.json()["request_id"] == "bug-1"
    assert "42" not in response.text
    (logged,) = [line for line in lines if line["event"] == "request_failed"]
    assert (logged["request_id"], logged["path"]) == ("bug-1", "/models")


async def test_a_request_that_the_end_of_the_server_cuts_off_is_answered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    transport = httpx2.ASGITransport(RequestLog(app, metrics=None))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/")

    assert (response.status_code, response.json()["code"]) == (503, "SERVER_STOPPING")
    assert response.headers["retry-after"] == "1"
