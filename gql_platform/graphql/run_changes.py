"""Changes of experiments and runs in the schema."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.errors import (
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidExperimentError,
    InvalidIDError,
    InvalidRunError,
    PlatformError,
    ReadOnlyServerError,
    RunDeletedError,
    RunFinishedError,
    RunNotFoundError,
    TooManyItemsError,
)
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import KEY_ERRORS
from gql_platform.graphql.mutation import Path, root_mutation
from gql_platform.graphql.run_inputs import (
    ExperimentCreateInput,
    RunCreateInput,
    RunDeleteInput,
    RunFinishInput,
    RunLogInput,
    RunRestoreInput,
    experiment_id_of,
    items_of,
    run_id_of,
    tags_of,
)
from gql_platform.graphql.scalars import Int64
from gql_platform.graphql.tracking import ExperimentType, RunType
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.run_changes.records import ItemKind, Refusal, RefusalCode, RunLogged
from gql_platform.tracking.records import Experiment, Run

enum_of(ItemKind)
enum_of(RefusalCode)


@dataclass(frozen=True, slots=True)
class ExperimentChange:
    """An experiment that was made."""

    experiment: Annotated[Experiment, Doc("The experiment as it is now.")]


@type_of(ExperimentChange)
class ExperimentChangeType:
    """An experiment that was made."""

    experiment: ExperimentType


@dataclass(frozen=True, slots=True)
class RunChange:
    """A run that was made or changed."""

    run: Annotated[Run, Doc("The run as it is now.")]


@type_of(RunChange)
class RunChangeType:
    """A run that was made or changed."""

    run: RunType


@type_of(Refusal, name="RefusedItem")
class RefusalType:
    """An item that was not logged."""

    kind: strawberry.auto
    index: strawberry.auto
    key: strawberry.auto
    code: strawberry.auto
    message: strawberry.auto


@type_of(RunLogged)
class RunLoggedType:
    """What was logged to a run."""

    param_count: Int64
    metric_count: Int64
    tag_count: Int64
    refused: strawberry.auto

    @edge(graphql_type=RunType | None)
    @staticmethod
    async def run(parent: strawberry.Parent[RunLogged], info: Info) -> Run | None:
        """The run as it is now."""
        return await info.context.loaders.runs.load(parent.run_id)


RUN_ERRORS: dict[type[PlatformError], Path] = {
    InvalidIDError: ("input", "run", "id"),
    RunNotFoundError: ("input", "run"),
    ReadOnlyServerError: (),
    **KEY_ERRORS,
}


@strawberry.type
class RunsMutation:
    """The changes of experiments and runs."""

    @root_mutation(
        Permission.RUN_WRITE,
        success=ExperimentChangeType,
        errors={
            InvalidExperimentError: ("input",),
            ExperimentExistsError: ("input", "name"),
            ReadOnlyServerError: (),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def experiment_create(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ExperimentCreateInput, strawberry.argument(description="Which experiment.")
        ],
    ) -> ExperimentChange:
        """Make an experiment."""
        changes, by = info.context.services.run_changes, info.context.viewer.name
        tags, key = tags_of(input.tags), input.idempotency_key
        return ExperimentChange(
            await changes.create_experiment(input.name, by=by, tags=tags, key=key)
        )

    @root_mutation(
        Permission.RUN_WRITE,
        success=RunChangeType,
        errors={
            InvalidIDError: ("input", "experiment", "id"),
            ExperimentNotFoundError: ("input", "experiment"),
            ExperimentDeletedError: ("input", "experiment"),
            InvalidRunError: ("input",),
            ReadOnlyServerError: (),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def run_create(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            RunCreateInput, strawberry.argument(description="Which run.")
        ],
    ) -> RunChange:
        """Make a run that is at work."""
        changes = info.context.services.run_changes
        return RunChange(
            await changes.create(
                by=info.context.viewer.name,
                experiment_id=experiment_id_of(input.experiment),
                experiment_name=input.experiment.name or None,
                name=input.name,
                started_at=input.started_at,
                tags=tags_of(input.tags),
                key=input.idempotency_key,
            )
        )

    @root_mutation(
        Permission.RUN_WRITE,
        success=RunLoggedType,
        errors={RunDeletedError: ("input", "run"), TooManyItemsError: ("input",), **RUN_ERRORS},
    )
    @staticmethod
    async def run_log(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            RunLogInput, strawberry.argument(description="What is logged to which run.")
        ],
    ) -> RunLogged:
        """Log params, metrics and tags to a run: what can be logged is, and the rest is told."""
        changes, by = info.context.services.run_changes, info.context.viewer.name
        run_id, key = run_id_of(input.run), input.idempotency_key
        return await changes.log(run_id, items_of(input), by=by, key=key)

    @root_mutation(
        Permission.RUN_WRITE,
        success=RunChangeType,
        errors={
            RunDeletedError: ("input", "run"),
            RunFinishedError: ("input", "state"),
            InvalidRunError: ("input", "finishedAt"),
            **RUN_ERRORS,
        },
    )
    @staticmethod
    async def run_finish(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            RunFinishInput, strawberry.argument(description="Which run is over.")
        ],
    ) -> RunChange:
        """Say how a run ended; one that ended like that before stays as it is."""
        changes, by = info.context.services.run_changes, info.context.viewer.name
        run_id, at, key = run_id_of(input.run), input.finished_at, input.idempotency_key
        return RunChange(await changes.finish(run_id, input.state, by=by, finished_at=at, key=key))

    @root_mutation(Permission.RUN_WRITE, success=RunChangeType, errors=RUN_ERRORS)
    @staticmethod
    async def run_delete(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            RunDeleteInput, strawberry.argument(description="Which run is deleted.")
        ],
    ) -> RunChange:
        """Delete a run, so that no list shows it; it can be restored."""
        changes, by = info.context.services.run_changes, info.context.viewer.name
        key = input.idempotency_key
        return RunChange(await changes.delete(run_id_of(input.run), by=by, key=key))

    @root_mutation(Permission.RUN_WRITE, success=RunChangeType, errors=RUN_ERRORS)
    @staticmethod
    async def run_restore(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            RunRestoreInput, strawberry.argument(description="Which run is restored.")
        ],
    ) -> RunChange:
        """Restore a run that was deleted."""
        changes, by = info.context.services.run_changes, info.context.viewer.name
        key = input.idempotency_key
        return RunChange(await changes.restore(run_id_of(input.run), by=by, key=key))
