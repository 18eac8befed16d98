"""Runs in the schema."""

import math
from datetime import datetime
from typing import Annotated

import strawberry

from gql_platform.graphql.context import Info
from gql_platform.graphql.execution.limits.declarations import Cost
from gql_platform.graphql.node import Node, encode_id
from gql_platform.graphql.scalars import FloatVector, Int64, Int64Vector
from gql_platform.graphql.type_of import edge, type_of
from gql_platform.tracking.records import (
    DEFAULT_POINTS,
    MAX_POINTS,
    MIN_POINTS,
    HistoryRequest,
    Metric,
    MetricRef,
    Param,
    Run,
    Series,
)


@type_of(Param)
class ParamType:
    """A parameter of a run."""

    key: strawberry.auto
    value: strawberry.auto


@type_of(Metric)
class MetricType:
    """The last value of a metric."""

    key: strawberry.auto
    step: Int64

    @edge()
    @staticmethod
    def value(parent: strawberry.Parent[Metric]) -> float | None:
        """The value; null when it is not a finite number."""
        return parent.value if math.isfinite(parent.value) else None


@type_of(Series)
class SeriesType:
    """Numbers by step."""

    steps: Int64Vector
    values: FloatVector
    sampled: strawberry.auto
    total_points: Int64


@strawberry.type(description="When a run started and ended.")
class RunTiming:
    """When a run started and ended."""

    started_at: datetime | None = strawberry.field(description="When it started.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    duration_ms: float | None = strawberry.field(
        description="How long it took, in milliseconds; null while it is at work."
    )


@type_of(Run)
class RunType(Node):
    """A run of training."""

    run_id: strawberry.auto
    name: strawberry.auto
    state: strawberry.auto
    params: strawberry.auto
    metrics: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Run]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Run", parent.run_id)

    @edge()
    @staticmethod
    def timing(parent: strawberry.Parent[Run]) -> RunTiming:
        """When it started and ended."""
        return RunTiming(
            started_at=parent.started_at,
            finished_at=parent.finished_at,
            duration_ms=parent.duration_ms,
        )

    @edge(
        graphql_type=SeriesType | None,
        directives=[Cost(weight=1, multipliers=["maxPoints"])],
    )
    @staticmethod
    async def metric_history(
        parent: strawberry.Parent[Run],
        info: Info,
        key: Annotated[str, strawberry.argument(description="The metric's name.")],
        max_points: Annotated[
            int,
            strawberry.argument(
                description=f"How many points at most, from {MIN_POINTS} to {MAX_POINTS}. Of a "
                "longer history the first and the last point are kept, and the lowest and the "
                "highest of each stretch between them."
            ),
        ] = DEFAULT_POINTS,
    ) -> Series | None:
        """All logged values of a metric by step, for a chart; null when it was never logged."""
        request = HistoryRequest(MetricRef(parent.run_id, key), max_points)
        return await info.context.loaders.metric_histories.load(request)
