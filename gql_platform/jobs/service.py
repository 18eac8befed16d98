"""Starting, cancelling and repeating jobs, and looking at them."""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from gql_platform.errors import (
    InvalidCursorError,
    JobFilterError,
    JobFinishedError,
    JobNotFoundError,
    JobPriorityError,
    JobUnfinishedError,
    UnavailableError,
    WorkerProcessError,
)
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.records import Result
from gql_platform.idempotency.service import Idempotency, keyed
from gql_platform.jobs.ports import JobEngine, JobFiles, WorkerHost
from gql_platform.jobs.records import (
    JOB_FINISHED,
    JOB_QUEUED,
    SUBJECT,
    Backlog,
    Job,
    JobFilter,
    JobState,
    LogLine,
    LogRequest,
    Values,
)
from gql_platform.jobs.watch import JobWatch
from gql_platform.paging import Page, decode_cursor, encode_cursor, page_of, page_size
from gql_platform.repetition import again_and_again
from gql_platform.store import Transaction

DEFAULT_PRIORITY = 100
MAX_PRIORITY = 2**31 - 1

ID_DIGITS = 32

MAX_KINDS = 20
MAX_KIND = 100
"""How many kinds are asked for at once, and how many characters one has."""

LOOK_EVERY_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
CLEAN_EVERY_SECONDS = 600.0
DELETED_AT_ONCE = 500

_ID = re.compile(rf"[0-9a-f]{{{ID_DIGITS}}}")
_KIND = re.compile(rf"[!-~]{{1,{MAX_KIND}}}")

log = structlog.get_logger(__name__)


