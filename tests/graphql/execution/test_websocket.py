"""GraphQL over WebSocket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from gql_platform.app import create_app
from gql_platform.settings import Settings
from gql_platform.testing import in_memory_services
from tests.app import BASE_URL, KEY

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
    services.close()


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
