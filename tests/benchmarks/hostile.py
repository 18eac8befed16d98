"""What a thousand hostile documents cost, and what they do to a client who asks for little."""

import asyncio
import json
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psutil

from tests.benchmarks.load import post
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.graphql.execution.limits.hostile import PER_FAMILY, Hostile, hostile_documents

MEBIBYTE = 1024 * 1024
PAUSE_SECONDS = 0.005
"""How long the benign client waits after an answer."""
ALONE_SECONDS = 10.0
SLOWEST = 6
"""How many families are listed."""
BENIGN = post("/graphql", b'{"query":"{ server { state } }"}')

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A hostile request as it goes over the wire.

    Attributes:
        family: The name of its family.
        message: The request.
    """

    family: str
    message: bytes


@dataclass(slots=True)
class Cost:
    """What the hostile documents cost.

    Attributes:
        seconds: How long each answer took, by family.
        grown_bytes: How much resident memory the server has more than before, after each.
    """

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    grown_bytes: list[int] = field(default_factory=list)


class Connection:
    """A connection that stays open, and is opened anew where the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, message: bytes) -> tuple[float, bytes]:
        """Send a request, and return the seconds until all of the answer was there, and its body.

        Raises:
            AssertionError: If the server says that it failed.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        began = time.perf_counter()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        body = await reader.readexactly(int(length[1]))
        seconds = time.perf_counter() - began
        assert not head.startswith(b"HTTP/1.1 5"), head
        if _CLOSES.search(head):
            self.close()
        return seconds, body

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def measure(plan: Plan, product: Product) -> Iterator[Table]:
    """Send each hostile document once, beside a client who asks for little all the time."""
    per_family, alone_seconds = (PER_FAMILY, ALONE_SECONDS) if plan.starts else (1, 0.2)
    # All are written beforehand, so that the load generator has little to do beside the server.
    prepared = [_prepare(sent) for sent in hostile_documents(per_family)]
    alone, beside, cost = asyncio.run(_measure(product, prepared, alone_seconds))
    yield _costs(cost)
    yield _slowest(cost)
    yield _benign(alone, beside)


def _prepare(sent: Hostile) -> Prepared:
    body = json.dumps({"query": sent.text, "variables": sent.variables})
    return Prepared(sent.family, post("/graphql", body.encode()))


async def _measure(
    product: Product, prepared: Sequence[Prepared], alone_seconds: float
) -> tuple[list[float], list[float], Cost]:
    """Return the seconds of the benign client, alone and beside, and what the others cost."""
    alone, beside = _Benign(product.port), _Benign(product.port)
    try:
        # What the first requests make is no growth.
        await alone.warm_up()
        asking = asyncio.create_task(alone.ask_on())
        await asyncio.wait([asking], timeout=alone_seconds)
        await alone.stop(asking)
        asking = asyncio.create_task(beside.ask_on())
        cost = await _send(product, prepared)
        await beside.stop(asking)
    finally:
        alone.connection.close()
        beside.connection.close()
    return alone.seconds, beside.seconds, cost


class _Benign:
    """A client who asks, waits a little, and asks again."""

    def __init__(self, port: int) -> None:
        self.connection = Connection(port)
        self.seconds: list[float] = []
        self._stopped = asyncio.Event()

    async def warm_up(self) -> None:
        """Ask for a while without measuring."""
        for _ in range(200):
            await self.connection.ask(BENIGN)

    async def ask_on(self) -> None:
        """Ask until `stop` is called."""
        while not self._stopped.is_set():
            seconds, body = await self.connection.ask(BENIGN)
            assert b'"HEALTHY"' in body, body
            self.seconds.append(seconds)
            await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self, asking: asyncio.Task[None]) -> None:
        """Let the last answer come."""
        self._stopped.set()
        await asking


async def _send(product: Product, prepared: Sequence[Prepared]) -> Cost:
    cost = Cost()
    connection = Connection(product.port)
    process = psutil.Process(product.pid)
    before = process.memory_info().rss
    for sent in prepared:
        seconds, body = await connection.ask(sent.message)
        assert b'"data"' not in body, sent.family
        cost.seconds[sent.family].append(seconds)
        cost.grown_bytes.append(process.memory_info().rss - before)
    connection.close()
    return cost


def _costs(cost: Cost) -> Table:
    seconds = [each for family in cost.seconds.values() for each in family]
    return Table(
        title=f"{len(seconds):,} hostile documents over one connection",
        header=["figure", "measured", "target"],
        rows=[
            ["p50, ms", _ms(_quantile(seconds, 0.5)), ""],
            ["p99, ms", _ms(_quantile(seconds, 0.99)), "at most 100"],
            ["longest, ms", _ms(max(seconds)), ""],
            ["memory grown in the end, MiB", _mib(cost.grown_bytes[-1]), "at most 32"],
            ["memory grown meanwhile, MiB", _mib(max(cost.grown_bytes)), ""],
        ],
    )


def _slowest(cost: Cost) -> Table:
    ordered = sorted(cost.seconds.items(), key=lambda family: -max(family[1]))
    return Table(
        title="the families of hostile documents that take longest",
        header=["family", "p50 ms", "longest ms"],
        rows=[
            [f"`{name}`", _ms(statistics.median(seconds)), _ms(max(seconds))]
            for name, seconds in ordered[:SLOWEST]
        ],
    )


def _benign(alone: Sequence[float], beside: Sequence[float]) -> Table:
    quantiles = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    both = {name: [_quantile(each, q) for each in (alone, beside)] for name, q in quantiles.items()}
    return Table(
        title="`{ server { state } }` of another client meanwhile",
        header=["milliseconds", "alone", "beside the hostile documents", "ratio", "target"],
        rows=[
            [name, _ms(before), _ms(after), f"{after / before:.1f}",
             "at most 2" if name == "p99" else ""]
            for name, (before, after) in both.items()
        ],
        notes=[
            f"{len(alone):,} requests alone and {len(beside):,} beside.",
            f"It asks again {PAUSE_SECONDS * 1e3:.0f} ms after each answer.",
        ],
    )  # fmt: skip


def _quantile(seconds: Sequence[float], quantile: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}"


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / MEBIBYTE:.1f}"