class Jobs:
    """Start jobs and look after them.

    Args:
        engine: What keeps them and hands them to workers.
        idempotency: Does what has a key once.
        events: Where it is written down what happens to them.
        files: What they make; None where they make none.
        host: Gives a worker a process when there is none; None leaves them to workers elsewhere.
        retention_days: How long jobs are kept that are done.
        now: Tells the time.
        pause: Waits for so many seconds.
    """

    def __init__(
        self,
        engine: JobEngine,
        idempotency: Idempotency,
        events: Events,
        *,
        files: JobFiles | None = None,
        host: WorkerHost | None = None,
        retention_days: float = 30.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._engine = engine
        self._idempotency = idempotency
        self._events = events
        self._files = files
        self._host = host
        self._retention = timedelta(days=retention_days)
        self._now = now
        self._pause = pause
        self._last_id = "0" * ID_DIGITS
        self._watch = JobWatch(engine, pause=pause)

    async def start(
        self,
        kind: str,
        given: Values,
        *,
        by: str,
        priority: int = DEFAULT_PRIORITY,
        key: str | None = None,
    ) -> Job:
        """Queue a job; it is not lost once this returns.

        Args:
            kind: The name of what it does.
            given: What it is given.
            by: Who wants that.
            priority: Of the jobs that wait, those with lower numbers go first; at least 1.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            JobPriorityError: If the priority is none.
            IdempotencyKeyReusedError: If the key came with another request.
            JobsUnavailableError: If no worker could find the job.
            StoreUnavailableError: If the platform's database does not answer.
        """
        check_priority(priority)
        job = self.new(kind, given, by=by, priority=priority)
        arguments = {"input": given, "priority": priority}
        return await self._queued(job, f"job.start.{kind}", arguments, key=key)

    async def retry(self, job_id: str, *, by: str, key: str | None = None) -> Job:
        """Queue a new job that does what a finished one was to do.

        Args:
            job_id: The finished one.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            JobNotFoundError: If there is no such job.
            JobUnfinishedError: If it still waits or runs.
            JobsUnavailableError: If no worker could find the new one.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        found = await self._found(job_id)
        if not found.state.is_final:
            raise JobUnfinishedError(job_id=job_id, state=found.state.value)
        job = self.new(found.kind, found.input, by=by, priority=found.priority, retry_of=job_id)
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
        found = await self._found(job_id)
        request = keyed(key, caller=by, operation="job.cancel", arguments={"id": job_id})

        async def finish(transaction: Transaction) -> Result:
            if not await self._engine.cancel(transaction, job_id, now=self._now()):
                raise JobFinishedError(job_id=job_id)
            await self._tell(transaction, JOB_FINISHED[JobState.CANCELLED.name], found, by=by)
            return {"id": job_id}

        await self._idempotency.once(request, finish)
        return await self._found(job_id)

    async def job(self, job_id: str) -> Job | None:
        """Return a job; None when there is none of that id."""
        return await self._engine.job(job_id)

    async def jobs_by_id(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return the jobs of these ids that there are, by id."""
        return await self._engine.jobs_by_id(job_ids)

    async def page(
        self, *, first: int | None = None, after: str | None = None, chosen: JobFilter | None = None
    ) -> Page[Job]:
        """Return one page of jobs, the newest first.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor of ours.
            JobFilterError: If there are too many kinds, or one that cannot be.
            StoreUnavailableError: If the platform's database does not answer.
        """
        size = page_size(first)
        behind = None if after is None else decode_cursor(after)
        if behind is not None and not _ID.fullmatch(behind):
            raise InvalidCursorError(cursor=after or "")
        asked = _checked(chosen or JobFilter())
        found: Sequence[Job] = await self._engine.jobs(chosen=asked, after=behind, limit=size + 1)
        return page_of(found, [job.id for job in found], first=size, after=after, total=None)

    async def log_pages(self, requests: Sequence[LogRequest]) -> Mapping[LogRequest, Page[LogLine]]:
        """Return pages of logs, the oldest lines first, as `LogRequest.of_page` asks for them.

        Raises:
            StoreUnavailableError: If the platform's database does not answer.
        """
        found = await self._engine.logs(requests)
        return {request: _log_page(request, lines) for request, lines in found.items()}

    async def follow(self, job_id: str) -> AsyncGenerator[Job]:
        """Yield a job as it is, and whenever it is another, up to its last state.

        Raises:
            JobNotFoundError: If there is no such job.
            StoreUnavailableError: If the platform's database does not answer at first.
        """
        found = await self._found(job_id)
        yield found
        async for job in self._watch.changes(found):
            yield job

    async def keep_working(self) -> None:
        """Give a worker a process whenever jobs wait and no worker lives, without end."""
        if self._host is None:
            return
        seconds = LOOK_EVERY_SECONDS
        while True:
            await self._pause(seconds)
            try:
                if await self._engine.are_jobs_alone():
                    await self._host.run()
                seconds = LOOK_EVERY_SECONDS
            except UnavailableError as error:
                log.warning("jobs_not_read", reason=str(error))
            except WorkerProcessError as error:
                log.error("worker_failed", reason=str(error))  # noqa: TRY400 - it says it all
                seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)
            except Exception:
                # Jobs would wait for ever.
                log.exception("worker_failed")
                seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)

    async def backlog(self) -> Backlog | None:
        """Return how much there is to do; None while nobody can say."""
        try:
            return await self._engine.backlog()
        except UnavailableError as error:
            log.warning("jobs_not_read", reason=str(error))
            return None

    async def clean(self) -> int:
        """Forget jobs that were done long ago, and what they made, and return how many.

        Raises:
            StoreUnavailableError: If the platform's database does not answer.
        """
        count = 0
        while True:
            before = self._now() - self._retention
            old = await self._engine.finished(before=before, limit=DELETED_AT_ONCE)
            if old:
                # Nobody would find the files without the jobs.
                if self._files is not None:
                    await self._files.delete(old)
                await self._engine.forget(old)
            count += len(old)
            if len(old) < DELETED_AT_ONCE:
                return count

    async def keep_clean(self) -> None:
        """Forget jobs that were done long ago, again and again, without end."""
        await again_and_again(
            self.clean,
            every_seconds=CLEAN_EVERY_SECONDS,
            failure="jobs_not_cleaned",
            pause=self._pause,
        )

    async def close(self) -> None:
        """Let go of the engine."""
        await self._engine.close()

    async def _tell(self, transaction: Transaction, type_: str, job: Job, *, by: str) -> None:
        """Write down what happened to a job, as the last act of a transaction."""
        event = NewEvent(type_, SUBJECT, job.id, by, {"kind": job.kind})
        await self._events.append(transaction, [event])

    async def prepare(self) -> None:
        """Get ready for `queue`, before the transaction begins.

        Raises:
            JobsUnavailableError: If no worker could find a job.
            StoreUnavailableError: If the platform's database does not answer.
        """
        await self._engine.prepare()

    def new(
        self, kind: str, given: Values, *, by: str, priority: int, retry_of: str | None = None
    ) -> Job:
        """Return a job that is kept nowhere yet."""
        now = self._now()
        self._last_id = max(_new_id(now), _successor(self._last_id))
        return Job(
            id=self._last_id,
            kind=kind,
            input=given,
            created_by=by,
            created_at=now,
            priority=priority,
            retry_of=retry_of,
        )

    async def queue(self, transaction: Transaction, job: Job) -> None:
        """Queue a new job, as the last act of a transaction; `prepare` comes before."""
        await self._engine.enqueue(transaction, job)
        await self._tell(transaction, JOB_QUEUED, job, by=job.created_by)

    async def _queued(
        self, job: Job, operation: str, arguments: dict[str, Any], *, key: str | None
    ) -> Job:
        """Queue a job, unless one was queued under the key before, and return that one."""
        request = keyed(key, caller=job.created_by, operation=operation, arguments=arguments)
        await self._engine.prepare()

        async def finish(transaction: Transaction) -> Result:
            await self.queue(transaction, job)
            return {"id": job.id}

        done = await self._idempotency.once(request, finish)
        return await self._found(str(done["id"]))

    async def _found(self, job_id: str) -> Job:
        found = await self._engine.job(job_id)
        if found is None:
            raise JobNotFoundError(job_id=job_id)
        return found


def check_priority(priority: int) -> None:
    """Let pass what is a priority.

    Raises:
        JobPriorityError: If it is none.
    """
    if not 1 <= priority <= MAX_PRIORITY:
        raise JobPriorityError(priority=priority, maximum=MAX_PRIORITY)


def _checked(chosen: JobFilter) -> JobFilter:
    """Return a filter that each database takes, with everything once."""
    for place, kind in enumerate(chosen.kinds):
        if place >= MAX_KINDS or not _KIND.fullmatch(kind):
            raise JobFilterError(given=kind[:MAX_KIND], maximum=MAX_KINDS)
    return JobFilter(chosen.kinds, tuple(dict.fromkeys(chosen.states)))


def _log_page(request: LogRequest, lines: Sequence[LogLine]) -> Page[LogLine]:
    keys = [str(line.number) for line in lines]
    after = encode_cursor(str(request.after)) if request.after else None
    return page_of(lines, keys, first=request.limit - 1, after=after, total=None)


def _new_id(now: datetime) -> str:
    """Return an id that is greater than those of earlier milliseconds."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def _successor(job_id: str) -> str:
    """Return the next id: jobs of one millisecond have theirs in order, too."""
    return f"{int(job_id, 16) + 1:0{ID_DIGITS}x}"
