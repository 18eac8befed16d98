"""Experiments and runs among the root fields: pages, filters, comparisons and series."""

from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.errors import InvalidIDError
from gql_platform.graphql.connection import (
    DEFAULT_FIRST,
    After,
    Connection,
    First,
    connection_of,
    is_counted,
)
from gql_platform.graphql.context import Info
from gql_platform.graphql.execution.limits.declarations import Cost, ListSize
from gql_platform.graphql.node import decode_id
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.run_filters import (
    FilterArgument,
    OrderArgument,
    chosen_runs,
    order_of,
)
from gql_platform.graphql.tracking import (
    ExperimentType,
    MetricSeriesType,
    RunComparisonType,
    RunType,
)
from gql_platform.tracking.records import (
    DEFAULT_POINTS,
    MAX_POINTS,
    MIN_POINTS,
    Experiment,
    MetricSeries,
    Run,
    RunComparison,
    SamplingMethod,
)
from gql_platform.tracking.service import MAX_COMPARED, MAX_SERIES


@strawberry.input(one_of=True, description="One way to name an experiment.")
class ExperimentBy:
    """One way to name an experiment."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name in MLflow.")


@strawberry.input(one_of=True, description="One way to name a run.")
class RunBy:
    """One way to name a run."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    run_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="MLflow's id of the run."
    )


@strawberry.type
class TrackingQuery:
    """The root fields of experiments and runs."""

    @root_field(Permission.RUN_READ, graphql_type=Connection[ExperimentType] | None)
    @staticmethod
    async def experiments(
        info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Experiment]:
        """All experiments that are not deleted, by name."""
        tracking = info.context.services.tracking
        counted = is_counted(info)
        return connection_of(await tracking.experiments(first=first, after=after, counted=counted))

    @root_field(Permission.RUN_READ, graphql_type=ExperimentType | None)
    @staticmethod
    async def experiment(
        info: Info,
        by: Annotated[ExperimentBy, strawberry.argument(description="Which experiment.")],
    ) -> Experiment | None:
        """An experiment; null when there is none."""
        if isinstance(by.id, str):
            return await info.context.loaders.experiments.load(key_of(by.id, "Experiment"))
        return await info.context.services.tracking.experiment_named(by.name or "")

    @root_field(Permission.RUN_READ, graphql_type=Connection[RunType] | None)
    @staticmethod
    async def runs(
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: FilterArgument = None,  # noqa: A002 - the name that every list gives it
        order_by: OrderArgument = None,
    ) -> Connection[Run]:
        """Runs of all experiments that are not deleted, the newest first by default."""
        page = await info.context.services.tracking.run_page(
            chosen_runs(filter),
            order=order_of(order_by),
            first=first,
            after=after,
            counted=is_counted(info),
        )
        return connection_of(page)

    @root_field(Permission.RUN_READ, graphql_type=RunType | None)
    @staticmethod
    async def run(
        info: Info, by: Annotated[RunBy, strawberry.argument(description="Which run.")]
    ) -> Run | None:
        """A run, deleted or not; null when there is none."""
        run_id = key_of(by.id, "Run") if isinstance(by.id, str) else by.run_id or ""
        return await info.context.loaders.runs.load(run_id)

    @root_field(
        Permission.RUN_READ,
        graphql_type=RunComparisonType | None,
        directives=[ListSize(slicing_arguments=["ids"])],
    )
    @staticmethod
    async def run_comparison(
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"The ids of the runs, at most {MAX_COMPARED}."),
        ],
        diff_only: Annotated[
            bool,
            strawberry.argument(
                description="Whether to leave out what is the same in all of them."
            ),
        ] = False,
    ) -> RunComparison:
        """Params and last metrics of several runs side by side, and the best run by each metric."""
        run_ids = [key_of(each, "Run") for each in ids]
        return await info.context.services.tracking.comparison(run_ids, diff_only=diff_only)

    @root_field(
        Permission.RUN_READ,
        graphql_type=list[MetricSeriesType] | None,
        directives=[
            Cost(weight=1, multipliers=["maxPoints", "runs", "keys"]),
            ListSize(slicing_arguments=["runs"]),
        ],
    )
    @staticmethod
    async def metric_series(
        info: Info,
        runs: Annotated[
            list[strawberry.ID], strawberry.argument(description="The ids of the runs.")
        ],
        keys: Annotated[
            list[str],
            strawberry.argument(
                description=f"The names of the metrics; runs times names are at most {MAX_SERIES}."
            ),
        ],
        max_points: Annotated[
            int,
            strawberry.argument(
                description=(f"How many points of each at most, from {MIN_POINTS} to {MAX_POINTS}.")
            ),
        ] = DEFAULT_POINTS,
        method: Annotated[
            SamplingMethod, strawberry.argument(description="How a longer series is cut down.")
        ] = SamplingMethod.MIN_MAX,
    ) -> tuple[MetricSeries, ...]:
        """The logged values of several metrics of several runs, in columns, for a chart.

        Those that were never logged are left out.
        """
        run_ids = [key_of(each, "Run") for each in runs]
        return await info.context.services.tracking.series(
            run_ids, keys, max_points=max_points, method=method
        )


def key_of(node_id: str, kind: str) -> str:
    """Return the natural key in the global id of an object of that kind.

    Raises:
        InvalidIDError: If it is the id of something else.
    """
    type_name, key = decode_id(node_id)
    if type_name != kind:
        raise InvalidIDError(id=node_id)
    return key
