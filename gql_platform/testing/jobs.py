"""Jobs in memory, which are done when a test says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.records import (
    Backlog,
    Job,
    JobFilter,
    JobKind,
    JobState,
    LogLevel,
    LogLine,
    LogRequest,
    Note,
    Progress,
)
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

    async def jobs_by_id(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return the jobs of these ids that there are, by id."""
        jobs = self._database.seen().jobs
        return {job_id: jobs[job_id] for job_id in job_ids if job_id in jobs}

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

    async def logs(self, requests: Sequence[LogRequest]) -> Mapping[LogRequest, Sequence[LogLine]]:
        """Return the parts of logs that are asked for, each in its order."""
        logs = self._database.seen().job_logs
        return {
            each: logs.get(each.job_id, ())[each.after : each.after + each.limit]
            for each in requests
        }

    async def are_jobs_alone(self) -> bool:
        """Return whether there are jobs to do; no worker lives here."""
        return any(not job.state.is_final for job in self._database.seen().jobs.values())

    async def backlog(self) -> Backlog:
        """Return how much there is to do; no worker lives here."""
        jobs = self._database.seen().jobs.values()
        waiting = [job.created_at for job in jobs if job.state is JobState.QUEUED]
        running = sum(job.state is JobState.RUNNING for job in jobs)
        return Backlog(len(waiting), running, min(waiting, default=None), 0)

    async def finished(self, *, before: datetime, limit: int) -> Sequence[str]:
        """Return the ids of up to ``limit`` jobs that were finished before."""
        jobs = self._database.seen().jobs.values()
        old = (job for job in jobs if job.finished_at is not None and job.finished_at < before)
        return sorted(job.id for job in old)[:limit]

    async def forget(self, job_ids: Sequence[str]) -> None:
        """Forget finished jobs, with their logs; one that there is not is no error."""
        async with self._database.begin() as transaction:
            for job_id in job_ids:
                transaction.contents.jobs.pop(job_id, None)
                transaction.contents.job_logs.pop(job_id, None)

    async def close(self) -> None:
        """Do nothing; there are no connections."""

    async def work(self, kinds: Mapping[str, JobKind]) -> None:
        """Do all jobs that wait, the most urgent first, without a pause between attempts."""
        waiting = [
            job for job in self._database.seen().jobs.values() if job.state is JobState.QUEUED
        ]
        for job in sorted(waiting, key=lambda job: (job.priority, job.id)):
            done, notes = _done(job, kinds[job.kind])
            now = datetime.now(UTC)
            lines = tuple(
                LogLine(number, now, note.level, note.message)
                for number, note in enumerate(notes, start=1)
            )
            async with self._database.begin() as transaction:
                transaction.contents.jobs[job.id] = done
                transaction.contents.job_logs[job.id] = lines


def _done(job: Job, kind: JobKind) -> tuple[Job, list[Note]]:
    """Return a job as it is when nothing more is tried, and what it had to say."""
    notes: list[Note] = []
    job = replace(job, state=JobState.RUNNING, started_at=datetime.now(UTC), worker="memory")
    while not job.state.is_final:
        job = _tried(job, kind, notes)
    return replace(job, finished_at=datetime.now(UTC)), notes


def _tried(job: Job, kind: JobKind, notes: list[Note]) -> Job:
    work = kind.work(job.id, job.input)
    try:
        while True:
            told = next(work)
            if isinstance(told, Progress):
                job = replace(job, progress=told)
            else:
                notes.append(told)
    except StopIteration as end:
        return replace(job, state=JobState.SUCCEEDED, result=end.value)
    except Exception as error:  # noqa: BLE001 - whatever it is, the job tells it
        failures = job.failures + 1
        state = JobState.FAILED if failures >= kind.max_attempts else JobState.RUNNING
        shown = f"{type(error).__name__}: {error}"
        notes.append(Note(shown, LogLevel.ERROR))
        return replace(job, state=state, failures=failures, error=shown)
