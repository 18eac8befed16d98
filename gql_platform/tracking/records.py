"""Experiments, runs, params and metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.errors import PointCountError
from gql_platform.registry.records import Tag

DEFAULT_POINTS = 1000
MIN_POINTS = 4
"""The first point, the last one, the lowest and the highest."""
MAX_POINTS = 10_000


class RunState(DescribedEnum):
    """Where a run stands."""

    SCHEDULED = "SCHEDULED", "It waits for its start."
    RUNNING = "RUNNING", "It is at work."
    FINISHED = "FINISHED", "It ended as it should."
    FAILED = "FAILED", "It ended with an error."
    KILLED = "KILLED", "Somebody ended it."
    UNKNOWN = "UNKNOWN", "A state that this server does not know."


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a run."""

    key: Annotated[str, Doc("The parameter's name.")]
    value: Annotated[str, Doc("The value, as text.")]


@dataclass(frozen=True, slots=True)
class Metric:
    """The last value of a metric of a run."""

    key: Annotated[str, Doc("The metric's name.")]
    value: Annotated[float, Doc("The value.")]
    step: Annotated[int, Doc("The step at which it was logged.")]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named group of runs."""

    experiment_id: Annotated[str, Doc("MLflow's id of the experiment.")]
    name: Annotated[str, Doc("The unique name of the experiment.")]
    tags: Annotated[tuple[Tag, ...], Doc("All tags, sorted by key.")]
    created_at: Annotated[datetime | None, Doc("When it was made.")]
    updated_at: Annotated[datetime | None, Doc("When it was last changed.")]
    is_deleted: Annotated[bool, Doc("Whether it was deleted, and may still be restored.")]


class DatasetRef(NamedTuple):
    """The natural key of a data set: whatever has both alike is the same.

    Attributes:
        name: Its name.
        digest: A fingerprint of its content.
    """

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class LoggedDataset:
    """A data set that was logged with a run."""

    name: Annotated[str, Doc("The name of the data set.")]
    digest: Annotated[str, Doc("A fingerprint of its content.")]
    source_type: Annotated[str, Doc("The kind of its source, such as `local` or `s3`.")]
    source: Annotated[str, Doc("Where it came from, as MLflow describes it; often JSON.")]
    context: Annotated[str | None, Doc("What the run used it for, such as `training`.")]

    @property
    def ref(self) -> DatasetRef:
        """The natural key."""
        return DatasetRef(self.name, self.digest)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of training, as it was tracked."""

    run_id: Annotated[str, Doc("MLflow's id of the run.")]
    name: Annotated[str | None, Doc("The name that its author gave it.")]
    state: Annotated[RunState, Doc("Where it stands.")]
    params: Annotated[tuple[Param, ...], Doc("All parameters, sorted by key.")]
    metrics: Annotated[tuple[Metric, ...], Doc("The last value of each metric, sorted by key.")]
    started_at: Annotated[datetime | None, Doc("When it started.")]
    finished_at: Annotated[datetime | None, Doc("When it ended.")]
    experiment_id: Annotated[str, Doc("MLflow's id of the experiment that it belongs to.")]
    tags: Annotated[tuple[Tag, ...], Doc("All tags, those of MLflow included, sorted by key.")] = ()
    datasets: Annotated[
        tuple[LoggedDataset, ...], Doc("The data sets logged with it, by name and digest.")
    ] = ()
    is_deleted: Annotated[bool, Doc("Whether it was deleted, and may still be restored.")] = False

    @property
    def duration_ms(self) -> float | None:
        """How long it took, in milliseconds; None while it is at work."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds() * 1e3


@dataclass(frozen=True, slots=True)
class MetricRef:
    """A metric of a run.

    Attributes:
        run_id: MLflow's id of the run.
        key: The metric's name.
    """

    run_id: str
    key: str


class SamplingMethod(DescribedEnum):
    """How a long series is cut down."""

    MIN_MAX = (
        "MIN_MAX",
        "The ends, and the lowest and the highest point of each stretch: no extreme is lost.",
    )
    EVERY_NTH = "EVERY_NTH", "Points at equal distances, the first and the last among them."


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What is asked for of a metric's history.

    Attributes:
        metric: The metric.
        max_points: How many points there may be at most.
        method: How a longer history is cut down.

    Raises:
        PointCountError: If ``max_points`` is below `MIN_POINTS` or above `MAX_POINTS`.
    """

    metric: MetricRef
    max_points: int = DEFAULT_POINTS
    method: SamplingMethod = SamplingMethod.MIN_MAX

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        if not MIN_POINTS <= self.max_points <= MAX_POINTS:
            raise PointCountError(self.max_points, minimum=MIN_POINTS, maximum=MAX_POINTS)


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers by step, in columns of equal length.

    Each column is an ``array.array`` of 64 bits, ``q`` and ``d``, wherever it may be long.
    """

    steps: Annotated[
        Sequence[int],
        Doc("The step of each value, ascending; the same step may have several values."),
    ]
    values: Annotated[
        Sequence[float],
        Doc("The values, in the order of `steps`; null where one is not a finite number."),
    ]
    sampled: Annotated[bool, Doc("Whether points were left out because there are too many.")]
    total_points: Annotated[int, Doc("How many points there are, those left out included.")]


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """The logged values of one metric of one run."""

    run_id: Annotated[str, Doc("MLflow's id of the run.")]
    key: Annotated[str, Doc("The metric's name.")]
    series: Annotated[Series, Doc("The values by step.")]


class BetterWhen(DescribedEnum):
    """In which direction a metric gets better, as far as its name tells."""

    LOWER = "LOWER", "Lower is better: `*_error` and `*_loss`."
    HIGHER = "HIGHER", "Higher is better: `*_score`."
    UNKNOWN = "UNKNOWN", "The name does not tell."


@dataclass(frozen=True, slots=True)
class ComparedParam:
    """A param of several runs."""

    key: Annotated[str, Doc("The param's name.")]
    values: Annotated[
        tuple[str | None, ...], Doc("Its value in each run, in their order; null where it is not.")
    ]
    differs: Annotated[bool, Doc("Whether it is not the same in all of them.")]


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """The last value of a metric of several runs."""

    key: Annotated[str, Doc("The metric's name.")]
    values: Annotated[
        Sequence[float],
        Doc("Its value in each run, in their order; null where it is no finite number, or is not."),
    ]
    differs: Annotated[bool, Doc("Whether it is not the same in all of them.")]
    better_when: Annotated[BetterWhen, Doc("In which direction it gets better.")]
    best_run_id: Annotated[
        str | None,
        Doc("The `runId` of the best run, the first of several; null when nothing tells."),
    ]


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Several runs side by side."""

    runs: Annotated[tuple[Run, ...], Doc("The runs, in the order in which they were asked for.")]
    params: Annotated[tuple[ComparedParam, ...], Doc("Their params, by key.")]
    metrics: Annotated[tuple[ComparedMetric, ...], Doc("Their last metrics, by key.")]
    missing: Annotated[
        tuple[str, ...], Doc("The `runId` of each that was asked for and does not exist.")
    ]
