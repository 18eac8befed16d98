"""Events: how quickly they are written down, handed to many, and heard of elsewhere."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.events import SqlEventLog
from gql_platform.adapters.sql.notifications import watch_postgresql
from gql_platform.adapters.sql.upgrade import upgrade
from gql_platform.adapters.sql.watch import watch_sqlite
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.postgresql import PostgreSQL

SUBSCRIBERS = 500
EVENTS = 1_000
WRITES = 500
WRITERS = 8
AT_ONCE = 100
WAKE_UPS = 50

EVENT = NewEvent("benchmark.happened", "Benchmark", "one", "bench", {"revision": 1, "action": "X"})


@asynccontextmanager
async def events_at(uri: str) -> AsyncIterator[Events]:
    """Open events as one server does."""
    address = Address.parsed(uri)
    database = Database(address, upgrade=upgrade)
    await database.prepare()
    watch = watch_sqlite if address.is_sqlite else watch_postgresql
    yield Events(database, SqlEventLog(database, watch=watch))
    await database.close()


async def written_per_second(events: Events, *, count: int, writers: int, at_once: int) -> float:
    """Write events down, so many in each transaction, and return how many a second are."""

    async def write(transactions: int) -> None:
        for _ in range(transactions):
            await events.record(*[EVENT] * at_once)

    begun = time.perf_counter()
    await asyncio.gather(*(write(count // writers // at_once) for _ in range(writers)))
    return count / (time.perf_counter() - begun)


async def delivered(events: Events, *, subscribers: int, count: int) -> tuple[int, float, float]:
    """Hand events to many, and return wrong ones, CPU and wall seconds."""
    first = await events.newest() + 1

    async def follow() -> int:
        async with aclosing(events.follow(after=first - 1)) as deliveries:
            found = [(await anext(deliveries)).event.sequence for _ in range(count)]
        return sum(a != b for a, b in zip(found, range(first, first + count), strict=True))

    followers = [asyncio.create_task(follow()) for _ in range(subscribers)]
    await asyncio.sleep(0.5)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(count // 10):
        await events.record(*[EVENT] * 10)
    wrong = sum(await asyncio.gather(*followers))
    return wrong, time.process_time() - cpu, time.perf_counter() - wall


async def wake_ups(here: Events, there: Events, *, count: int) -> list[float]:
    """Return how many milliseconds after its commit each event arrives at another server."""
    found = []
    async with aclosing(here.follow(after=await there.newest())) as deliveries:
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(0.5)
        for _ in range(count):
            await there.record(EVENT)
            committed = time.perf_counter()
            await waiting
            found.append(1000 * (time.perf_counter() - committed))
            waiting = asyncio.ensure_future(anext(deliveries))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    return found


async def _measured(
    stores: Sequence[tuple[str, str]], *, is_whole: bool
) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    """Measure each store, and return the rows of the three tables."""
    scale: Callable[[int, int], int] = lambda whole, part: whole if is_whole else part  # noqa: E731
    written, followed, heard = [], [], []
    for name, uri in stores:
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(events_at(uri))
            other = await stack.enter_async_context(events_at(uri))
            for writers, at_once in ((1, 1), (WRITERS, 1), (1, AT_ONCE)):
                count = scale(WRITES, writers) * at_once
                rate = await written_per_second(
                    events, count=count, writers=writers, at_once=at_once
                )
                written.append([f"{name}, {writers} at once, {at_once} each", f"{rate:,.0f}"])
            subscribers, count = scale(SUBSCRIBERS, 4), scale(EVENTS, 20)
            wrong, cpu, wall = await delivered(events, subscribers=subscribers, count=count)
            total = subscribers * count
            followed.append(
                [name, f"{total:,}", str(wrong), f"{1e6 * cpu / total:.2f}", f"{wall:.1f}"]
            )
            times = sorted(await wake_ups(events, other, count=scale(WAKE_UPS, 3)))
            heard.append(
                [
                    name,
                    *(f"{each:.1f}" for each in (statistics.median(times), times[-3], times[-1])),
                ]
            )
    return written, followed, heard


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Measure on a SQLite file and on a PostgreSQL of this machine."""
    with TemporaryDirectory(dir=plan.data_dir) as folder, PostgreSQL() as server:
        stores = [
            ("SQLite", f"sqlite:///{Path(folder).resolve()}/platform.db"),
            ("PostgreSQL", server.new_database()),
        ]
        rows = asyncio.run(_measured(stores, is_whole=plan.starts > 0))
    yield Table(
        "Events written down",
        ["writing", "events per second"],
        rows[0],
        ["Each transaction waits for the disk once: `synchronous=FULL`, `fsync=on`."],
    )
    yield Table(
        f"Events to {SUBSCRIBERS} followers in one process",
        [
            "following", "deliveries", "lost, repeated or out of order", "CPU µs per delivery",
            "seconds",
        ],
        rows[1],
        ["Writing is included. What GraphQL and WebSockets add is measured above."],
    )  # fmt: skip
    yield Table(
        "From the commit on one server to a follower on another, in ms",
        ["wake-up", "median", "third largest", "largest"],
        rows[2],
        ["PostgreSQL notifies; a SQLite file is looked at every 50 ms."],
    )
