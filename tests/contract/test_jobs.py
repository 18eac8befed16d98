"""Jobs are kept and done alike, on every engine."""

import asyncio
import os
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from gql_platform.adapters.dbos.engine import DbosJobEngine
from gql_platform.adapters.dbos.queue import Queue
from gql_platform.adapters.dbos.worker import Worker
from gql_platform.adapters.sql import jobs as rows
from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.workers import leave
from gql_platform.errors import (
    IdempotencyKeyReusedError,
    InvalidCursorError,
    JobFilterError,
    JobFinishedError,
    JobNotFoundError,
    JobPriorityError,
    JobsUnavailableError,
    JobUnfinishedError,
)
from gql_platform.events.records import EventFilter
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.records import (
    Backlog,
    Job,
    JobFilter,
    JobState,
    LogLevel,
    LogLine,
    LogRequest,
    Progress,
)
from gql_platform.jobs.service import Jobs
from gql_platform.paging import Page, encode_cursor
from gql_platform.testing import InMemoryDatabase, InMemoryJobEngine
from tests.contract.databases import SHARED, Kept
from tests.contract.job_kinds import KINDS

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

Ended = Callable[[str], Awaitable[None]]


@dataclass
class Clock:
    """A clock that goes on by a second whenever it is read."""

    now: datetime = field(default=NOON)

    def __call__(self) -> datetime:
        """Return the time."""
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Bench:
    """Jobs on one engine, and what does them.

    Attributes:
        kept: The database.
        engine: The engine.
        jobs: The service on it.
        attempts: What became of each attempt, and of what kind it was.
    """

    kept: Kept
    engine: JobEngine
    jobs: Jobs
    attempts: list[tuple[str, str]] = field(default_factory=list)

    def attempt_finished(self, *, kind: str, outcome: str, seconds: float) -> None:
        """Take note of an attempt."""
        assert 0.0 <= seconds < 60.0
        self.attempts.append((kind, outcome))

    async def start(self, kind: str, **given: object) -> Job:
        """Queue a job."""
        return await self.jobs.start(kind, given, by="me")

    async def found(self, job_id: str) -> Job:
        """Return a job that there is."""
        job = await self.jobs.job(job_id)
        assert job is not None
        return job

    async def done(self, kind: str, **given: object) -> Job:
        """Return a job after a worker was at it."""
        job = await self.start(kind, **given)
        async with self.worker() as ended:
            await ended(job.id)
        return await self.found(job.id)

    async def log(self, job: Job, *, first: int = 20, after: str | None = None) -> Page[LogLine]:
        """Return a page of the log of a job."""
        request = LogRequest.of_page(job.id, first=first, after=after)
        return (await self.jobs.log_pages([request]))[request]

    @asynccontextmanager
    async def worker(
        self, name: str | None = None, *, begins_within_seconds: float = 15.0
    ) -> AsyncIterator[Ended]:
        """Let a worker do jobs, and give what waits for the end of one."""
        if isinstance(self.engine, InMemoryJobEngine):
            engine = self.engine

            async def work(_: str) -> None:
                await engine.work(KINDS)

            yield work
            return
        assert self.kept.uri is not None
        address = Address.parsed(self.kept.uri)
        worker = Worker(
            address,
            [*KINDS.values()],
            name=name or str(uuid.uuid4()),
            observer=self,
            begins_within_seconds=begins_within_seconds,
        )
        await asyncio.to_thread(worker.start)
        try:
            yield lambda job_id: asyncio.to_thread(worker.wait, job_id)
        finally:
            await asyncio.to_thread(worker.stop)

    async def silence(self, worker: str) -> None:
        """Let time pass in which a worker is not heard of."""
        assert isinstance(self.kept.store, Database)
        async with self.kept.store.begin() as session:
            await session.run(partial(leave, name=worker))

    async def told(self, job: Job) -> list[tuple[str, str]]:
        """Return what was written down of a job: what happened, and who did it."""
        chosen = EventFilter(subject_kind="Job", subject_id=job.id)
        found = await self.kept.event_log.read(after=0, limit=100, chosen=chosen)
        return [(event.type, event.actor) for event in found.events]


