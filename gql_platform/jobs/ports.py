"""What jobs need of an engine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gql_platform.jobs.records import Job, JobFilter
from gql_platform.store import Transaction


class JobEngine(Protocol):
    """Keep jobs, and hand them to workers.

    Each method raises `gql_platform.errors.StoreUnavailableError` when the database does not
    answer.
    """

    async def prepare(self) -> None:
        """Get ready to enqueue; called before the transaction begins, as often as one likes."""
        ...

    async def enqueue(self, transaction: Transaction, job: Job) -> None:
        """Keep a job in the caller's transaction; workers see it once that is committed."""
        ...

    async def job(self, job_id: str) -> Job | None:
        """Return a job; None when there is none of that id."""
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

    async def close(self) -> None:
        """Let go of all connections."""
        ...
