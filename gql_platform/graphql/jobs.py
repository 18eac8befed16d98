"""Jobs in the schema: how they are, what they say, and what they made."""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Optional

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.downloads.records import Download
from gql_platform.errors import (
    InvalidIDError,
    JobFinishedError,
    JobNotFoundError,
    JobsUnavailableError,
    JobUnfinishedError,
)
from gql_platform.graphql.connection import DEFAULT_FIRST, After, Connection, First, connection_of
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import IDEMPOTENCY_KEY, KEY_ERRORS
from gql_platform.graphql.downloads import DownloadType
from gql_platform.graphql.mutation import root_mutation
from gql_platform.graphql.node import Node, encode_id, key_of
from gql_platform.graphql.permission import RequiresPermission, root_field, root_subscription
from gql_platform.graphql.scalars import JSON, Int64
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.jobs.records import (
    JOB_FILES,
    Job,
    JobFile,
    JobFilter,
    JobState,
    LogLevel,
    LogLine,
    LogRequest,
    Progress,
)

_KEY = re.compile(r"[0-9a-f]{32}")

enum_of(JobState)
enum_of(LogLevel)


@type_of(Progress, name="JobProgress")
class JobProgressType:
    """How far the work of a job is."""

    fraction: strawberry.auto
    message: strawberry.auto
    numbers: JSON


@type_of(LogLine, name="JobLogLine")
class JobLogLineType:
    """A line of a job's log."""

    number: strawberry.auto
    time: strawberry.auto
    level: strawberry.auto
    message: strawberry.auto


@type_of(JobFile)
class JobFileType:
    """A file that a job made."""

    name: strawberry.auto
    size_bytes: Int64

    @edge(
        graphql_type=DownloadType | None,
        directives=[RequiresPermission(permission=Permission.JOB_READ)],
    )
    @staticmethod
    async def download(parent: strawberry.Parent[JobFile], info: Info) -> Download:
        """A link to fetch it from, which works for some minutes and needs no key."""
        info.context.viewer.require(Permission.JOB_READ)
        key, downloads = f"{parent.job_id}/{parent.name}", info.context.services.downloads
        return await downloads.url(JOB_FILES, key, name=parent.name)


@strawberry.type(description="When a worker took a job, and when it ended.")
class JobTiming:
    """When a worker took a job, and when it ended."""

    started_at: datetime | None = strawberry.field(description="When a worker first took it.")
    finished_at: datetime | None = strawberry.field(description="When it reached its last state.")
    duration_ms: float | None = strawberry.field(
        description="How long that was, in milliseconds; null before its end."
    )