async def started_worker(bench: Bench, name: str, *, jobs_at_once: int = 1) -> Process:
    """Start a worker in a process of its own, which stops when its input ends."""
    module = "tests.contract.job_worker"
    command = [sys.executable, "-m", module, str(bench.kept.uri), name, str(jobs_at_once)]
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE)


async def queued(bench: Bench) -> set[str]:
    """Return the jobs that the engine has in its queue, or had."""
    if isinstance(bench.engine, InMemoryJobEngine):
        return {job.id for job in await bench.engine.jobs(chosen=JobFilter(), after=None, limit=9)}
    assert isinstance(bench.kept.store, Database)
    async with bench.kept.store.read() as session:
        schema = "" if session.dialect == "sqlite" else "platform_dbos."
        asked = f"SELECT workflow_uuid FROM {schema}workflow_status"  # noqa: S608 - it has no input
        return {str(row.workflow_uuid) for row in await session.execute(text(asked))}


async def given_to(bench: Bench, job: Job, worker: str) -> bool:
    """Return whether DBOS has given a job to a worker."""
    assert isinstance(bench.kept.store, Database)
    async with bench.kept.store.read() as session:
        schema = "" if session.dialect == "sqlite" else "platform_dbos."
        asked = text(
            f"SELECT 1 FROM {schema}workflow_status"  # noqa: S608 - it has no input
            " WHERE workflow_uuid = :job AND status = 'PENDING' AND executor_id = :worker"
        )
        found = await session.execute(asked.bindparams(job=job.id, worker=worker))
        return found.first() is not None


@pytest.fixture
async def bench(kept: Kept) -> AsyncIterator[Bench]:
    """Each engine in turn, without jobs."""
    engine: JobEngine
    if isinstance(kept.store, InMemoryDatabase):
        engine = InMemoryJobEngine(kept.store)
    else:
        assert isinstance(kept.store, Database)
        engine = DbosJobEngine(kept.store, open_queue=Queue)
    events = Events(kept.store, kept.event_log, outbox=kept.webhooks)
    jobs = Jobs(engine, Idempotency(kept.store, kept.request_keys), events, now=Clock())
    yield Bench(kept, engine, jobs)
    await engine.close()


every_engine = pytest.mark.parametrize("kept", ["in_memory", *SHARED], indirect=True)
with_processes = pytest.mark.parametrize("kept", SHARED, indirect=True)


