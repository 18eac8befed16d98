"""Jobs: how quickly they are queued, and how soon a worker that is there begins and ends them."""

import asyncio
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gql_platform.adapters.dbos.engine import DbosJobEngine
from gql_platform.adapters.dbos.queue import Queue
from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.events import SqlEventLog
from gql_platform.adapters.sql.idempotency import SqlRequestKeys
from gql_platform.adapters.sql.notifications import watch_postgresql
from gql_platform.adapters.sql.upgrade import upgrade
from gql_platform.adapters.sql.watch import watch_sqlite
from gql_platform.adapters.sql.webhooks import SqlWebhookStore
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.records import Job
from gql_platform.jobs.service import Jobs
from tests.benchmarks.job_worker import TRIVIAL
from tests.benchmarks.plan import ROOT, Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.postgresql import PostgreSQL

QUEUED = 200
AT_ONCE = 8
DONE = 20

WAITING = "waiting"
"""A kind that is queued and never worked on."""


@asynccontextmanager
async def jobs_at(uri: str) -> AsyncIterator[Jobs]:
    """Open jobs as a server does."""
    address = Address.parsed(uri)
    database = Database(address, upgrade=upgrade)
    await database.prepare()
    watch = watch_sqlite if address.is_sqlite else watch_postgresql
    log = SqlEventLog(database, watch=watch)
    events = Events(database, log, outbox=SqlWebhookStore(database))
    idempotency = Idempotency(database, SqlRequestKeys(database))
    jobs = Jobs(DbosJobEngine(database, open_queue=Queue), idempotency, events)
    yield jobs
    await jobs.close()
    await database.close()


@contextmanager
def running_worker(uri: str) -> Iterator[None]:
    """Let a worker of the trivial kind run in a process of its own, and wait until it is there."""
    command = [sys.executable, "-m", "tests.benchmarks.job_worker", uri]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        try:
            assert one.stdout.readline() == b"ready\n"
            yield
        finally:
            one.kill()


async def queued_per_second(jobs: Jobs, *, count: int, at_once: int) -> float:
    """Queue jobs, each with a key, and return how many a second are."""

    async def queue(share: int) -> None:
        for _ in range(share):
            await jobs.start(WAITING, {}, by="bench", key=uuid.uuid4().hex)

    begun = time.perf_counter()
    await asyncio.gather(*(queue(count // at_once) for _ in range(at_once)))
    return count / (time.perf_counter() - begun)


async def done(jobs: Jobs) -> Job:
    """Queue a trivial job, and return it when it is done."""
    job = await jobs.start(TRIVIAL, {}, by="bench")
    async for each in jobs.follow(job.id):
        job = each
    assert job.result == {}, job
    return job


async def _measured(
    stores: Sequence[tuple[str, str, str]], *, queued: int, done_each: int
) -> tuple[list[list[str]], list[list[str]]]:
    """Measure each store, and return the rows of both tables."""
    rates, times = [], []
    for name, queueing, working in stores:
        async with jobs_at(queueing) as jobs:
            await jobs.start(WAITING, {}, by="bench")
            for at_once in (1, AT_ONCE):
                rate = await queued_per_second(jobs, count=queued, at_once=at_once)
                rates.append([f"{name}, {at_once} at once", f"{rate:,.0f}"])
        async with jobs_at(working) as jobs:
            with running_worker(working):
                await done(jobs)
                found = [await done(jobs) for _ in range(done_each)]
        times.append([name, *_seconds(found)])
    return rates, times


def _seconds(found: Sequence[Job]) -> list[str]:
    """Return the median and the longest time to the start of jobs, and to their end."""
    cells = []
    for ends in ([each.started_at for each in found], [each.finished_at for each in found]):
        seconds = [
            (end - job.created_at).total_seconds()
            for job, end in zip(found, ends, strict=True)
            if end is not None
        ]
        cells += [f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"]
    return cells


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Measure on SQLite files and on a PostgreSQL of this machine."""
    is_whole = plan.starts > 0
    with TemporaryDirectory(dir=plan.data_dir) as folder, PostgreSQL() as server:
        file = f"sqlite:///{Path(folder).resolve()}"
        stores = [
            ("SQLite", f"{file}/queueing.db", f"{file}/working.db"),
            ("PostgreSQL", server.new_database(), server.new_database()),
        ]
        queued, done_each = (QUEUED, DONE) if is_whole else (AT_ONCE, 1)
        rates, times = asyncio.run(_measured(stores, queued=queued, done_each=done_each))
    yield Table(
        "Jobs queued by the service",
        ["queueing", "jobs per second"],
        rates,
        ["Each is one transaction: the key, the job, its place in DBOS's queue, and an event."],
    )
    yield Table(
        "A job that does nothing, with a worker that is there, in seconds after it was queued",
        ["working", "started, median", "started, longest", "ended, median", "ended, longest"],
        times,
        ["The worker looks twice a second; each job has a process of its own."],
    )
