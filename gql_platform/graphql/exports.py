"""Exports in the schema: jobs that write tables."""

from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.errors import (
    ExperimentNotFoundError,
    JobPriorityError,
    JobsUnavailableError,
    TooManyExperimentsError,
)
from gql_platform.exports.records import ExportRequest
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import IDEMPOTENCY_KEY, KEY_ERRORS
from gql_platform.graphql.jobs import JobChange, JobChangeType
from gql_platform.graphql.mutation import root_mutation
from gql_platform.jobs.service import DEFAULT_PRIORITY


@strawberry.input(description="What an export holds, beside all models and their versions.")
class ExportContents:
    """What an export holds, beside all models and their versions."""

    experiments: list[str] = strawberry.field(
        default_factory=list,
        description="The names of at most 100 experiments whose runs it has; by default all.",
    )
    metric_histories: bool = strawberry.field(
        default=False,
        description="Whether it has all values of the metrics, and not the last ones alone.",
    )

    def as_request(self) -> ExportRequest:
        """Return it as the service takes it."""
        return ExportRequest(tuple(self.experiments), self.metric_histories)


@strawberry.input(description="What an export is to hold, beside all models and their versions.")
class RegistryExportInput(ExportContents):
    """What an export is to hold, beside all models and their versions."""

    priority: int = strawberry.field(
        default=DEFAULT_PRIORITY,
        description="Of the jobs that wait, those with lower numbers go first; at least 1.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type
class ExportsMutation:
    """The exports that can be asked for."""

    @root_mutation(
        Permission.EXPORT_WRITE,
        success=JobChangeType,
        errors={
            ExperimentNotFoundError: ("input", "experiments"),
            TooManyExperimentsError: ("input", "experiments"),
            JobPriorityError: ("input", "priority"),
            JobsUnavailableError: (),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def registry_export(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            RegistryExportInput, strawberry.argument(description="What it is to hold.")
        ],
    ) -> JobChange:
        """Write models, versions, runs, params and metrics to Parquet tables, in one zip file.

        That takes a job, which has the file in the end.
        """
        request = input.as_request()
        exports, by = info.context.services.exports, info.context.viewer.name
        return JobChange(
            await exports.start(request, by=by, priority=input.priority, key=input.idempotency_key)
        )