@every_engine
class TestKeeping:
    async def test_new_job_waits(self, bench: Bench) -> None:
        """A job is what was asked for, and nothing has happened to it."""
        job = await bench.jobs.start("add", {"numbers": [1]}, by="me", priority=7)
        assert job == await bench.found(job.id)
        assert job == Job(job.id, "add", {"numbers": [1]}, "me", job.created_at, 7)
        assert job.state is JobState.QUEUED

    async def test_rolled_back_job_is_none(self, bench: Bench) -> None:
        """A job whose transaction fails is not there, and no worker finds it."""
        await bench.engine.prepare()
        job = Job("0", "add", {"numbers": [1]}, "me", NOON, 1)

        async def fail() -> None:
            async with bench.kept.store.begin() as transaction:
                await bench.engine.enqueue(transaction, job)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await bench.jobs.job("0") is None
        async with bench.kept.store.begin() as transaction:
            await bench.engine.enqueue(transaction, job)
        assert await bench.found("0") == job

    async def test_key_queues_once(self, bench: Bench) -> None:
        """Parallel calls with one key are one job; with another input they are refused."""
        starts = (bench.jobs.start("add", {"numbers": [1]}, by="me", key="k") for _ in range(20))
        assert len({job.id for job in await asyncio.gather(*starts)}) == 1
        with pytest.raises(IdempotencyKeyReusedError):
            await bench.jobs.start("add", {"numbers": [2]}, by="me", key="k")
        assert len((await bench.jobs.page()).items) == 1

    async def test_pages_and_filters(self, bench: Bench) -> None:
        """Jobs come newest first, page by page, and by kind and state."""
        ids = [(await bench.start(kind, numbers=[1])).id for kind in ("add", "die", "add")]
        first = await bench.jobs.page(first=2)
        assert [job.id for job in first.items] == [ids[2], ids[1]]
        assert first.has_next
        rest = await bench.jobs.page(first=2, after=first.cursors[-1])
        assert [job.id for job in rest.items] == [ids[0]]
        assert not rest.has_next
        await bench.jobs.cancel(ids[0], by="me")
        cancelled = await bench.jobs.page(chosen=JobFilter(("add",), (JobState.CANCELLED,)))
        assert [job.id for job in cancelled.items] == [ids[0]]
        assert not (await bench.jobs.page(chosen=JobFilter(("hang",)))).items

    @pytest.mark.parametrize("kinds", [("a\x00",), ("",), ("x" * 101,), ("add",) * 21])
    async def test_kinds_that_are_none(self, bench: Bench, kinds: tuple[str, ...]) -> None:
        """What cannot be a kind is no outage of the database; nor is a cursor of another list."""
        with pytest.raises(JobFilterError):
            await bench.jobs.page(chosen=JobFilter(kinds))
        with pytest.raises(InvalidCursorError):
            await bench.jobs.page(after=encode_cursor("\x00"))

    async def test_what_cannot_be(self, bench: Bench) -> None:
        """Jobs that are none, done or not done are told apart."""
        with pytest.raises(JobNotFoundError):
            await bench.jobs.cancel("none", by="me")
        with pytest.raises(JobPriorityError):
            await bench.jobs.start("add", {}, by="me", priority=0)
        with pytest.raises(JobNotFoundError):
            await bench.jobs.retry("none", by="me")
        job = await bench.start("add", numbers=[1])
        with pytest.raises(JobUnfinishedError):
            await bench.jobs.retry(job.id, by="me")
        cancelled = await bench.jobs.cancel(job.id, by="me")
        assert cancelled.state is JobState.CANCELLED
        assert cancelled.finished_at is not None
        with pytest.raises(JobFinishedError):
            await bench.jobs.cancel(job.id, by="me")


@pytest.mark.parametrize("kept", ["sqlite_in_memory"], indirect=True)
async def test_no_jobs_in_memory(bench: Bench) -> None:
    """Where no worker could open the database, no job is kept that would wait for ever."""
    with pytest.raises(JobsUnavailableError):
        await bench.start("add", numbers=[1])
    assert (await bench.jobs.page()).items == ()


