"""GraphQL over WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect
from structlog.testing import capture_logs

from gql_platform.app import create_app
from gql_platform.graphql.execution.websocket import MAX_SUBSCRIPTIONS, WebSocketEndpoint
from gql_platform.settings import Settings
from gql_platform.testing import in_memory_services
from tests.app import BASE_URL, KEY
from tests.graphql.execution.products import Stage, product

URL = "ws://localhost:8000/graphql"
PROTOCOL = "graphql-transport-ws"
SUBSCRIPTION = "subscription { liveMetrics(intervalSeconds: 0.1) { models { model } } }"


def client_of(settings: Settings) -> Iterator[TestClient]:
    key = settings.api_secret_key.get_secret_value() if settings.api_secret_key else None
    services = in_memory_services(secret_key=key)
    with TestClient(create_app(settings, services), base_url=BASE_URL) as client:
        while client.get("/health/ready").status_code != 200:
            pass
        yield client
    asyncio.run(services.close())


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A client of a server that is open to its own machine."""
    yield from client_of(Settings())


@pytest.fixture
def keyed_client() -> Iterator[TestClient]:
    """A client of a server with a key."""
    yield from client_of(Settings(api_secret_key=KEY))  # type: ignore[arg-type]


def greet(socket: WebSocketTestSession, payload: dict[str, Any] | None = None) -> None:
    socket.send_json({"type": "connection_init", **({"payload": payload} if payload else {})})
    assert socket.receive_json() == {"type": "connection_ack"}


def subscribe(socket: WebSocketTestSession, query: str) -> dict[str, Any]:
    socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
    message: dict[str, Any] = socket.receive_json()
    return message


def read_on(socket: WebSocketTestSession) -> None:
    """Read until the server closes the connection."""
    while True:
        socket.receive_json()


def test_events_come_until_the_client_completes(client: TestClient) -> None:
    with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
        greet(socket)
        first = subscribe(socket, SUBSCRIPTION)
        second = socket.receive_json()
        socket.send_json({"id": "1", "type": "complete"})

    expected = {"models": [{"model": "house_price"}, {"model": "iris_species"}]}
    assert first["payload"]["data"]["liveMetrics"] == expected
    assert second["payload"]["data"]["liveMetrics"] == expected


def test_queries_run_over_it_as_well(client: TestClient) -> None:
    with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
        greet(socket)
        message = subscribe(socket, "{ server { state } }")
        done = socket.receive_json()

    assert message["payload"]["data"] == {"server": {"state": "HEALTHY"}}
    assert done == {"id": "1", "type": "complete"}


def test_messages_are_text(client: TestClient) -> None:
    with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
        socket.send_json({"type": "connection_init"})
        assert json.loads(socket.receive()["text"]) == {"type": "connection_ack"}


