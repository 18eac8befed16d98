"""Filters and orders of runs."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, NamedTuple

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.errors import RunFilterError
from gql_platform.tracking.records import Run, RunState

MAX_CONDITIONS = 20
"""How many conditions of one kind a filter has at most."""

MAX_TEXT = 250
"""The longest name of a param, a metric or a tag that MLflow keeps."""


class Comparator(DescribedEnum):
    """How a metric's last value is compared."""

    EQ = "EQ", "Equal."
    NE = "NE", "Not equal."
    LT = "LT", "Less."
    LTE = "LTE", "Less or equal."
    GT = "GT", "Greater."
    GTE = "GTE", "Greater or equal."

    def holds(self, found: float, value: float) -> bool:
        """Return whether a number compares like this; NaN never does."""
        if math.isnan(found):
            return False
        return {
            Comparator.EQ: found == value,
            Comparator.NE: found != value,
            Comparator.LT: found < value,
            Comparator.LTE: found <= value,
            Comparator.GT: found > value,
            Comparator.GTE: found >= value,
        }[self]


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """What the last value of a metric must be; a run without it, or with NaN, is not chosen."""

    key: Annotated[str, Doc("The metric's name.")]
    comparator: Annotated[Comparator, Doc("How its last value is compared.")]
    value: Annotated[float, Doc("With what.")]


@dataclass(frozen=True, slots=True)
class TextCondition:
    """What a param or a tag must be."""

    key: Annotated[str, Doc("Its name.")]
    value: Annotated[str | None, Doc("Its value; any value by default.")] = None


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are asked for; all conditions hold for each, and deleted runs are left out.

    Attributes:
        experiments: Ids of experiments, in one of which it is; empty chooses all.
        states: States, one of which it has; empty chooses all.
        started_from: When it started at the earliest.
        started_before: Before when it started.
        params: What its params are.
        metrics: What its metrics are.
        tags: What its tags are.
        text: What its name contains, whatever the case of ASCII letters.
        model: The name of a model, of which it trained a version.
        run_ids: Ids, one of which it has; None chooses all. A store reads these, and not `model`.

    Raises:
        RunFilterError: If a condition cannot be used.
    """

    experiments: tuple[str, ...] = ()
    states: tuple[RunState, ...] = ()
    started_from: datetime | None = None
    started_before: datetime | None = None
    params: tuple[TextCondition, ...] = ()
    metrics: tuple[MetricCondition, ...] = ()
    tags: tuple[TextCondition, ...] = ()
    text: str | None = None
    model: str | None = None
    run_ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what no run could be compared with."""
        for kind in ("experiments", "params", "metrics", "tags"):
            if len(getattr(self, kind)) > MAX_CONDITIONS:
                raise RunFilterError(f"{kind} has more than {MAX_CONDITIONS} entries")
        for key in [each.key for each in (*self.params, *self.tags)]:
            _check_key(key)
        for key in [each.key for each in self.metrics]:
            _check_key(key)
        if any(not math.isfinite(each.value) for each in self.metrics):
            raise RunFilterError("a metric is compared with what is no finite number")
        given = (self.text, self.model, *(each.value for each in (*self.params, *self.tags)))
        if any("\x00" in text for text in (*given, *self.experiments) if text is not None):
            raise RunFilterError("a text contains a NUL character")

    def within(self, experiment_id: str) -> "RunFilter":
        """Return a filter that chooses those of its runs that are in an experiment."""
        if self.experiments and experiment_id not in self.experiments:
            return replace(self, run_ids=())
        return replace(self, experiments=(experiment_id,))

    def matches(self, run: Run) -> bool:
        """Return whether a run is chosen."""
        if run.is_deleted or (self.run_ids is not None and run.run_id not in self.run_ids):
            return False
        if self.experiments and run.experiment_id not in self.experiments:
            return False
        if self.states and run.state not in self.states:
            return False
        return self._matches_time(run) and self._matches_content(run)

    def _matches_time(self, run: Run) -> bool:
        if self.started_from is None and self.started_before is None:
            return True
        if run.started_at is None:
            return False
        if self.started_from is not None and run.started_at < self.started_from:
            return False
        return self.started_before is None or run.started_at < self.started_before

    def _matches_content(self, run: Run) -> bool:
        params = {param.key: param.value for param in run.params}
        tags = {tag.key: tag.value for tag in run.tags}
        metrics = {metric.key: metric.value for metric in run.metrics}
        return (
            all(_holds(each, params) for each in self.params)
            and all(_holds(each, tags) for each in self.tags)
            and all(
                each.key in metrics and each.comparator.holds(metrics[each.key], each.value)
                for each in self.metrics
            )
            and (not self.text or _ascii_lower(self.text) in _ascii_lower(run.name or ""))
        )


class RunOrderField(DescribedEnum):
    """By what runs are ordered."""

    STARTED_AT = "STARTED_AT", "When they started."
    METRIC = "METRIC", "The last value of a metric; runs with NaN and then those without it last."


class Direction(DescribedEnum):
    """Which end of an order comes first."""

    ASC = "ASC", "The smallest, or the oldest."
    DESC = "DESC", "The largest, or the newest."


class RunPosition(NamedTuple):
    """Where a run stands in an order.

    Attributes:
        rank: 0 with a number, 1 with NaN, 2 without the metric; 0 in other orders.
        value: The metric's last value where it is a number, else 0.
        started_ms: When it started, in milliseconds of Unix time; 0 if it has not.
        run_id: The run, which makes the order total.
    """

    rank: int
    value: float
    started_ms: int
    run_id: str


@dataclass(frozen=True, slots=True)
class RunOrder:
    """The order of runs; among equals, the newest and then the smallest id come first.

    Attributes:
        field: By what they are ordered.
        metric: The metric, where that is one.
        direction: Which end comes first.

    Raises:
        RunFilterError: If it names no metric where it must, or one where it must not.
    """

    field: RunOrderField = RunOrderField.STARTED_AT
    metric: str | None = None
    direction: Direction = Direction.DESC

    def __post_init__(self) -> None:
        """Refuse an order that is none."""
        if (self.metric is not None) != (self.field is RunOrderField.METRIC):
            raise RunFilterError("an order names a metric if, and only if, its field is METRIC")
        if self.metric is not None:
            _check_key(self.metric)

    def position_of(self, run: Run) -> RunPosition:
        """Return where a run stands."""
        started_ms = round(run.started_at.timestamp() * 1000) if run.started_at else 0
        if self.metric is None:
            return RunPosition(0, 0.0, started_ms, run.run_id)
        value = next((each.value for each in run.metrics if each.key == self.metric), None)
        if value is None:
            return RunPosition(2, 0.0, started_ms, run.run_id)
        if math.isnan(value):
            return RunPosition(1, 0.0, started_ms, run.run_id)
        return RunPosition(0, value, started_ms, run.run_id)

    def sort_key(self, position: RunPosition) -> tuple[float, float, float, str]:
        """Return what orders positions when it ascends."""
        sign = 1 if self.direction is Direction.ASC else -1
        if self.metric is None:
            return 0, 0, sign * position.started_ms, position.run_id
        return position.rank, sign * position.value, -position.started_ms, position.run_id


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= MAX_TEXT or "\x00" in key:
        raise RunFilterError(f"a name has between 1 and {MAX_TEXT} characters, none of them NUL")


def _holds(condition: TextCondition, found: dict[str, str]) -> bool:
    value = found.get(condition.key)
    return value is not None and condition.value in (None, value)


def _ascii_lower(text: str) -> str:
    return text.translate(_LOWER)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
