"""Runs, params and metrics."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc


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
