"""Starting, cancelling and repeating jobs, and looking at them."""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from gql_platform.errors import JobFinishedError, JobNotFoundError, JobUnfinishedError
from gql_platform.idempotency.records import Result
from gql_platform.idempotency.service import Idempotency, keyed
from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.records import Job, JobFilter, JobKind, Values
from gql_platform.paging import Page, decode_cursor, page_of, page_size
from gql_platform.store import Transaction

DEFAULT_PRIORITY = 100


class Jobs:
    """Start jobs and look after them.

    Args:
        engine: What keeps them and hands them to workers.
        idempotency: Does what has a key once.
        now: Tells the time.
    """

    def __init__(
        self,
        engine: JobEngine,
        idempotency: Idempotency,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._idempotency = idempotency
        self._now = now

    async def start(
        self,
        kind: JobKind,
        given: Values,
        *,
        by: str,
        priority: int = DEFAULT_PRIORITY,
        key: str | None = None,
    ) -> Job:
        """Queue a job; it is not lost once this returns.

        Args:
            kind: What it does.
            given: What it is given.
            by: Who wants that.
            priority: Of the jobs that wait, those with lower numbers go first; at least 1.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        job = self._new(kind.name, given, by=by, priority=priority)
        arguments = {"input": given, "priority": priority}
        return await self._queued(job, f"job.start.{kind.name}", arguments, key=key)

    async def retry(self, job_id: str, *, by: str, key: str | None = None) -> Job:
        """Queue a new job that does what a finished one was to do.

        Args:
            job_id: The finished one.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            JobNotFoundError: If there is no such job.
            JobUnfinishedError: If it still waits or runs.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        found = await self._found(job_id)
        if not found.state.is_final:
            raise JobUnfinishedError(job_id=job_id, state=found.state.value)
        job = self._new(found.kind, found.input, by=by, priority=found.priority, retry_of=job_id)
        return await self._queued(job, "job.retry", {"id": job_id}, key=key)

    async def cancel(self, job_id: str, *, by: str, key: str | None = None) -> Job:
        """Cancel a job, and kill its process if it runs.

        Args:
            job_id: The job.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            JobNotFoundError: If there is no such job.
            JobFinishedError: If it is finished already.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        await self._found(job_id)
        request = keyed(key, caller=by, operation="job.cancel", arguments={"id": job_id})

        async def finish(transaction: Transaction) -> Result:
            if not await self._engine.cancel(transaction, job_id, now=self._now()):
                raise JobFinishedError(job_id=job_id)
            return {"id": job_id}

        await self._idempotency.once(request, finish)
        return await self._found(job_id)

    async def job(self, job_id: str) -> Job | None:
        """Return a job; None when there is none of that id."""
        return await self._engine.job(job_id)

    async def page(
        self, *, first: int | None = None, after: str | None = None, chosen: JobFilter | None = None
    ) -> Page[Job]:
        """Return one page of jobs, the newest first.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor of ours.
            StoreUnavailableError: If the platform's database does not answer.
        """
        size = page_size(first)
        behind = None if after is None else decode_cursor(after)
        found: Sequence[Job] = await self._engine.jobs(
            chosen=chosen or JobFilter(), after=behind, limit=size + 1
        )
        return page_of(found, [job.id for job in found], first=size, after=after, total=None)

    async def _queued(
        self, job: Job, operation: str, arguments: dict[str, Any], *, key: str | None
    ) -> Job:
        """Queue a job, unless one was queued under the key before, and return that one."""
        request = keyed(key, caller=job.created_by, operation=operation, arguments=arguments)
        await self._engine.prepare()

        async def finish(transaction: Transaction) -> Result:
            await self._engine.enqueue(transaction, job)
            return {"id": job.id}

        done = await self._idempotency.once(request, finish)
        return await self._found(str(done["id"]))

    async def _found(self, job_id: str) -> Job:
        found = await self._engine.job(job_id)
        if found is None:
            raise JobNotFoundError(job_id=job_id)
        return found

    def _new(
        self, kind: str, given: Values, *, by: str, priority: int, retry_of: str | None = None
    ) -> Job:
        now = self._now()
        return Job(
            id=_new_id(now),
            kind=kind,
            input=given,
            created_by=by,
            created_at=now,
            priority=priority,
            retry_of=retry_of,
        )


def _new_id(now: datetime) -> str:
    """Return an id that is greater than those of earlier milliseconds."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
