"""Jobs in memory, which are done when a test says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.records import Job, JobFilter, JobKind, JobState
from gql_platform.store import Transaction
from gql_platform.testing.database import InMemoryDatabase, contents_of


class InMemoryJobEngine(JobEngine):
    """Keep jobs in a dictionary, and do them in this process.

    Args:
        database: Whose dictionary.
    """

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database

    async def prepare(self) -> None:
        """Answer only; there is nothing to open."""
        self._database.seen()

    async def enqueue(self, transaction: Transaction, job: Job) -> None:
        """Keep a job in the caller's transaction."""
        contents_of(transaction).jobs[job.id] = job

    async def job(self, job_id: str) -> Job | None:
        """Return a job; None when there is none of that id."""
        return self._database.seen().jobs.get(job_id)

    async def jobs(self, *, chosen: JobFilter, after: str | None, limit: int) -> Sequence[Job]:
        """Return jobs, the newest first."""
        newest = sorted(self._database.seen().jobs.values(), key=lambda job: job.id, reverse=True)
        return [job for job in newest if chosen.matches(job) and (after is None or job.id < after)][
            :limit
        ]

    async def cancel(self, transaction: Transaction, job_id: str, *, now: datetime) -> bool:
        """Cancel a job in the caller's transaction, and return False if it is finished."""
        jobs = contents_of(transaction).jobs
        job = jobs.get(job_id)
        if job is None or job.state.is_final:
            return False
        jobs[job_id] = replace(job, state=JobState.CANCELLED, finished_at=now)
        return True

    async def close(self) -> None:
        """Do nothing; there are no connections."""

    async def work(self, kinds: Mapping[str, JobKind]) -> None:
        """Do all jobs that wait, the most urgent first, without a pause between attempts."""
        waiting = [
            job for job in self._database.seen().jobs.values() if job.state is JobState.QUEUED
        ]
        for job in sorted(waiting, key=lambda job: (job.priority, job.id)):
            done = _done(job, kinds[job.kind])
            async with self._database.begin() as transaction:
                transaction.contents.jobs[job.id] = done


def _done(job: Job, kind: JobKind) -> Job:
    """Return a job as it is when nothing more is tried."""
    job = replace(job, state=JobState.RUNNING, started_at=datetime.now(UTC))
    while not job.state.is_final:
        job = _tried(job, kind)
    return replace(job, finished_at=datetime.now(UTC))


def _tried(job: Job, kind: JobKind) -> Job:
    work = kind.work(job.input)
    try:
        while True:
            job = replace(job, progress=next(work))
    except StopIteration as end:
        return replace(job, state=JobState.SUCCEEDED, result=end.value)
    except Exception as error:  # noqa: BLE001 - whatever it is, the job tells it
        failures = job.failures + 1
        state = JobState.FAILED if failures >= kind.max_attempts else JobState.RUNNING
        shown = f"{type(error).__name__}: {error}"
        return replace(job, state=state, failures=failures, error=shown)
