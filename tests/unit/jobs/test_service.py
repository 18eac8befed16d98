"""Workers are started when jobs need one, and what is old is forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.errors import WorkerProcessError
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.records import JobKind, Progress, Running, Values
from gql_platform.jobs.service import LONGEST_PAUSE_SECONDS, LOOK_EVERY_SECONDS, Jobs
from gql_platform.testing import (
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryJobEngine,
    InMemoryRequestKeys,
)

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Done(BaseException):
    """Enough was seen."""


def nothing(_: str, __: Values) -> Running:
    """Do nothing."""
    yield Progress()
    return {}


KINDS = {"nothing": JobKind("nothing", nothing)}


@dataclass
class Host:
    """A host whose worker does what waits, or fails.

    Attributes:
        engine: Where jobs are.
        failures: How often it fails first.
        runs: How often it was asked to run.
    """

    engine: InMemoryJobEngine
    failures: int = 0
    runs: int = 0

    async def run(self) -> None:
        """Work, or fail."""
        self.runs += 1
        if self.runs <= self.failures:
            raise WorkerProcessError(reason="exit status 1")
        await self.engine.work(KINDS)


@dataclass
class Pauses:
    """Pauses that take no time.

    Attributes:
        most: After how many enough was seen.
        taken: How long each was to be.
    """

    most: int
    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        """Take a pause."""
        if len(self.taken) == self.most:
            raise Done
        self.taken.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Files:
    """Files that are deleted.

    Attributes:
        deleted: The jobs whose files are.
    """

    deleted: list[str] = field(default_factory=list)

    async def delete(self, job_ids: Sequence[str]) -> None:
        """Delete the files of jobs."""
        self.deleted.extend(job_ids)


@pytest.fixture
def database() -> InMemoryDatabase:
    """A database without jobs."""
    return InMemoryDatabase()


def jobs_on(database: InMemoryDatabase, engine: InMemoryJobEngine, **given: object) -> Jobs:
    """Return the service on a database."""
    events = Events(database, InMemoryEventLog(database))
    idempotency = Idempotency(database, InMemoryRequestKeys(database))
    return Jobs(engine, idempotency, events, **given)  # type: ignore[arg-type] # as the tests say


class TestWorking:
    async def test_a_worker_runs_when_jobs_wait(self, database: InMemoryDatabase) -> None:
        """Without jobs there is no worker; with some, one does them."""
        engine = InMemoryJobEngine(database)
        host, pauses = Host(engine), Pauses(3)
        jobs = jobs_on(database, engine, host=host, pause=pauses)
        with pytest.raises(Done):
            await jobs.keep_working()
        assert host.runs == 0
        await jobs.start("nothing", {}, by="me")
        pauses.taken.clear()
        with pytest.raises(Done):
            await jobs.keep_working()
        assert host.runs == 1
        assert pauses.taken == [LOOK_EVERY_SECONDS] * 3

    async def test_a_worker_that_fails_is_started_less_often(
        self, database: InMemoryDatabase
    ) -> None:
        """The pauses double up to a minute, and are short again once it works."""
        engine = InMemoryJobEngine(database)
        host, pauses = Host(engine, failures=8), Pauses(11)
        jobs = jobs_on(database, engine, host=host, pause=pauses)
        await jobs.start("nothing", {}, by="me")
        with pytest.raises(Done):
            await jobs.keep_working()
        assert pauses.taken[:4] == [1.0, 2.0, 4.0, 8.0]
        assert max(pauses.taken) == LONGEST_PAUSE_SECONDS
        assert pauses.taken[-1] == LOOK_EVERY_SECONDS

    async def test_a_database_that_is_away_is_asked_again(self, database: InMemoryDatabase) -> None:
        """While it is not known whether jobs wait, nothing is started."""
        engine = InMemoryJobEngine(database)
        host = Host(engine)
        jobs = jobs_on(database, engine, host=host, pause=Pauses(2))
        await jobs.start("nothing", {}, by="me")
        database.is_away = True
        with pytest.raises(Done):
            await jobs.keep_working()
        assert host.runs == 0

    async def test_a_server_without_a_host_starts_none(self, database: InMemoryDatabase) -> None:
        """It leaves jobs to workers elsewhere."""
        await jobs_on(database, InMemoryJobEngine(database), pause=Pauses(0)).keep_working()


class TestCleaning:
    async def test_old_jobs_go_with_their_files(self, database: InMemoryDatabase) -> None:
        """What is done is kept for some days, and what waits for ever."""
        engine, files, clock = InMemoryJobEngine(database), Files(), [NOON]
        jobs = jobs_on(database, engine, files=files, retention_days=2.0, now=lambda: clock[0])
        old = await jobs.start("nothing", {}, by="me")
        waiting = await jobs.start("nothing", {}, by="me")
        await jobs.cancel(old.id, by="me")
        clock[0] = NOON + timedelta(days=2)
        assert await jobs.clean() == 0
        clock[0] = NOON + timedelta(days=2, seconds=1)
        assert await jobs.clean() == 1
        assert files.deleted == [old.id]
        assert [each.id for each in (await jobs.page()).items] == [waiting.id]

    async def test_files_that_stay_keep_their_jobs(self, database: InMemoryDatabase) -> None:
        """While the files cannot be deleted, the jobs still tell that they are there."""

        class Stuck(Files):
            async def delete(self, job_ids: Sequence[str]) -> None:
                raise BlockingIOError(f"{len(job_ids)} are in use")

        clock = [NOON]
        jobs = jobs_on(database, InMemoryJobEngine(database), files=Stuck(), now=lambda: clock[0])
        old = await jobs.start("nothing", {}, by="me")
        await jobs.cancel(old.id, by="me")
        clock[0] += timedelta(days=31)
        with pytest.raises(BlockingIOError, match="1 are in use"):
            await jobs.clean()
        assert await jobs.job(old.id) is not None
