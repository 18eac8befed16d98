"""What jobs need of an engine."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gql_platform.jobs.records import Backlog, Job, JobFilter, LogLine, LogRequest
from gql_platform.store import Transaction


class JobEngine(Protocol):
    """Keep jobs, and hand them to workers.

    Each method raises `gql_platform.errors.StoreUnavailableError` when the database does not
    answer.
    """

    async def prepare(self) -> None:
        """Get ready to enqueue; called before the transaction begins, as often as one likes.

        Raises:
            gql_platform.errors.JobsUnavailableError: If no worker could find a job.
        """
        ...

    async def enqueue(self, transaction: Transaction, job: Job) -> None:
        """Keep a job in the caller's transaction; workers see it once that is committed."""
        ...

    async def job(self, job_id: str) -> Job | None:
        """Return a job; None when there is none of that id."""
        ...

    async def jobs_by_id(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return the jobs of these ids that there are, by id."""
        ...

    async def jobs(self, *, chosen: JobFilter, after: str | None, limit: int) -> Sequence[Job]:
        """Return jobs, the newest first.

        Args:
            chosen: Which ones.
            after: The id of the job to go on behind; None to begin with the newest.
            limit: How many at most.
        """
        ...

    async def cancel(self, transaction: Transaction, job_id: str, *, now: datetime) -> bool:
        """Cancel a job in the caller's transaction, and return False if it is finished.

        A worker that is at it kills its process within moments.
        """
        ...

    async def logs(self, requests: Sequence[LogRequest]) -> Mapping[LogRequest, Sequence[LogLine]]:
        """Return the parts of logs that are asked for, each in its order."""
        ...

    async def are_jobs_alone(self) -> bool:
        """Return whether there are jobs to do and no worker that lives."""
        ...

    async def backlog(self) -> Backlog:
        """Return how much there is to do, and how many workers live."""
        ...

    async def finished(self, *, before: datetime, limit: int) -> Sequence[str]:
        """Return the ids of up to ``limit`` jobs that were finished before."""
        ...

    async def forget(self, job_ids: Sequence[str]) -> None:
        """Forget finished jobs, with their logs; one that there is not is no error."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...


class JobObserver(Protocol):
    """Learn of a worker's attempts at jobs, to count them; called from several threads."""

    def attempt_finished(self, *, kind: str, outcome: str, seconds: float) -> None:
        """Take note that an attempt ended.

        Args:
            kind: What the job does.
            outcome: ``succeeded``, ``failed`` or ``cancelled``.
            seconds: How long it took.
        """
        ...


class WorkerHost(Protocol):
    """Give a worker a process."""

    async def run(self) -> None:
        """Run a worker, and return when it has nothing to do any more.

        Whoever is cancelled meanwhile takes it along.

        Raises:
            gql_platform.errors.WorkerProcessError: If it ends in another way.
        """
        ...


class JobFiles(Protocol):
    """Keep the files that jobs make."""

    async def delete(self, job_ids: Sequence[str]) -> None:
        """Delete all files of these jobs; one that has none is no error."""
        ...