@every_engine
class TestWork:
    async def test_result_and_progress(self, bench: Bench) -> None:
        """A job that is done has its result, its last progress and its times."""
        job = await bench.done("add", numbers=[1, 2, 3])
        assert (job.state, job.result, job.failures) == (JobState.SUCCEEDED, {"total": 6}, 0)
        assert job.progress == Progress(1.0, "added 3", {"total": 6})
        assert job.started_at is not None
        assert job.finished_at is not None
        assert job.started_at <= job.finished_at

    async def test_tried_again(self, bench: Bench, tmp_path: Path) -> None:
        """What fails twice and then works has succeeded, and says what was wrong."""
        (marks := tmp_path / "marks").mkdir()
        job = await bench.done("failAtFirst", folder=str(marks), failures=2)
        assert (job.state, job.result, job.failures) == (JobState.SUCCEEDED, {"attempts": 3}, 2)
        assert job.error == "ValueError: attempt 2"

    async def test_fails_for_good_and_is_repeated(self, bench: Bench, tmp_path: Path) -> None:
        """After the last attempt a job has failed; a new one may do better."""
        (marks := tmp_path / "marks").mkdir()
        job = await bench.done("failAtFirst", folder=str(marks), failures=3)
        assert (job.state, job.failures) == (JobState.FAILED, 3)
        assert job.error == "ValueError: attempt 3"
        again = await bench.jobs.retry(job.id, by="you")
        assert (again.retry_of, again.input, again.created_by) == (job.id, job.input, "you")
        async with bench.worker() as ended:
            await ended(again.id)
        assert (await bench.found(again.id)).state is JobState.SUCCEEDED

    async def test_urgent_jobs_go_first(self, bench: Bench) -> None:
        """Of those that wait, the one with the lowest number is done first."""
        given = {"numbers": [1]}
        late = await bench.jobs.start("add", given, by="me", priority=9)
        soon = await bench.jobs.start("add", given, by="me", priority=1)
        async with bench.worker() as ended:
            await ended(late.id)
            await ended(soon.id)
        first, second = await bench.found(soon.id), await bench.found(late.id)
        assert first.finished_at is not None
        assert second.finished_at is not None
        assert first.finished_at <= second.finished_at

    async def test_cancelled_job_is_not_done(self, bench: Bench) -> None:
        """A worker passes over what was cancelled while it waited."""
        job = await bench.start("add", numbers=[1])
        await bench.jobs.cancel(job.id, by="me")
        async with bench.worker() as ended:
            await ended(job.id)
        found = await bench.found(job.id)
        assert (found.state, found.started_at, found.result) == (JobState.CANCELLED, None, None)

    async def test_log(self, bench: Bench, tmp_path: Path) -> None:
        """A job's log has what its work says, and why attempts failed, page by page."""
        (marks := tmp_path / "marks").mkdir()
        job = await bench.done("failAtFirst", folder=str(marks), failures=1)
        first = await bench.log(job, first=2)
        assert [(line.number, line.level, line.message) for line in first.items] == [
            (1, LogLevel.INFO, "0 marks"),
            (2, LogLevel.ERROR, "ValueError: attempt 1"),
        ]
        rest = await bench.log(job, first=2, after=first.cursors[-1])
        assert [(line.number, line.message) for line in rest.items] == [(3, "1 marks")]
        assert not rest.has_next

    async def test_logs_of_many(self, bench: Bench, tmp_path: Path) -> None:
        """Parts of several logs are read at once, each as it was asked for."""
        (marks := tmp_path / "marks").mkdir()
        failed = await bench.done("failAtFirst", folder=str(marks), failures=1)
        silent = await bench.done("add", numbers=[1])
        parts = [(failed, 0, 2), (failed, 2, 2), (failed, 0, 1), (silent, 0, 2)]
        requests = [LogRequest(job.id, after, limit) for job, after, limit in parts]
        found = await bench.engine.logs(requests)
        assert [[line.number for line in found[each]] for each in requests] == [
            [1, 2],
            [3],
            [1],
            [],
        ]

    async def test_old_jobs_are_forgotten(self, bench: Bench) -> None:
        """What was done long ago goes with its log; what is not done stays."""
        waiting = await bench.start("add", numbers=[1])
        cancelled = await bench.start("add", numbers=[1])
        await bench.jobs.cancel(cancelled.id, by="me")
        assert await bench.engine.finished(before=NOON, limit=10) == []
        later = NOON + timedelta(days=1)
        assert await bench.engine.finished(before=later, limit=10) == [cancelled.id]
        await bench.engine.forget([cancelled.id, "0" * 32])
        assert await queued(bench) == {waiting.id}
        assert await bench.jobs.job(cancelled.id) is None
        assert await bench.found(waiting.id) == waiting


