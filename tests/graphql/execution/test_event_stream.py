"""GraphQL over server-sent events."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from starlette.types import Message

from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.event_stream import send_events
from gql_platform.graphql.execution.negotiation import wants_events
from gql_platform.graphql.execution.request import OperationRequest
from tests.graphql.execution.products import Stage, product

pytestmark = pytest.mark.anyio

EVENTS = {"Accept": "text/event-stream"}


def client_of(stage: Stage) -> httpx2.AsyncClient:
    """Return a client of an endpoint over a stage."""
    schema = product()
    endpoint = GraphQLEndpoint(
        lambda _: schema, context_of=lambda _: stage, request_id_of=lambda _: "r1"
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(endpoint), base_url="http://localhost")


def parsed(text: str) -> list[tuple[str, Any]]:
    """Return the events of a stream, with their data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if line[:1] != ":")
        if fields:
            data = fields["data"].strip()
            found.append((fields["event"].strip(), json.loads(data) if data else None))
    return found


async def test_a_subscription_is_a_stream_of_events() -> None:
    stage = Stage()
    stage.gate.set()
    async with client_of(stage) as client:
        response = await client.post(
            "/", json={"query": "subscription { count(to: 2) }"}, headers=EVENTS
        )

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "\r" not in response.text
    first, second, last = parsed(response.text)
    assert (first[0], first[1]["data"]) == ("next", {"count": 1})
    assert second == ("next", {"data": {"count": 2}})
    assert last == ("complete", None)


async def test_a_query_is_one_event() -> None:
    async with client_of(Stage()) as client:
        posted = await client.post("/", json={"query": "{ hello }"}, headers=EVENTS)
        fetched = await client.get("/", params={"query": "{ hello }"}, headers=EVENTS)

    for response in (posted, fetched):
        (name, payload), last = parsed(response.text)
        assert (name, payload["data"]) == ("next", {"hello": "Hello, you"})
        assert last == ("complete", None)


async def test_what_cannot_run_is_told_in_the_stream() -> None:
    async with client_of(Stage()) as client:
        response = await client.post("/", json={"query": "{ nope }"}, headers=EVENTS)

    (name, payload), last = parsed(response.text)
    assert (name, list(payload)) == ("next", ["errors"])
    assert last == ("complete", None)


@pytest.mark.parametrize(
    ("parameters", "status"), [({"query": "mutation { change }"}, 405), ({"query": ""}, 400)]
)
async def test_what_is_no_request_is_refused_before(
    parameters: dict[str, str], status: int
) -> None:
    stage = Stage()
    async with client_of(stage) as client:
        response = await client.get("/", params=parameters, headers=EVENTS)

    assert response.status_code == status
    assert stage.log == []


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/event-stream", True),
        ("text/event-stream, application/json;q=0.5", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("application/json, text/event-stream", False),
        ("application/graphql-response+json, text/event-stream, multipart/mixed", False),
        ("*/*", False),
        (None, False),
    ],
)
def test_only_who_prefers_events_gets_them(accept: str | None, expected: bool) -> None:
    assert wants_events(accept) is expected


class TestSending:
    """How events are sent, whatever they are."""

    async def test_silence_is_broken_by_comments(self) -> None:
        stage, sent = Stage(), []

        async def send(message: Message) -> None:
            sent.append(message.get("body"))
            if len(sent) == 5:
                stage.gate.set()

        results = await product().results(OperationRequest("subscription { count(to: 1) }"), stage)
        await send_events(results, send, heartbeat_seconds=0.001)

        assert sent[1] == sent[3] == sent[4] == b":\n\n"
        assert sent[-1] == b"event: complete\ndata:\n\n"

    async def test_a_client_that_does_not_read_is_dropped(self) -> None:
        stage = Stage()

        async def send(message: Message) -> None:
            if message.get("body", b"").startswith(b"event"):
                await asyncio.Event().wait()

        results = await product().results(OperationRequest("subscription { count }"), stage)
        await send_events(results, send, stall_seconds=0.01)

        assert stage.log == ["closed"]

    async def test_a_client_that_goes_away_ends_the_subscription(self) -> None:
        stage, schema = Stage(), product()
        endpoint = GraphQLEndpoint(
            lambda _: schema, context_of=lambda _: stage, request_id_of=lambda _: "r1"
        )
        arriving: asyncio.Queue[Message] = asyncio.Queue()
        body = json.dumps({"query": "subscription { count(to: 1) }"}).encode()
        arriving.put_nowait({"type": "http.request", "body": body})

        async def send(message: Message) -> None:
            if b"count" in message.get("body", b""):
                arriving.put_nowait({"type": "http.disconnect"})

        headers = [(b"accept", b"text/event-stream"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "headers": headers, "query_string": b""}
        async with asyncio.timeout(10):
            await endpoint(scope, arriving.get, send)

        assert stage.log == ["closed"]
