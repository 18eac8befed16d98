"""Schedules in the schema: jobs that are started again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.errors import (
    ExperimentNotFoundError,
    InvalidCronError,
    InvalidIDError,
    InvalidTimeZoneError,
    JobPriorityError,
    JobsUnavailableError,
    ScheduleNotFoundError,
    TooManyExperimentsError,
    TooManySchedulesError,
)
from gql_platform.exports.records import ExportRequest
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import IDEMPOTENCY_KEY, KEY_ERRORS
from gql_platform.graphql.execution.limits.declarations import ListSize
from gql_platform.graphql.exports import ExportContents
from gql_platform.graphql.jobs import JobType
from gql_platform.graphql.mutation import root_mutation
from gql_platform.graphql.node import UUID, Node, encode_id, key_of
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.scalars import JSON
from gql_platform.graphql.type_of import edge, type_of
from gql_platform.jobs.records import Job
from gql_platform.jobs.service import DEFAULT_PRIORITY
from gql_platform.schedules.records import JobSchedule, Times
from gql_platform.schedules.service import MAX_SCHEDULES


@type_of(JobSchedule)
class JobScheduleType(Node):
    """A job that is started again and again."""

    kind: strawberry.auto
    input: JSON
    priority: strawberry.auto
    cron: strawberry.auto
    time_zone: strawberry.auto
    is_enabled: strawberry.auto
    next_at: strawberry.auto
    created_at: strawberry.auto
    created_by: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[JobSchedule]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("JobSchedule", parent.id)

    @edge(graphql_type=JobType | None)
    @staticmethod
    async def last_job(parent: strawberry.Parent[JobSchedule], info: Info) -> Job | None:
        """The job that was started last; null before the first, and when it is forgotten."""
        if parent.last_job_id is None:
            return None
        return await info.context.loaders.jobs.load(parent.last_job_id)


@dataclass(frozen=True, slots=True)
class JobScheduleChange:
    """A schedule that was made or changed."""

    schedule: Annotated[JobSchedule, Doc("The schedule as it is now.")]


@type_of(JobScheduleChange)
class JobScheduleChangeType:
    """A schedule that was made or changed."""

    schedule: strawberry.auto


@strawberry.type(description="A schedule that is no more.")
class JobScheduleDeletion:
    """A schedule that is no more."""

    deleted_id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(one_of=True, description="What the jobs of a schedule do.")
class ScheduledWork:
    """What the jobs of a schedule do."""

    registry_export: ExportContents | None = strawberry.field(
        default=strawberry.UNSET, description="They export the registry, as `registryExport` does."
    )


@strawberry.input(description="Times that come again and again.")
class TimesInput:
    """Times that come again and again."""

    cron: str = strawberry.field(
        description=(
            "Five fields: minute, hour, day of the month, month, day of the week, such as "
            "`30 2 * * mon-fri`."
        )
    )
    time_zone: str = strawberry.field(
        default="UTC", description="Whose clock they are read on, such as `Europe/Berlin`."
    )


@strawberry.input(description="A job that is to be started again and again.")
class JobScheduleCreateInput:
    """A job that is to be started again and again."""

    times: TimesInput = strawberry.field(description="When.")
    work: ScheduledWork = strawberry.field(description="What it does.")
    priority: int = strawberry.field(
        default=DEFAULT_PRIORITY,
        description="Of the jobs that wait, those with lower numbers go first; at least 1.",
    )
    is_enabled: bool = strawberry.field(
        default=True, description="Whether jobs are started from now on."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A schedule that is to be another; what is left out stays.")
class JobScheduleUpdateInput:
    """A schedule that is to be another."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    times: TimesInput | None = strawberry.field(default=None, description="When.")
    is_enabled: bool | None = strawberry.field(
        default=None, description="Whether jobs are started from now on."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A schedule that is to be no more.")
class JobScheduleDeleteInput:
    """A schedule that is to be no more."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type
class SchedulesQuery:
    """The root field of schedules."""

    @root_field(
        Permission.JOB_READ,
        graphql_type=list[JobScheduleType] | None,
        directives=[ListSize(assumed_size=MAX_SCHEDULES)],
    )
    @staticmethod
    async def job_schedules(info: Info) -> Sequence[JobSchedule]:
        """What is started again and again; there are at most 100 schedules."""
        return await info.context.services.schedules.all()


TIMES_ERRORS: dict[Any, tuple[str, ...]] = {
    InvalidCronError: ("input", "times", "cron"),
    InvalidTimeZoneError: ("input", "times", "timeZone"),
}


@strawberry.type
class SchedulesMutation:
    """The changes of schedules."""

    @root_mutation(
        Permission.EXPORT_WRITE,
        success=JobScheduleChangeType,
        errors={
            **TIMES_ERRORS,
            ExperimentNotFoundError: ("input", "work", "registryExport", "experiments"),
            TooManyExperimentsError: ("input", "work", "registryExport", "experiments"),
            JobPriorityError: ("input", "priority"),
            TooManySchedulesError: (),
            JobsUnavailableError: (),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def job_schedule_create(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            JobScheduleCreateInput, strawberry.argument(description="What is to be started when.")
        ],
    ) -> JobScheduleChange:
        """Have a job started again and again; times that pass unused are made up for by one."""
        return JobScheduleChange(
            await info.context.services.exports.schedule(
                _export(input.work),
                _times(input.times),
                by=info.context.viewer.name,
                priority=input.priority,
                is_enabled=input.is_enabled,
                key=input.idempotency_key,
            )
        )

    @root_mutation(
        Permission.JOB_WRITE,
        success=JobScheduleChangeType,
        errors={
            InvalidIDError: ("input", "id"),
            ScheduleNotFoundError: ("input", "id"),
            **TIMES_ERRORS,
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def job_schedule_update(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            JobScheduleUpdateInput, strawberry.argument(description="What is to be another.")
        ],
    ) -> JobScheduleChange:
        """Change when jobs are started, or whether."""
        return JobScheduleChange(
            await info.context.services.schedules.update(
                schedule_key(input.id),
                by=info.context.viewer.name,
                times=_times(input.times) if input.times else None,
                is_enabled=input.is_enabled,
                key=input.idempotency_key,
            )
        )

    @root_mutation(
        Permission.JOB_WRITE,
        success=JobScheduleDeletion,
        errors={
            InvalidIDError: ("input", "id"),
            ScheduleNotFoundError: ("input", "id"),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def job_schedule_delete(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            JobScheduleDeleteInput, strawberry.argument(description="Which one.")
        ],
    ) -> JobScheduleDeletion:
        """Start no more jobs, and forget the schedule; jobs that were started stay."""
        key, by = schedule_key(input.id), info.context.viewer.name
        await info.context.services.schedules.delete(key, by=by, key=input.idempotency_key)
        return JobScheduleDeletion(deleted_id=input.id)


def _export(work: ScheduledWork) -> ExportRequest:
    """Return what is exported, where that is the one thing that can be scheduled."""
    if work.registry_export is None:
        raise TypeError("exactly one kind of work is given")
    return work.registry_export.as_request()


def _times(given: TimesInput) -> Times:
    return Times(given.cron, given.time_zone)


def schedule_key(node_id: str) -> str:
    """Return the schedule's own id behind a global one.

    Raises:
        InvalidIDError: If it is no id of a schedule.
    """
    return key_of(node_id, "JobSchedule", spelled=UUID)