@every_engine
class TestFollowing:
    async def test_up_to_its_end(self, bench: Bench) -> None:
        """Whoever follows a job sees it as it is, and its last state at the end."""
        job = await bench.start("add", numbers=[1, 2])
        followed = bench.jobs.follow(job.id)
        assert (await anext(followed)).state is JobState.QUEUED

        async def rest() -> list[Job]:
            return [each async for each in followed]

        following = asyncio.create_task(rest())
        async with bench.worker() as ended:
            await ended(job.id)
        seen = await asyncio.wait_for(following, timeout=30)
        assert seen[-1] == await bench.found(job.id)
        assert seen[-1].state is JobState.SUCCEEDED

    async def test_nothing_to_follow(self, bench: Bench) -> None:
        """A job that is none cannot be followed."""
        with pytest.raises(JobNotFoundError):
            await anext(bench.jobs.follow("none"))

    async def test_alone(self, bench: Bench) -> None:
        """Jobs are alone when some wait and no worker lives."""
        assert not await bench.engine.are_jobs_alone()
        job = await bench.start("add", numbers=[1])
        assert await bench.engine.are_jobs_alone()
        async with bench.worker() as ended:
            await ended(job.id)
            assert not await bench.engine.are_jobs_alone()
        assert not await bench.engine.are_jobs_alone()

    async def test_backlog(self, bench: Bench) -> None:
        """It is told how much there is to do, since when, and how many workers see to it."""
        assert await bench.engine.backlog() == Backlog(0, 0, None, 0)
        cancelled = await bench.start("add", numbers=[1])
        jobs = [await bench.start("add", numbers=[1]) for _ in range(2)]
        await bench.jobs.cancel(cancelled.id, by="me")
        assert await bench.engine.backlog() == Backlog(2, 0, jobs[0].created_at, 0)
        async with bench.worker() as ended:
            for job in jobs:
                await ended(job.id)
            workers = 0 if isinstance(bench.engine, InMemoryJobEngine) else 1
            assert await bench.engine.backlog() == Backlog(0, 0, None, workers)


