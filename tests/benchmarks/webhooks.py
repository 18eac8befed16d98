"""Webhooks: how many messages a second reach a receiver that fails three times out of ten."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx2

from gql_platform.adapters.receivers import Receivers
from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.events import SqlEventLog
from gql_platform.adapters.sql.upgrade import upgrade
from gql_platform.adapters.sql.watch import watch_sqlite
from gql_platform.adapters.sql.webhooks import SqlWebhookStore
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.dispatch import MESSAGES_AT_ONCE, Dispatcher
from gql_platform.webhooks.records import DeliveryState, Webhook
from gql_platform.webhooks.schedule import MAX_ATTEMPTS, WAITS
from gql_platform.webhooks.signing import new_secret
from tests.benchmarks.plan import ROOT, Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table

MESSAGES = 4_000
ENDPOINTS = (1, 4, 16)
FAILURES = 0.3
TIMEOUT_SECONDS = 15.0
AT_ONCE = 100

EVENT = NewEvent("benchmark.happened", "Benchmark", "one", "bench", {"revision": 1, "action": "X"})
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ID = re.compile(rb"webhook-id: (\S+)", re.IGNORECASE)


class Counts:
    """What the receiver has seen."""

    def __init__(self) -> None:
        self.requests = 0
        self.taken: set[bytes] = set()
        self.random = Random(1)  # noqa: S311 - failures are no secrets


class Connection(asyncio.Protocol):
    """A connection to the receiver: one message, or the question what has come so far."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as all of a request is there."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            self._transport.write(self._answer(head))
            self._transport.close()

    def _answer(self, head: bytes) -> bytes:
        identifier = _ID.search(head)
        if identifier is None:
            seen = {"requests": self._counts.requests, "taken": len(self._counts.taken)}
            return b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + json.dumps(seen).encode()
        self._counts.requests += 1
        if self._counts.random.random() < FAILURES:
            return b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        self._counts.taken.add(identifier[1])
        return b"HTTP/1.1 204 No Content\r\n\r\n"


async def receive() -> None:
    """Be the receiver, and print the port."""
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(counts), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def running_receiver() -> Iterator[str]:
    """Run the receiver in a process of its own, and give its address."""
    command = [sys.executable, "-m", "tests.benchmarks.webhooks"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/in"
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@dataclass
class Clock:
    """The time, which can be put forward: waits between attempts are not what is measured."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.ahead


def webhooks_to(url: str, count: int) -> list[Webhook]:
    """Return webhooks that all ask for everything."""
    return [
        Webhook(
            id=f"{number:08d}-0000-4000-8000-000000000000",
            url=url,
            description="",
            types=(),
            subject_kind=None,
            subject_id=None,
            secret=new_secret(bytes),
            previous_secret=None,
            previous_secret_until=None,
            is_enabled=True,
            disabled_because=None,
            paused_until=None,
            created_at=datetime.now(UTC),
            created_by="bench",
        )
        for number in range(count)
    ]


async def nobody_is_gone(webhook_id: str) -> None:
    """Stop: no receiver answers so."""
    raise AssertionError(webhook_id)


async def drain(dispatcher: Dispatcher, clock: Clock) -> tuple[float, float]:
    """Send until nothing is left; return wall and CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    for wait in (timedelta(), *WAITS):
        clock.ahead += wait
        while await dispatcher.begin():
            await dispatcher.end()
    return time.perf_counter() - wall, time.process_time() - cpu


async def _measured(folder: Path, url: str, *, endpoints: int, messages: int) -> list[str]:
    """Write events down for so many endpoints, send them, and return the row of the table."""
    address = Address.parsed(f"sqlite:///{folder / f'{endpoints}.db'}")
    database, clock = Database(address, upgrade=upgrade), Clock()
    await database.prepare()
    store = SqlWebhookStore(database)
    events = Events(database, SqlEventLog(database, watch=watch_sqlite), outbox=store)
    async with database.begin() as transaction:
        for webhook in webhooks_to(url, endpoints):
            await store.put_webhook(transaction, webhook)
    count = messages // endpoints
    for begin in range(0, count, AT_ONCE):
        await events.record(*[EVENT] * min(AT_ONCE, count - begin))
    dispatcher = Dispatcher(
        store,
        Receivers(timeout_seconds=TIMEOUT_SECONDS),
        AddressGuard([ip_network("127.0.0.0/8")]),
        nobody_is_gone,
        timeout_seconds=TIMEOUT_SECONDS,
        now=clock.now,
    )
    before = _seen(url)
    wall, cpu = await drain(dispatcher, clock)
    after = _seen(url)
    attempts, arrived = (after[key] - before[key] for key in ("requests", "taken"))
    dead = 0
    for webhook in await store.webhooks(after="", limit=endpoints):
        state = DeliveryState.DEAD
        dead += len(await store.deliveries(webhook.id, state=state, before=None, limit=count))
    await database.close()
    return [
        f"{endpoints}", f"{count * endpoints:,}", f"{attempts:,}", f"{arrived:,}", f"{dead}",
        f"{attempts / wall:,.0f}", f"{arrived / wall:,.0f}", f"{1e6 * cpu / attempts:,.0f}",
    ]  # fmt: skip


def _seen(url: str) -> dict[str, int]:
    found: dict[str, int] = httpx2.get(url).json()
    return found


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Send to one endpoint and to several, all of which are one receiver on this machine."""
    messages = MESSAGES if plan.starts else 64
    with TemporaryDirectory(dir=plan.data_dir) as folder, running_receiver() as url:
        rows = [
            asyncio.run(
                _measured(Path(folder).resolve(), url, endpoints=endpoints, messages=messages)
            )
            for endpoints in ENDPOINTS
        ]
    yield Table(
        f"Webhooks from SQLite to a receiver that fails {FAILURES:.0%} of requests",
        [
            "endpoints", "messages", "attempts", "arrived", "given up", "attempts per second",
            "arrivals per second", "CPU µs per attempt",
        ],
        rows,
        [
            f"An endpoint gets {MESSAGES_AT_ONCE} messages at once, over a connection each.",
            f"The clock is put forward between the {MAX_ATTEMPTS} attempts: only work is measured.",
        ],
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(receive())