@type_of(Job)
class JobType(Node):
    """A piece of long work."""

    kind: strawberry.auto
    state: strawberry.auto
    input: JSON
    created_by: strawberry.auto
    created_at: strawberry.auto
    priority: strawberry.auto
    failures: strawberry.auto
    progress: strawberry.auto
    result: JSON | None
    error: strawberry.auto
    worker: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Job]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Job", parent.id)

    @edge()
    @staticmethod
    def timing(parent: strawberry.Parent[Job]) -> JobTiming:
        """When a worker took it, and when it ended."""
        return JobTiming(
            started_at=parent.started_at,
            finished_at=parent.finished_at,
            duration_ms=parent.duration_ms,
        )

    @edge(graphql_type=list[JobFileType])
    @staticmethod
    def files(parent: strawberry.Parent[Job]) -> tuple[JobFile, ...]:
        """The files that it made, which are kept as long as the job is."""
        return parent.files

    @edge(graphql_type=Connection[JobLogLineType] | None)
    @staticmethod
    async def log(
        parent: strawberry.Parent[Job],
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> Connection[LogLine] | None:
        """What it has to say, oldest first."""
        request = LogRequest.of_page(parent.id, first=first, after=after)
        page = await info.context.loaders.job_logs.load(request)
        return None if page is None else connection_of(page)

    @edge(graphql_type=Optional[Annotated["JobType", strawberry.lazy(__name__)]])  # noqa: UP045 - a lazy type takes no `|`
    @staticmethod
    async def retry_of(parent: strawberry.Parent[Job], info: Info) -> Job | None:
        """The job that it repeats; null if it repeats none, or that is forgotten."""
        if parent.retry_of is None:
            return None
        return await info.context.loaders.jobs.load(parent.retry_of)


@dataclass(frozen=True, slots=True)
class JobChange:
    """A job that was asked for, or changed."""

    job: Annotated[Job, Doc("The job as it is now.")]


@type_of(JobChange)
class JobChangeType:
    """A job that was asked for, or changed."""

    job: strawberry.auto


@strawberry.input(description="Which jobs are asked for; what is left out filters nothing.")
class JobFilterInput:
    """Which jobs are asked for."""

    kinds: list[str] | None = strawberry.field(
        default=None, description="Of one of these kinds, such as `registryExport`."
    )
    states: list[JobState] | None = strawberry.field(
        default=None, description="In one of these states."
    )


@strawberry.input(description="A job that is to be cancelled.")
class JobCancelInput:
    """A job that is to be cancelled."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A job that is to be done again.")
class JobRetryInput:
    """A job that is to be done again."""

    id: strawberry.ID = strawberry.field(description="Its global id; it is finished.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


Id = Annotated[strawberry.ID, strawberry.argument(description="The global id of the job.")]


@strawberry.type
class JobsQuery:
    """The root fields of jobs."""

    @root_field(Permission.JOB_READ, graphql_type=JobType | None)
    @staticmethod
    async def job(info: Info, id: Id) -> Job | None:  # noqa: A002 - as every look-up by id has it
        """A job; null when there is none, or no longer."""
        return await info.context.loaders.jobs.load(job_key(id))

    @root_field(Permission.JOB_READ, graphql_type=Connection[JobType] | None)
    @staticmethod
    async def jobs(
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Annotated[  # noqa: A002 - the name that every list gives it
            JobFilterInput | None, strawberry.argument(description="Which ones; all by default.")
        ] = None,
    ) -> Connection[Job]:
        """Jobs, the newest first, as far back as they are kept."""
        jobs = info.context.services.jobs
        return connection_of(await jobs.page(first=first, after=after, chosen=_chosen(filter)))


@strawberry.type
class JobsMutation:
    """The changes of jobs."""

    @root_mutation(
        Permission.JOB_WRITE,
        success=JobChangeType,
        errors={
            InvalidIDError: ("input", "id"),
            JobNotFoundError: ("input", "id"),
            JobFinishedError: ("input", "id"),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def job_cancel(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            JobCancelInput, strawberry.argument(description="Which one.")
        ],
    ) -> JobChange:
        """Cancel a job; if a worker is at it, its process is killed within moments."""
        jobs, by = info.context.services.jobs, info.context.viewer.name
        return JobChange(await jobs.cancel(job_key(input.id), by=by, key=input.idempotency_key))

    @root_mutation(
        Permission.JOB_WRITE,
        success=JobChangeType,
        errors={
            InvalidIDError: ("input", "id"),
            JobNotFoundError: ("input", "id"),
            JobUnfinishedError: ("input", "id"),
            JobsUnavailableError: (),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def job_retry(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            JobRetryInput, strawberry.argument(description="Which one.")
        ],
    ) -> JobChange:
        """Queue a new job that does what a finished one was to do."""
        jobs, by = info.context.services.jobs, info.context.viewer.name
        return JobChange(await jobs.retry(job_key(input.id), by=by, key=input.idempotency_key))


@strawberry.type
class JobsSubscription:
    """The subscription on a job."""

    @root_subscription(Permission.JOB_READ, graphql_type=JobType)
    @staticmethod
    async def job_updated(info: Info, id: Id) -> AsyncIterator[Job]:  # noqa: A002 - see `job`
        """A job as it is, and whenever it is another, up to its last state.

        Whoever comes back later sees how it is then: nothing is missed but what was in between.
        """
        async with aclosing(info.context.services.jobs.follow(job_key(id))) as jobs:
            async for job in jobs:
                yield job


def job_key(node_id: str) -> str:
    """Return the job's own id behind a global one.

    Raises:
        InvalidIDError: If it is no id of a job.
    """
    return key_of(node_id, "Job", spelled=_KEY)


def _chosen(given: JobFilterInput | None) -> JobFilter:
    if given is None:
        return JobFilter()
    return JobFilter(tuple(given.kinds or ()), tuple(given.states or ()))
