"""Runs, params and metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.errors import PointCountError

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
class Run:
    """One run of training, as it was tracked."""

    run_id: Annotated[str, Doc("MLflow's id of the run.")]
    name: Annotated[str | None, Doc("The name that its author gave it.")]
    state: Annotated[RunState, Doc("Where it stands.")]
    params: Annotated[tuple[Param, ...], Doc("All parameters, sorted by key.")]
    metrics: Annotated[tuple[Metric, ...], Doc("The last value of each metric, sorted by key.")]
    started_at: Annotated[datetime | None, Doc("When it started.")]
    finished_at: Annotated[datetime | None, Doc("When it ended.")]

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


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What is asked for of a metric's history.

    Attributes:
        metric: The metric.
        max_points: How many points there may be at most.

    Raises:
        PointCountError: If ``max_points`` is below `MIN_POINTS` or above `MAX_POINTS`.
    """

    metric: MetricRef
    max_points: int = DEFAULT_POINTS

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
