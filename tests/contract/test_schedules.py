"""Jobs are started at set times, once for each, on every database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.adapters.dbos.engine import DbosJobEngine
from gql_platform.adapters.dbos.queue import Queue
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.schedules import SqlScheduleStore
from gql_platform.errors import (
    IdempotencyKeyReusedError,
    InvalidCronError,
    JobPriorityError,
    ScheduleNotFoundError,
    TooManySchedulesError,
)
from gql_platform.events.records import EventFilter
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.service import Jobs
from gql_platform.schedules.ports import ScheduleStore
from gql_platform.schedules.records import JobSchedule, Times
from gql_platform.schedules.service import MAX_SCHEDULES, Schedules
from gql_platform.testing import InMemoryDatabase, InMemoryJobEngine, InMemoryScheduleStore
from tests.contract.databases import SHARED, Kept

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("kept", ["in_memory", *SHARED], indirect=True),
]

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
HOURLY = Times("0 * * * *")


@dataclass
class Bench:
    """Schedules on one database, and a clock that a test sets.

    Attributes:
        kept: The database.
        now: The time.
        engine: What keeps jobs.
    """

    kept: Kept
    now: datetime
    engine: JobEngine

    def __post_init__(self) -> None:
        """Make the services of one server."""
        self.store = self._store()
        self.jobs, self.schedules = self.server()

    def _store(self) -> ScheduleStore:
        if isinstance(self.kept.store, InMemoryDatabase):
            return InMemoryScheduleStore(self.kept.store)
        assert isinstance(self.kept.store, Database)
        return SqlScheduleStore(self.kept.store)

    def server(self) -> tuple[Jobs, Schedules]:
        """Return the services of one more server."""
        events = Events(self.kept.store, self.kept.event_log)
        idempotency = Idempotency(self.kept.store, self.kept.request_keys)
        jobs = Jobs(self.engine, idempotency, events, now=lambda: self.now)
        made = Schedules(
            self.kept.store, self.store, jobs, events, idempotency, now=lambda: self.now
        )
        return jobs, made

    async def created(self, times: Times = HOURLY, **options: object) -> JobSchedule:
        """Make a schedule."""
        given = {"experiments": ["a"]}
        return await self.schedules.create("export", given, times, by="me", **options)  # type: ignore[arg-type]

    async def told(self) -> list[str]:
        """Return what was written down of schedules."""
        chosen = EventFilter(subject_kind="JobSchedule")
        found = await self.kept.event_log.read(after=0, limit=100, chosen=chosen)
        return [event.type for event in found.events]


@pytest.fixture
async def bench(kept: Kept) -> AsyncIterator[Bench]:
    """Each database in turn, without schedules."""
    engine: JobEngine
    if isinstance(kept.store, InMemoryDatabase):
        engine = InMemoryJobEngine(kept.store)
    else:
        assert isinstance(kept.store, Database)
        engine = DbosJobEngine(kept.store, open_queue=Queue)
    yield Bench(kept, NOON, engine)
    await engine.close()


class TestStarting:
    async def test_a_time_is_used_once(self, bench: Bench) -> None:
        """Of several servers that look at once, one starts the job; the next time is set."""
        made = await bench.created()
        assert made.next_at == NOON + timedelta(hours=1)
        assert await bench.schedules.start_due() == 0
        bench.now = NOON + timedelta(hours=1)
        servers = [bench.server()[1] for _ in range(5)]
        started = await asyncio.gather(*(each.start_due() for each in servers))
        assert sum(started) == 1
        (job,) = (await bench.jobs.page()).items
        assert (job.kind, job.input, job.created_by) == ("export", {"experiments": ["a"]}, "me")
        (found,) = await bench.schedules.all()
        assert (found.next_at, found.last_job_id) == (NOON + timedelta(hours=2), job.id)
        assert await bench.schedules.start_due() == 0

    async def test_one_that_cannot_go_on_keeps_back_no_other(self, bench: Bench) -> None:
        """A time zone that the machine has no more is passed over."""
        lost, made = await bench.created(), await bench.created(Times("30 * * * *"))
        async with bench.kept.store.begin() as transaction:
            await bench.store.put(transaction, replace(lost, time_zone="Atlantis"))
        bench.now = NOON + timedelta(hours=1)
        assert await bench.schedules.start_due() == 1
        (job,) = (await bench.jobs.page()).items
        found = {each.id: each.last_job_id for each in await bench.schedules.all()}
        assert found == {lost.id: None, made.id: job.id}

    async def test_a_time_is_skipped_while_the_last_job_is_not_done(self, bench: Bench) -> None:
        """There is one job of a schedule at a time, and an event tells of what is left out."""
        await bench.created()
        bench.now = NOON + timedelta(hours=1)
        assert await bench.schedules.start_due() == 1
        bench.now = NOON + timedelta(hours=2)
        assert await bench.schedules.start_due() == 0
        (job,) = (await bench.jobs.page()).items
        (found,) = await bench.schedules.all()
        assert (found.next_at, found.last_job_id) == (NOON + timedelta(hours=3), job.id)
        assert await bench.told() == ["schedule.created", "schedule.skipped"]
        await bench.jobs.cancel(job.id, by="me")
        bench.now = NOON + timedelta(hours=3)
        assert await bench.schedules.start_due() == 1

    async def test_times_that_passed_are_made_up_for_once(self, bench: Bench) -> None:
        """After a night without servers there is one job, and not nine."""
        await bench.created()
        bench.now = NOON + timedelta(hours=9, minutes=30)
        assert await bench.schedules.start_due() == 1
        (found,) = await bench.schedules.all()
        assert found.next_at == NOON + timedelta(hours=10)

    async def test_a_job_that_cannot_be_queued_uses_no_time(self, bench: Bench) -> None:
        """The job and the next time are kept together, or neither."""
        made = await bench.created()
        bench.now = NOON + timedelta(hours=1)

        async def fail(*_: object) -> None:
            raise ZeroDivisionError

        jobs, schedules = bench.server()
        jobs.queue = fail  # type: ignore[assignment,method-assign] # something breaks in the middle
        with pytest.raises(ZeroDivisionError):
            await schedules.start_due()
        assert await bench.schedules.all() == [made]
        assert await bench.schedules.start_due() == 1


class TestChanging:
    async def test_disabled_and_enabled(self, bench: Bench) -> None:
        """A disabled schedule starts nothing, and does not make up for it later."""
        made = await bench.created(is_enabled=False)
        assert made.next_at is None
        bench.now = NOON + timedelta(hours=5)
        assert await bench.schedules.start_due() == 0
        enabled = await bench.schedules.update(made.id, by="you", is_enabled=True)
        assert (enabled.is_enabled, enabled.next_at) == (True, NOON + timedelta(hours=6))
        moved = await bench.schedules.update(
            made.id, by="you", times=Times("30 9 * * *", "Europe/Berlin")
        )
        assert (moved.cron, moved.time_zone) == ("30 9 * * *", "Europe/Berlin")
        assert moved.next_at == datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
        await bench.schedules.delete(made.id, by="you")
        assert await bench.schedules.all() == []
        assert await bench.told() == [
            "schedule.created",
            "schedule.updated",
            "schedule.updated",
            "schedule.deleted",
        ]

    async def test_a_key_makes_once(self, bench: Bench) -> None:
        """The same request makes one schedule; another one with its key is refused."""
        first = await bench.created(key="k")
        assert await bench.created(key="k") == first
        with pytest.raises(IdempotencyKeyReusedError):
            await bench.created(Times("1 * * * *"), key="k")
        assert len(await bench.schedules.all()) == 1

    async def test_what_cannot_be(self, bench: Bench) -> None:
        """What is none is told, and nothing is changed."""
        none = "00000000-0000-0000-0000-000000000000"
        with pytest.raises(ScheduleNotFoundError):
            await bench.schedules.update(none, by="me", is_enabled=True)
        with pytest.raises(ScheduleNotFoundError):
            await bench.schedules.delete(none, by="me")
        with pytest.raises(InvalidCronError):
            await bench.created(Times("61 * * * *"))
        with pytest.raises(JobPriorityError):
            await bench.created(priority=0)
        made = await bench.created()
        with pytest.raises(InvalidCronError):
            await bench.schedules.update(made.id, by="me", times=Times("never"))
        assert await bench.schedules.all() == [made]

    async def test_there_are_only_so_many(self, bench: Bench) -> None:
        """One more than there may be is refused."""
        made = await bench.created(key="first")
        for _ in range(MAX_SCHEDULES - 1):
            await bench.created()
        with pytest.raises(TooManySchedulesError):
            await bench.created()
        assert await bench.created(key="first") == made
