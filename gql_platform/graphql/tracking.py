"""Experiments and runs in the schema."""

import math
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Optional

import strawberry

from gql_platform.access.records import Permission
from gql_platform.artifacts.records import Artifact, ArtifactFolder
from gql_platform.graphql.artifacts import (
    DEFAULT_ENTRIES,
    OPEN_FOLDER,
    READ_RUNS,
    ArtifactFolderType,
    ArtifactType,
    FilePath,
    FirstEntries,
    FolderPath,
)
from gql_platform.graphql.connection import (
    DEFAULT_FIRST,
    After,
    Connection,
    First,
    connection_of,
    is_counted,
)
from gql_platform.graphql.context import Info
from gql_platform.graphql.execution.limits.declarations import Cost
from gql_platform.graphql.node import Node, encode_id
from gql_platform.graphql.permission import RequiresPermission
from gql_platform.graphql.run_filters import FilterArgument, OrderArgument, chosen_runs, order_of
from gql_platform.graphql.scalars import ExactNumber, FloatVector, Int64, Int64Vector
from gql_platform.graphql.tags import TagType as TagType
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.registry.records import ModelVersion
from gql_platform.tracking.records import (
    DEFAULT_POINTS,
    MAX_POINTS,
    MIN_POINTS,
    ComparedMetric,
    ComparedParam,
    Experiment,
    HistoryRequest,
    LoggedDataset,
    Metric,
    MetricRef,
    MetricSeries,
    Param,
    Run,
    RunComparison,
    SamplingMethod,
    Series,
)

if TYPE_CHECKING:
    from gql_platform.graphql.registry import ModelVersionType

enum_of(SamplingMethod)


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

    @edge()
    @staticmethod
    def exact_value(parent: strawberry.Parent[Metric]) -> ExactNumber:
        """The value, where NaN and the infinities are told apart."""
        return ExactNumber(parent.value)


@type_of(Series)
class SeriesType:
    """Numbers by step."""

    steps: Int64Vector
    values: FloatVector
    sampled: strawberry.auto
    total_points: Int64


@type_of(MetricSeries)
class MetricSeriesType:
    """The logged values of one metric of one run."""

    run_id: strawberry.auto
    key: strawberry.auto
    series: strawberry.auto

    @edge(graphql_type=Optional[Annotated["RunType", strawberry.lazy(__name__)]])  # noqa: UP045 - a lazy type takes no `|`
    @staticmethod
    async def run(parent: strawberry.Parent[MetricSeries], info: Info) -> Run | None:
        """The run."""
        return await info.context.loaders.runs.load(parent.run_id)


@type_of(LoggedDataset)
class LoggedDatasetType:
    """A data set that was logged with a run."""

    name: strawberry.auto
    digest: strawberry.auto
    source_type: strawberry.auto
    source: strawberry.auto
    context: strawberry.auto


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
    tags: strawberry.auto
    datasets: strawberry.auto
    is_deleted: strawberry.auto

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
        graphql_type=Optional[Annotated["ExperimentType", strawberry.lazy(__name__)]],  # noqa: UP045 - a lazy type takes no `|`
        directives=[RequiresPermission(permission=Permission.RUN_READ)],
    )
    @staticmethod
    async def experiment(parent: strawberry.Parent[Run], info: Info) -> Experiment | None:
        """The experiment that it belongs to."""
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.loaders.experiments.load(parent.experiment_id)

    @edge(
        graphql_type=list[
            Annotated["ModelVersionType", strawberry.lazy("gql_platform.graphql.registry")]
        ]
        | None,
        directives=[RequiresPermission(permission=Permission.MODEL_READ)],
    )
    @staticmethod
    async def model_versions(
        parent: strawberry.Parent[Run], info: Info
    ) -> tuple[ModelVersion, ...]:
        """The registered versions that it trained, by model and number."""
        info.context.viewer.require(Permission.MODEL_READ)
        return await info.context.loaders.versions_of_runs.load(parent.run_id) or ()

    @edge(graphql_type=ArtifactFolderType | None, directives=OPEN_FOLDER)
    @staticmethod
    async def artifacts(
        parent: strawberry.Parent[Run],
        info: Info,
        path: FolderPath = "",
        first: FirstEntries = DEFAULT_ENTRIES,
    ) -> ArtifactFolder | None:
        """The files and folders in one folder of it; null when there is no such folder.

        The files of a model that it logged are in a folder of the model's name.
        """
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.services.artifacts.folder(parent.run_id, path, first=first)

    @edge(graphql_type=ArtifactType | None, directives=[READ_RUNS, Cost(weight=10)])
    @staticmethod
    async def artifact(
        parent: strawberry.Parent[Run], info: Info, path: FilePath
    ) -> Artifact | None:
        """A file or folder of it; null when there is none."""
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.services.artifacts.artifact(parent.run_id, path)

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


@type_of(Experiment)
class ExperimentType(Node):
    """A named group of runs."""

    experiment_id: strawberry.auto
    name: strawberry.auto
    tags: strawberry.auto
    created_at: strawberry.auto
    updated_at: strawberry.auto
    is_deleted: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Experiment]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Experiment", parent.experiment_id)

    @edge(graphql_type=Connection[RunType] | None)
    @staticmethod
    async def runs(
        parent: strawberry.Parent[Experiment],
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: FilterArgument = None,  # noqa: A002 - the name that every list gives it
        order_by: OrderArgument = None,
    ) -> Connection[Run]:
        """Its runs that are not deleted, the newest first by default."""
        chosen = chosen_runs(filter).within(parent.experiment_id)
        page = await info.context.services.tracking.run_page(
            chosen,
            order=order_of(order_by),
            first=first,
            after=after,
            counted=is_counted(info),
        )
        return connection_of(page)


@type_of(ComparedParam)
class ComparedParamType:
    """A param of several runs."""

    key: strawberry.auto
    values: strawberry.auto
    differs: strawberry.auto


@type_of(ComparedMetric)
class ComparedMetricType:
    """The last value of a metric of several runs."""

    key: strawberry.auto
    values: FloatVector
    differs: strawberry.auto
    better_when: strawberry.auto
    best_run_id: strawberry.auto


@type_of(RunComparison)
class RunComparisonType:
    """Several runs side by side."""

    runs: strawberry.auto
    params: strawberry.auto
    metrics: strawberry.auto
    missing: strawberry.auto
