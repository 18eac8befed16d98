"""Runs in the schema."""

import math
from datetime import datetime

import strawberry

from gql_platform.graphql.node import Node, encode_id
from gql_platform.graphql.scalars import Int64
from gql_platform.graphql.type_of import edge, type_of
from gql_platform.tracking.records import Metric, Param, Run


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
