"""Jobs in the platform's database, and in DBOS's queue beside it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, literal, select

from gql_platform.adapters.sql import jobs as rows
from gql_platform.adapters.sql import workers
from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.outage import outages
from gql_platform.adapters.sql.session import session_of
from gql_platform.errors import JobsUnavailableError
from gql_platform.jobs.ports import JobEngine
from gql_platform.jobs.records import Backlog, Job, JobFilter, JobState, LogLine, LogRequest
from gql_platform.store import Transaction


class OpenQueue(Protocol):
    """A queue beside the table of jobs."""

    def put(self, connection: Connection, job: Job) -> None:
        """Queue a job in the transaction of a connection."""
        ...

    def forget(self, job_ids: Sequence[str]) -> None:
        """Forget what is kept of finished jobs."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


class DbosJobEngine(JobEngine):
    """Keep jobs in the platform's table, and queue each in the same transaction.

    The table is what callers read; DBOS only decides which worker takes a job, and hands it on when
    that worker dies.

    Args:
        database: Where the table is. In memory, where workers cannot open it, there is no job.
        open_queue: Opens DBOS's queue there; called at the first enqueuing, in a thread, where it
            may import DBOS, which takes a second.
    """

    def __init__(self, database: Database, *, open_queue: Callable[[Address], OpenQueue]) -> None:
        self._database = database
        self._open_queue = open_queue
        self._queue: OpenQueue | None = None
        self._preparing = asyncio.Lock()

    async def prepare(self) -> None:
        """Get ready to enqueue: make DBOS's tables where they are missing."""
        await self._opened()

    async def enqueue(self, transaction: Transaction, job: Job) -> None:
        """Keep a job in the caller's transaction; workers see it once that is committed."""
        queue = self._queue
        if queue is None:
            raise RuntimeError("prepare the engine before the transaction begins")

        def put(connection: Connection) -> None:
            rows.insert_job(connection, job)
            queue.put(connection, job)

        await session_of(transaction).run(put)

    async def job(self, job_id: str) -> Job | None:
        """Return a job; None when there is none of that id."""
        async with self._database.read() as session:
            return await session.run(partial(rows.job_of, job_id=job_id))

    async def jobs_by_id(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return the jobs of these ids that there are, by id."""
        async with self._database.read() as session:
            return await session.run(partial(rows.jobs_by_id, job_ids=job_ids))

    async def jobs(self, *, chosen: JobFilter, after: str | None, limit: int) -> Sequence[Job]:
        """Return jobs, the newest first."""
        read = partial(rows.jobs_of, chosen=chosen, after=after, limit=limit)
        async with self._database.read() as session:
            return await session.run(read)

    async def cancel(self, transaction: Transaction, job_id: str, *, now: datetime) -> bool:
        """Cancel a job in the caller's transaction, and return False if it is finished.

        It stays in DBOS's queue: the worker that takes it, or is at it, reads the table.
        """
        end = partial(rows.finish_job, job_id=job_id, state=JobState.CANCELLED, now=now)
        return await session_of(transaction).run(end)

    async def logs(self, requests: Sequence[LogRequest]) -> Mapping[LogRequest, Sequence[LogLine]]:
        """Return the parts of logs that are asked for, each in its order."""
        async with self._database.read() as session:
            return await session.run(partial(rows.logs_of, requests=requests))

    async def are_jobs_alone(self) -> bool:
        """Return whether there are jobs to do and no worker that lives."""
        async with self._database.read() as session:
            return await session.run(workers.are_jobs_alone)

    async def backlog(self) -> Backlog:
        """Return how much there is to do, and how many workers live."""
        async with self._database.read() as session:
            return await session.run(workers.backlog)

    async def finished(self, *, before: datetime, limit: int) -> Sequence[str]:
        """Return the ids of up to ``limit`` jobs that were finished before."""
        read = partial(rows.finished_jobs, before=before, limit=limit)
        async with self._database.read() as session:
            return await session.run(read)

    async def forget(self, job_ids: Sequence[str]) -> None:
        """Forget finished jobs, with their logs, and what DBOS keeps of them."""
        queue = await self._opened()
        with outages(self._database.address):
            # First, for nobody would find that without the jobs.
            await asyncio.to_thread(queue.forget, job_ids)
        async with self._database.begin() as session:
            await session.run(partial(rows.delete_jobs, job_ids=job_ids))

    async def _opened(self) -> OpenQueue:
        """Return DBOS's queue; a database that is away is noticed first, for opening takes long."""
        if self._database.address.is_in_memory:
            raise JobsUnavailableError
        async with self._preparing:
            if self._queue is None:
                async with self._database.read() as session:
                    await session.execute(select(literal(1)))
                with outages(self._database.address):
                    self._queue = await asyncio.to_thread(self._open_queue, self._database.address)
            return self._queue

    async def close(self) -> None:
        """Let go of all connections."""
        queue, self._queue = self._queue, None
        if queue is not None:
            await asyncio.to_thread(queue.close)
