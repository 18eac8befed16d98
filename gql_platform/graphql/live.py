"""Runs and the registry in the schema, followed while they change."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, TypeVar

import strawberry

from gql_platform.access.records import Permission
from gql_platform.graphql.connection import DEFAULT_FIRST, First
from gql_platform.graphql.context import Info
from gql_platform.graphql.execution.limits.declarations import ListSize
from gql_platform.graphql.permission import root_subscription
from gql_platform.graphql.registry import ModelType, ModelVersionType
from gql_platform.graphql.run_filters import FilterArgument, chosen_runs
from gql_platform.graphql.runs import key_of
from gql_platform.graphql.scalars import ExactNumber, FloatVector, Int64Vector
from gql_platform.graphql.tracking import RunType
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.live.records import (
    NewPoints,
    RegistryChange,
    RegistryChangeKind,
    RegistryUpdate,
    RunNotice,
    RunNoticeKind,
    RunsUpdate,
    RunUpdate,
)
from gql_platform.run_search.records import RunFilter

T = TypeVar("T")

enum_of(RunNoticeKind)
enum_of(RegistryChangeKind)


@type_of(NewPoints)
class NewPointsType:
    """Points of one metric."""

    key: strawberry.auto
    steps: Int64Vector
    values: FloatVector
    times_ms: Int64Vector
    restarted: strawberry.auto

    @edge(graphql_type=list[ExactNumber], directives=[ListSize(assumed_size=100)])
    @staticmethod
    def exact_values(parent: strawberry.Parent[NewPoints]) -> list[float]:
        """The values, where NaN and the infinities are told apart."""
        return list(parent.values)


@type_of(RunUpdate)
class RunUpdateType:
    """A run, and what was logged."""

    run: RunType
    new_metrics: strawberry.auto
    has_more: strawberry.auto
    cursor: strawberry.auto
    is_final: strawberry.auto


@type_of(RunNotice)
class RunNoticeType:
    """What became of a run."""

    kind: strawberry.auto
    run_id: strawberry.auto
    run: RunType | None


@type_of(RunsUpdate)
class RunsUpdateType:
    """What became of runs."""

    changes: strawberry.auto


@type_of(RegistryChange)
class RegistryChangeType:
    """A model, version or alias that is another than before."""

    kind: strawberry.auto
    model_name: strawberry.auto
    model: ModelType | None
    alias: strawberry.auto
    version_number: strawberry.auto
    version: ModelVersionType | None


@type_of(RegistryUpdate)
class RegistryUpdateType:
    """What happened in the registry."""

    changes: strawberry.auto


@strawberry.type
class LiveSubscription:
    """The subscriptions on runs and the registry."""

    @root_subscription(Permission.RUN_READ, graphql_type=RunUpdateType)
    @staticmethod
    async def run_updated(
        info: Info,
        id: Annotated[  # noqa: A002 - as every look-up by id has it
            strawberry.ID, strawberry.argument(description="The global id of the run.")
        ],
        after: Annotated[
            str | None,
            strawberry.argument(
                description="The last `cursor` that you know, to go on behind it; by default all "
                "that was logged comes first."
            ),
        ] = None,
        skip_history: Annotated[
            bool,
            strawberry.argument(
                description="Whether to begin, without a cursor, with what is logged from now on."
            ),
        ] = False,
    ) -> AsyncIterator[RunUpdate]:
        """A run and each point of its metrics, once and in the order of logging, up to its end.

        Whoever logs: this server, or any client of MLflow on the same store.
        """
        live, run_id = info.context.services.live, key_of(id, "Run")
        found = live.follow_run(run_id, after=after, skip_history=skip_history)
        async with aclosing(_read_anew(info, found)) as updates:
            async for update in updates:
                yield update

    @root_subscription(Permission.RUN_READ, graphql_type=RunsUpdateType)
    @staticmethod
    async def runs_updated(
        info: Info,
        experiment: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The global id of an experiment; all of them by default."
            ),
        ] = None,
        filter: FilterArgument = None,  # noqa: A002 - the name that every list gives it
        first: First = DEFAULT_FIRST,
    ) -> AsyncIterator[RunsUpdate]:
        """The newest runs that are asked for, all at first, and again those that are others.

        Older runs than the `first` newest make room; `filter` chooses, for example, those at work.
        """
        chosen = _within(chosen_runs(filter), experiment)
        found = info.context.services.live.follow_runs(chosen, first=first)
        async with aclosing(_read_anew(info, found)) as updates:
            async for update in updates:
                yield update

    @root_subscription(Permission.MODEL_READ, graphql_type=RegistryUpdateType)
    @staticmethod
    async def registry_changed(
        info: Info,
        model: Annotated[
            str | None, strawberry.argument(description="One model; all of them by default.")
        ] = None,
    ) -> AsyncIterator[RegistryUpdate]:
        """Each model, version or alias that is another than before, whoever changed it.

        The first message comes at once and is empty: what happens after it is told.
        """
        found = info.context.services.live.follow_registry(model)
        async with aclosing(_read_anew(info, found)) as updates:
            async for update in updates:
                yield update


async def _read_anew(info: Info, updates: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Yield messages, of which none is answered with what was read for an earlier one."""
    async with aclosing(updates):
        async for update in updates:
            info.context.read_anew()
            yield update


def _within(chosen: RunFilter, experiment: str | None) -> RunFilter:
    return chosen if experiment is None else chosen.within(key_of(experiment, "Experiment"))
