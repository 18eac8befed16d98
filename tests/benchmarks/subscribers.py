"""Many subscribers of one subscription over WebSockets, in a server of their own."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import strawberry
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gql_platform.graphql.execution.plans import InstanceOf
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.websocket import PROTOCOL, WebSocketEndpoint
from tests.benchmarks.plan import ROOT, Plan
from tests.benchmarks.processes import Product, cpu_seconds
from tests.benchmarks.report import Table
from tests.graphql.execution.products import Hooks

SUBSCRIBERS = 500
EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """What is delivered.

    Attributes:
        sequence: Its number, from 0.
        name: A short text.
        share: A number.
    """

    sequence: int
    name: str
    share: float


@strawberry.type
class EventType:
    """What is delivered."""

    is_type_of = InstanceOf(Event)

    sequence: int
    name: str
    share: float


@strawberry.type
class Query:
    """A query, which every schema has."""

    @strawberry.field
    def nothing(self) -> bool:
        """Nothing."""
        return False


@strawberry.type
class Subscription:
    """The subscription."""

    @strawberry.subscription(graphql_type=EventType)  # type: ignore[untyped-decorator]
    async def events(self, count: int) -> AsyncIterator[Event]:
        """Deliver so many events, one after the other."""
        for sequence in range(count):
            yield Event(sequence, "an event", sequence / 2)
            await asyncio.sleep(0)


async def floor(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the same bytes without GraphQL."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
    message = await receive()
    count = int(message["text"])
    for sequence in range(count):
        data = f'{{"sequence":{sequence},"name":"an event","share":{sequence / 2}}}'
        text = f'{{"id":"1","type":"next","payload":{{"data":{{"events":{data}}}}}}}'
        await send({"type": "websocket.send", "text": text})
        await asyncio.sleep(0)
    await send({"type": "websocket.send", "text": '{"id":"1","type":"complete"}'})
    await receive()


def serve() -> None:
    """Serve both, and print the port."""
    schema = CompiledSchema(Query, subscription=Subscription, hooks=Hooks())
    graphql = WebSocketEndpoint(
        lambda _: schema, context_of=lambda _: None, greet=lambda _, __: True
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await (floor if scope["path"] == "/floor" else graphql)(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, lifespan="off", log_level="error", ws_ping_interval=None)
    uvicorn.Server(config).run(sockets=[listener])


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Deliver events to all subscribers at once, with GraphQL and without."""
    subscribers, events = (SUBSCRIBERS, EVENTS) if plan.starts else (4, 20)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.subscribers"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        rows = []
        for name, path in (("raw ASGI, the same bytes: the floor", "/floor"), ("GraphQL", "/")):
            begun, started = cpu_seconds(process.pid), time.perf_counter()
            wrong = asyncio.run(_deliver(f"ws://127.0.0.1:{port}{path}", subscribers, events))
            cpu_us = (cpu_seconds(process.pid) - begun) * 1e6 / (subscribers * events)
            wall = time.perf_counter() - started
            rows.append([name, f"{subscribers * events:,}", f"{wrong}", f"{cpu_us:.1f}",
                         f"{wall:.1f}"])  # fmt: skip
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
    yield Table(
        title=f"{subscribers} subscribers x {events} events",
        header=[
            "variant", "deliveries", "lost, repeated or out of order", "CPU µs per delivery",
            "seconds",
        ],
        rows=rows,
    )  # fmt: skip


async def _deliver(url: str, subscribers: int, events: int) -> int:
    """Return how many deliveries were not the one that was due."""
    results = await asyncio.gather(*(_subscriber(url, events) for _ in range(subscribers)))
    return sum(results)


async def _subscriber(url: str, events: int) -> int:
    protocols = [Subprotocol(PROTOCOL)]
    async with connect(
        url, subprotocols=protocols, compression=None, ping_interval=None, open_timeout=120
    ) as connection:
        if url.endswith("/floor"):
            await connection.send(str(events))
        else:
            await _subscribe(connection, events)
        wrong: int = 0
        for sequence in range(events):
            message = json.loads(await connection.recv())
            wrong += message["payload"]["data"]["events"]["sequence"] != sequence
        wrong += json.loads(await connection.recv())["type"] != "complete"
        return wrong


async def _subscribe(connection: ClientConnection, events: int) -> None:
    await connection.send('{"type":"connection_init"}')
    assert json.loads(await connection.recv())["type"] == "connection_ack"
    query = f"subscription {{ events(count: {events}) {{ sequence name share }} }}"
    await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))


if __name__ == "__main__":
    serve()
