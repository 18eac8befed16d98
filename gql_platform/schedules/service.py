"""Making schedules, and starting jobs when their time has come."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from gql_platform.errors import (
    InvalidInputError,
    ScheduleNotFoundError,
    TooManySchedulesError,
)
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.records import Result
from gql_platform.idempotency.service import Idempotency, keyed
from gql_platform.jobs.service import DEFAULT_PRIORITY, Jobs, check_priority
from gql_platform.repetition import again_and_again
from gql_platform.schedules.cron import next_time
from gql_platform.schedules.ports import ScheduleStore
from gql_platform.schedules.records import (
    SCHEDULE_CREATED,
    SCHEDULE_DELETED,
    SCHEDULE_SKIPPED,
    SCHEDULE_UPDATED,
    SUBJECT,
    JobSchedule,
    Times,
)
from gql_platform.store import Store, Transaction

MAX_SCHEDULES = 100
LOOK_EVERY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Schedules:
    """Start jobs at set times; any number of servers may do so, each time is used once.

    Times that pass while no server runs are made up for by one job.

    Args:
        store: Where transactions begin.
        schedules: Where schedules are.
        jobs: Starts the jobs.
        events: Where changes are written down.
        idempotency: Does what has a key once.
        now: Tells the time.
        pause: Waits for so many seconds.
    """

    def __init__(
        self,
        store: Store,
        schedules: ScheduleStore,
        jobs: Jobs,
        events: Events,
        idempotency: Idempotency,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._jobs = jobs
        self._events = events
        self._idempotency = idempotency
        self._now = now
        self._pause = pause

    async def all(self) -> Sequence[JobSchedule]:
        """Return all schedules, in the order of their ids."""
        return await self._schedules.schedules()

    async def schedules_by_id(self, ids: Sequence[str]) -> Mapping[str, JobSchedule]:
        """Return the schedules of these ids that there are, by id."""
        return {each.id: each for each in await self.all() if each.id in ids}

    async def create(
        self,
        kind: str,
        given: Mapping[str, Any],
        times: Times,
        *,
        by: str,
        priority: int = DEFAULT_PRIORITY,
        is_enabled: bool = True,
        key: str | None = None,
    ) -> JobSchedule:
        """Have a job started again and again.

        Args:
            kind: What it does.
            given: What it is given.
            times: When.
            by: Who wants that.
            priority: The priority of the jobs.
            is_enabled: Whether jobs are started from now on.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidCronError: If the times are none.
            InvalidTimeZoneError: If there is no such zone.
            JobPriorityError: If the priority is none.
            TooManySchedulesError: If there are as many as there may be.
            JobsUnavailableError: If no worker could find the jobs.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        check_priority(priority)
        now = self._now()
        made = JobSchedule(
            id=str(uuid.uuid4()),
            kind=kind,
            input=given,
            priority=priority,
            cron=times.cron,
            time_zone=times.time_zone,
            is_enabled=is_enabled,
            next_at=next_time(times, after=now) if is_enabled else None,
            created_at=now,
            created_by=by,
        )
        count = await self._ready_count()
        asked = {"kind": kind, "input": given, "priority": priority, "is_enabled": is_enabled}
        asked |= asdict(times)
        request = keyed(key, caller=by, operation="schedule.create", arguments=asked)

        async def finish(transaction: Transaction) -> Result:
            # Not before: what was made already is answered, however many there are by now.
            if count >= MAX_SCHEDULES:
                raise TooManySchedulesError(maximum=MAX_SCHEDULES)
            await self._schedules.put(transaction, made)
            await self._tell(transaction, SCHEDULE_CREATED, made, by=by)
            return {"id": made.id}

        done = await self._idempotency.once(request, finish)
        return await self._found(str(done["id"]))

    async def update(
        self,
        schedule_id: str,
        *,
        by: str,
        times: Times | None = None,
        is_enabled: bool | None = None,
        key: str | None = None,
    ) -> JobSchedule:
        """Change when jobs are started, or whether; what is None stays.

        Args:
            schedule_id: Which schedule.
            by: Who wants that.
            times: When.
            is_enabled: Whether jobs are started from now on.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            ScheduleNotFoundError: If there is none.
            InvalidCronError: If the times are none.
            InvalidTimeZoneError: If there is no such zone.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        if times is not None:
            next_time(times, after=self._now())
        arguments = {"id": schedule_id, "times": times, "is_enabled": is_enabled}
        request = keyed(key, caller=by, operation="schedule.update", arguments=arguments)

        async def finish(transaction: Transaction) -> Result:
            found = await self._schedules.locked(transaction, schedule_id)
            if found is None:
                raise ScheduleNotFoundError(schedule_id=schedule_id)
            changed = self._changed(found, times, is_enabled)
            await self._schedules.put(transaction, changed)
            await self._tell(transaction, SCHEDULE_UPDATED, changed, by=by)
            return {"id": schedule_id}

        await self._idempotency.once(request, finish)
        return await self._found(schedule_id)

    async def delete(self, schedule_id: str, *, by: str, key: str | None = None) -> None:
        """Start no more jobs, and forget the schedule; the jobs stay.

        Args:
            schedule_id: Which schedule.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            ScheduleNotFoundError: If there is none.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        arguments = {"id": schedule_id}
        request = keyed(key, caller=by, operation="schedule.delete", arguments=arguments)

        async def finish(transaction: Transaction) -> Result:
            found = await self._schedules.locked(transaction, schedule_id)
            if found is None:
                raise ScheduleNotFoundError(schedule_id=schedule_id)
            await self._schedules.delete(transaction, schedule_id)
            await self._tell(transaction, SCHEDULE_DELETED, found, by=by)
            return arguments

        await self._idempotency.once(request, finish)

    async def start_due(self) -> int:
        """Start the jobs whose time has come, and return how many.

        Raises:
            StoreUnavailableError: If the platform's database does not answer.
        """
        count = 0
        for schedule_id in await self._schedules.due(now=self._now(), limit=MAX_SCHEDULES):
            try:
                count += await self._start(schedule_id)
            except InvalidInputError as error:
                # The time zones of a machine change; the other schedules go on.
                log.error("schedule_not_started", schedule=schedule_id, reason=str(error))  # noqa: TRY400 - it says it all
        return count

    async def keep_starting(self) -> None:
        """Start the jobs whose time has come, again and again, without end."""
        await again_and_again(
            self.start_due,
            every_seconds=LOOK_EVERY_SECONDS,
            failure="schedules_not_read",
            pause=self._pause,
        )

    async def _ready_count(self) -> int:
        """Return how many schedules there are, where their jobs can be done."""
        await self._jobs.prepare()
        return len(await self.all())

    async def _start(self, schedule_id: str) -> bool:
        """Start the job of one schedule, unless another server did meanwhile.

        While the last one is not done, the time is skipped: a job that takes longer than the time
        between two would have ever more of its kind behind it.
        """
        await self._jobs.prepare()
        now = self._now()
        async with self._store.begin() as transaction:
            found = await self._schedules.locked(transaction, schedule_id)
            if found is None or found.next_at is None or found.next_at > now:
                return False
            following = next_time(Times(found.cron, found.time_zone), after=now)
            passed = replace(found, next_at=following)
            if await self._is_unfinished(found.last_job_id):
                await self._schedules.put(transaction, passed)
                await self._tell(transaction, SCHEDULE_SKIPPED, found, by=found.created_by)
                return False
            job = self._jobs.new(
                found.kind, found.input, by=found.created_by, priority=found.priority
            )
            await self._schedules.put(transaction, replace(passed, last_job_id=job.id))
            await self._jobs.queue(transaction, job)
        return True

    async def _is_unfinished(self, job_id: str | None) -> bool:
        job = None if job_id is None else await self._jobs.job(job_id)
        return job is not None and not job.state.is_final

    def _changed(
        self, found: JobSchedule, times: Times | None, is_enabled: bool | None
    ) -> JobSchedule:
        times = times or Times(found.cron, found.time_zone)
        is_on = found.is_enabled if is_enabled is None else is_enabled
        return replace(
            found,
            cron=times.cron,
            time_zone=times.time_zone,
            is_enabled=is_on,
            next_at=next_time(times, after=self._now()) if is_on else None,
        )

    async def _found(self, schedule_id: str) -> JobSchedule:
        found = (await self.schedules_by_id([schedule_id])).get(schedule_id)
        if found is None:
            raise ScheduleNotFoundError(schedule_id=schedule_id)
        return found

    async def _tell(
        self, transaction: Transaction, type_: str, schedule: JobSchedule, *, by: str
    ) -> None:
        """Write down what happened to a schedule, as the last act of a transaction."""
        data = {"kind": schedule.kind, "cron": schedule.cron, "timeZone": schedule.time_zone}
        event = NewEvent(type_, SUBJECT, schedule.id, by, data)
        await self._events.append(transaction, [event])