def test_errors_are_typed(client: TestClient) -> None:
    with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
        greet(socket)
        failed = subscribe(socket, 'subscription { liveMetrics(model: "x") { sampledAt } }')
        assert socket.receive_json() == {"id": "1", "type": "complete"}
        invalid = subscribe(socket, "subscription { nope }")

    assert failed["payload"]["errors"][0]["extensions"]["code"] == "MODEL_NOT_FOUND"
    assert invalid["type"] == "error"
    assert invalid["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        "5",
        "null",
        '"text"',
        "{}",
        "{",
        '{"type": 5}',
        '{"type": "start"}',
        '{"type": "complete", "id": []}',
        '{"type": "subscribe", "payload": {"query": "{ server { state } }"}}',
        '{"type": "subscribe", "id": [], "payload": {"query": "{ server { state } }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ server { state } }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": " "}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": [1]}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "operationName": 1}}',
    ],
)
def test_what_is_no_message_closes_the_connection(client: TestClient, message: str) -> None:
    with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
        greet(socket)
        socket.send_text(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()

    assert closed.value.code == 4400
    assert closed.value.reason


def test_a_client_that_goes_away_leaves_no_error(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            greet(socket)
            subscribe(socket, SUBSCRIPTION)

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_old_protocol_is_not_spoken(client: TestClient) -> None:
    with (
        client.websocket_connect(URL, subprotocols=["graphql-ws"]) as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()

    assert closed.value.code == 4406


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_other_web_pages_are_kept_out(client: TestClient, headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(URL, subprotocols=[PROTOCOL], headers=headers),
    ):
        pass


class TestKey:
    """A server with a key takes it in the handshake or in the first message."""

    def test_in_the_first_message(self, keyed_client: TestClient) -> None:
        with keyed_client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            greet(socket, {"Authorization": f"Bearer {KEY}"})
            message = subscribe(socket, SUBSCRIPTION)

        assert message["type"] == "next"
        assert "errors" not in message["payload"]

    def test_in_the_handshake(self, keyed_client: TestClient) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        with keyed_client.websocket_connect(
            URL, subprotocols=[PROTOCOL], headers=headers
        ) as socket:
            greet(socket)
            message = subscribe(socket, SUBSCRIPTION)

        assert "errors" not in message["payload"]

    def test_without_it_nothing_is_told(self, keyed_client: TestClient) -> None:
        with keyed_client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            greet(socket)
            message = subscribe(socket, SUBSCRIPTION)

        assert message["payload"]["data"] is None
        assert message["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    def test_a_wrong_one_closes_the_connection(self, keyed_client: TestClient) -> None:
        with keyed_client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer no"}})
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_json()

        assert closed.value.code == 4403


class TestProtocol:
    """What a client may not do closes the connection with the code of the protocol."""

    @pytest.mark.parametrize(
        ("messages", "code"),
        [
            ([{"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION}}], 4401),
            ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
            ([{"type": "connection_init", "payload": []}], 4400),
            (
                [
                    {"type": "connection_init"},
                    {"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION}},
                    {"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION}},
                ],
                4409,
            ),
            (
                [
                    {"type": "connection_init"},
                    *(
                        {"type": "subscribe", "id": str(i), "payload": {"query": SUBSCRIPTION}}
                        for i in range(MAX_SUBSCRIPTIONS + 1)
                    ),
                ],
                4429,
            ),
        ],
    )
    def test_breach(self, client: TestClient, messages: list[object], code: int) -> None:
        with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            for message in messages:
                socket.send_json(message)
            with pytest.raises(WebSocketDisconnect) as closed:
                read_on(socket)

        assert closed.value.code == code

    def test_ping_is_answered(self, client: TestClient) -> None:
        with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            socket.send_json({"type": "ping"})
            assert socket.receive_json() == {"type": "pong"}

    def test_an_id_is_free_again_when_its_operation_is_complete(self, client: TestClient) -> None:
        with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            greet(socket)
            for _ in range(2):
                assert subscribe(socket, "{ server { state } }")["type"] == "next"
                assert socket.receive_json() == {"id": "1", "type": "complete"}

    def test_an_unknown_operation_is_told_as_over_http(self, client: TestClient) -> None:
        payload = {"query": "query A { server { state } }", "operationName": "B"}
        with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
            greet(socket)
            socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            message = socket.receive_json()

        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "UNKNOWN_OPERATION"

    def test_each_connection_leaves_one_line(self, client: TestClient) -> None:
        with capture_logs() as lines:
            with client.websocket_connect(URL, subprotocols=[PROTOCOL]) as socket:
                greet(socket)
                subscribe(socket, "{ server { state } }")
                socket.receive_json()
            # The next request ends behind the connection.
            client.get("/health")
        (line,) = [line for line in lines if line["event"] == "websocket"]
        assert (line["path"], line["operations"], line["code"]) == ("/graphql", 1, 1000)


@pytest.mark.anyio
async def test_a_client_that_does_not_read_is_told_and_closed() -> None:
    stage, sent = Stage(), []
    schema = product()
    endpoint = WebSocketEndpoint(
        lambda _: schema,
        context_of=lambda _: stage,
        greet=lambda _, __: True,
        stall_seconds=0.01,
    )
    arriving: asyncio.Queue[Message] = asyncio.Queue()
    for message in (
        {"type": "connection_init"},
        {"type": "subscribe", "id": "1", "payload": {"query": "subscription { count }"}},
    ):
        arriving.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def send(message: Message) -> None:
        sent.append(message)
        if '"next"' in message.get("text", ""):
            await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "websocket.connect"} if not sent else await arriving.get()

    scope = {"type": "websocket", "path": "/", "subprotocols": [PROTOCOL]}
    async with asyncio.timeout(10):
        await endpoint(scope, receive, send)

    assert sent[-1] == {
        "type": "websocket.close",
        "code": 1013,
        "reason": "The client reads too slowly",
    }
    assert stage.log == ["closed"]


@pytest.mark.anyio
async def test_a_message_of_an_operation_that_its_client_ended_is_not_waited_for() -> None:
    stage, sent = Stage(), []
    schema = product()
    stall_seconds = 0.01
    endpoint = WebSocketEndpoint(
        lambda _: schema,
        context_of=lambda _: stage,
        greet=lambda _, __: True,
        stall_seconds=stall_seconds,
    )
    is_stalled = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        if '"next"' in message.get("text", ""):
            is_stalled.set()
            await asyncio.Event().wait()

    async def client() -> AsyncIterator[Message]:
        yield {"type": "websocket.connect"}
        yield said({"type": "connection_init"})
        payload = {"query": "subscription { count }"}
        yield said({"id": "1", "type": "subscribe", "payload": payload})
        await is_stalled.wait()
        yield said({"id": "1", "type": "complete"})
        clock = asyncio.get_running_loop()
        end = clock.time() + 5 * stall_seconds
        while clock.time() < end:
            yield said({"type": "pong"})
            await asyncio.sleep(0)
        yield {"type": "websocket.disconnect", "code": 1000}

    scope = {"type": "websocket", "path": "/", "subprotocols": [PROTOCOL]}
    async with asyncio.timeout(10):
        await endpoint(scope, client().__anext__, send)

    assert [message["type"] for message in sent] == [
        "websocket.accept",
        "websocket.send",
        "websocket.send",
    ]
    assert stage.log == ["closed"]


def said(message: dict[str, Any]) -> Message:
    """Return what the server receives when a client sends a message."""
    return {"type": "websocket.receive", "text": json.dumps(message)}