@with_processes
class TestProcesses:
    async def test_events(self, bench: Bench, tmp_path: Path) -> None:
        """It is written down when a job is asked for, begun and ended, whoever does that."""
        (marks := tmp_path / "marks").mkdir()
        failed = await bench.done("failAtFirst", folder=str(marks), failures=3)
        assert await bench.told(failed) == [
            ("job.queued", "me"),
            ("job.started", "me"),
            ("job.failed", "me"),
        ]
        assert bench.attempts == 3 * [("failAtFirst", "failed")]
        cancelled = await bench.start("add", numbers=[1])
        await bench.jobs.cancel(cancelled.id, by="you")
        assert await bench.told(cancelled) == [("job.queued", "me"), ("job.cancelled", "you")]

    async def test_what_others_write_does_not_count(self, bench: Bench, tmp_path: Path) -> None:
        """A worker that was taken for dead changes nothing any more."""
        os.mkfifo(pipe := tmp_path / "pipe")
        job = await bench.start("hang", pipe=str(pipe))
        assert isinstance(bench.kept.store, Database)
        async with bench.worker() as ended:
            await asyncio.to_thread(pipe.read_text)
            async with bench.kept.store.begin() as session:
                await session.run(partial(rows.begin_job, job_id=job.id, worker="heir", now=NOON))
            await ended(job.id)
        found = await bench.found(job.id)
        assert (found.state, found.worker, found.failures) == (JobState.RUNNING, "heir", 0)

    async def test_running_job_is_cancelled(self, bench: Bench, tmp_path: Path) -> None:
        """Its process is killed, and what it told before stays."""
        os.mkfifo(pipe := tmp_path / "pipe")
        job = await bench.start("hang", pipe=str(pipe))
        async with bench.worker() as ended:
            pid = int(await asyncio.to_thread(pipe.read_text))
            assert (await bench.found(job.id)).state is JobState.RUNNING
            await bench.jobs.cancel(job.id, by="me")
            await ended(job.id)
        found = await bench.found(job.id)
        assert (found.state, found.progress.message) == (JobState.CANCELLED, "hanging")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("hangShortly", "it took longer than 2 s; its process was killed."),
            ("die", "its process died (SIGABRT)."),
            ("takeMemory", "MemoryError"),
            (
                "tellNoJson",
                "its result is no JSON: Out of range float values are not JSON compliant",
            ),
            (
                "unsendable",
                """the worker could not go on: TypeError("cannot pickle '_thread.lock' object")""",
            ),
            ("tellNoObject", "its result is a NoneType instead of an object."),
        ],
    )
    async def test_limits(self, bench: Bench, tmp_path: Path, kind: str, error: str) -> None:
        """What hangs, dies, takes too much memory or ends in nonsense fails, and nothing else."""
        os.mkfifo(pipe := tmp_path / "pipe")
        job = await bench.start(kind, pipe=str(pipe))
        async with bench.worker() as ended:
            await ended(job.id)
        found = await bench.found(job.id)
        assert (found.state, found.error) == (JobState.FAILED, error)

    @pytest.mark.parametrize("is_failing", [False, True])
    async def test_odd_texts(self, bench: Bench, is_failing: bool) -> None:
        """What no database keeps does not keep a job from its end, and passwords are not told."""
        job = await bench.done("tellOddly", is_failing=is_failing)
        shown = (
            "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c of postgresql://***@host/name"
        )
        (line, *more) = (await bench.log(job)).items
        assert line.message == shown
        key = "counted\N{REPLACEMENT CHARACTER}"
        assert job.progress == Progress(0.5, shown, {key: 1})
        if is_failing:
            assert (job.state, job.error) == (JobState.FAILED, f"ValueError: {shown}")
            assert [each.message for each in more] == [job.error]
        else:
            result = {"text\N{REPLACEMENT CHARACTER}": ["a\N{REPLACEMENT CHARACTER}"]}
            assert (job.state, job.result, more) == (JobState.SUCCEEDED, result, [])

    async def test_unknown_kind_fails(self, bench: Bench) -> None:
        """A job that this worker cannot do says so, instead of waiting for ever."""
        job = await bench.jobs.start("other", {}, by="me")
        async with bench.worker() as ended:
            await ended(job.id)
        found = await bench.found(job.id)
        assert found.error == "no worker here knows the kind 'other'."

    async def test_dropped_job_is_begun(self, bench: Bench) -> None:
        """A job that DBOS gave to a worker and then lost sight of is done all the same."""
        await bench.engine.prepare()
        job = bench.jobs.new("add", {"numbers": [1]}, by="me", priority=1)
        assert isinstance(bench.kept.store, Database)
        async with bench.worker("slow", begins_within_seconds=0.0) as ended:
            async with bench.kept.store.begin() as session:
                await bench.engine.enqueue(session, job)
                schema = "" if session.dialect == "sqlite" else "platform_dbos."
                given = (
                    f"UPDATE {schema}workflow_status SET status = 'PENDING', executor_id = 'slow'"  # noqa: S608 - it has no input
                )
                await session.execute(text(given))
            await ended(job.id)
        assert (await bench.found(job.id)).state is JobState.SUCCEEDED

    async def test_dead_workers_job_ends_elsewhere(self, bench: Bench, tmp_path: Path) -> None:
        """A worker that is killed leaves its job to another, and no process of its own."""
        os.mkfifo(pipe := tmp_path / "pipe")
        job = await bench.start("hangAtFirst", pipe=str(pipe), mark=str(tmp_path / "mark"))
        process = await started_worker(bench, "dead")
        pid = int(await asyncio.to_thread(pipe.read_text))
        process.kill()
        await process.wait()
        await bench.silence("dead")
        async with bench.worker() as ended:
            await ended(job.id)
        found = await bench.found(job.id)
        assert (found.state, found.failures, found.result) == (
            JobState.SUCCEEDED,
            0,
            {"first": pid},
        )

    async def test_stopping_worker_keeps_no_job_waiting(self, bench: Bench, tmp_path: Path) -> None:
        """What it is given while its last job goes on is done by another one meanwhile."""
        os.mkfifo(pipe := tmp_path / "pipe")
        await bench.start("hang", pipe=str(pipe))
        process = await started_worker(bench, "stopping", jobs_at_once=2)
        await asyncio.to_thread(pipe.read_text)
        assert process.stdin is not None
        process.stdin.close()
        job = await bench.start("add", numbers=[1])
        async with asyncio.timeout(60.0):
            while not await given_to(bench, job, "stopping"):
                pass
            async with bench.worker() as ended:
                await ended(job.id)
        assert (await bench.found(job.id)).state is JobState.SUCCEEDED
        assert process.returncode is None
        process.kill()
        await process.wait()
