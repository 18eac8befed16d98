"""Following jobs, with one read for all that anybody follows."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from gql_platform.errors import UnavailableError
from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.records import Job

LOOK_EVERY_SECONDS = 0.25

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Follower:
    """Somebody who follows a job.

    Attributes:
        last: The job as it was told last; None once it is gone.
        told: Set when there is something to tell.
    """

    last: Job | None
    told: asyncio.Event = field(default_factory=asyncio.Event)


class JobWatch:
    """Look at the jobs that somebody follows, a few times a second.

    Workers may be anywhere, and tell of their progress by writing it down. Whoever is slow misses
    what was in between, but never how a job is now.

    Args:
        engine: Where jobs are.
        pause: Waits for so many seconds.
    """

    def __init__(self, engine: JobEngine, *, pause: Callable[[float], Awaitable[None]]) -> None:
        self._engine = engine
        self._pause = pause
        self._followers: dict[_Follower, str] = {}
        self._work: asyncio.Task[None] | None = None

    async def changes(self, job: Job) -> AsyncGenerator[Job]:
        """Yield a job whenever it is another, up to its last state, or until it is forgotten."""
        follower = _Follower(job)
        self._followers[follower] = job.id
        if self._work is None:
            self._work = asyncio.create_task(self._look())
        try:
            while follower.last is not None and not follower.last.state.is_final:
                await follower.told.wait()
                follower.told.clear()
                if follower.last is not None:
                    yield follower.last
        finally:
            del self._followers[follower]
            if not self._followers and self._work is not None:
                self._work.cancel()
                self._work = None

    async def _look(self) -> None:
        while True:
            await self._pause(LOOK_EVERY_SECONDS)
            try:
                found = await self._engine.jobs_by_id(sorted({*self._followers.values()}))
            except UnavailableError as error:
                log.warning("jobs_not_followed", reason=str(error))
                continue
            except Exception:
                # Those who follow would hear nothing any more.
                log.exception("jobs_not_followed")
                continue
            for follower, job_id in self._followers.items():
                job = found.get(job_id)
                if job != follower.last:
                    follower.last = job
                    follower.told.set()
