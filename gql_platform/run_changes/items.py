"""Which items a run takes, by the rules of MLflow, told before anything is sent to it."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gql_platform.registry.records import Tag
from gql_platform.run_changes.records import (
    Batch,
    ItemKind,
    Items,
    MetricPoint,
    MetricValue,
    Refusal,
    RefusalCode,
    milliseconds_of,
)
from gql_platform.texts import TextProblem, key_problem, tag_problem, text_problem
from gql_platform.tracking.records import Param

MAX_PARAM_LENGTH = 6_000
MAX_TAG_LENGTH = 8_000
T = TypeVar("T", Param, MetricValue, Tag)

_NO_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is refused."""

    code: RefusalCode
    message: str


@dataclass(slots=True)
class Checked:
    """Items that were looked at.

    Attributes:
        batch: Those that a store is to log.
        refused: The others.
    """

    batch: Batch
    refused: list[Refusal] = field(default_factory=list)


def checked(items: Items, *, known: Mapping[str, str], moment_ms: int) -> Checked:
    """Tell the items that can be logged from those that cannot.

    Args:
        items: All items.
        known: The params that the run has, by key; those that are the same are left out.
        moment_ms: The time of metrics that have none, in milliseconds of Unix time. Several values
            of a step follow each other by a millisecond, so that their order is kept.
    """
    found = Checked(Batch({}, {}, {}))
    params: dict[str, tuple[int, Param]] = {}
    tags: dict[str, tuple[int, Tag]] = {}
    values = dict(known)
    for index, param in _taken(found, ItemKind.PARAM, items.params, _param_problem):
        before = values.setdefault(param.key, param.value)
        if before != param.value:
            message = f"The param is {before[:100]!r} already, and stays that."
            problem = Problem(RefusalCode.PARAM_CHANGED, message)
            found.refused.append(_refusal(ItemKind.PARAM, index, param.key, problem))
        elif param.key not in known:
            params.setdefault(param.key, (index, param))
    for index, tag in _taken(found, ItemKind.TAG, items.tags, _tag_problem):
        tags[tag.key] = (index, tag)
    metrics = dict(_points(found, items.metrics, moment_ms))
    found.batch = Batch(dict(params.values()), metrics, dict(tags.values()))
    return found


def number_of(value: float | str) -> float | None:
    """Return the number that a value stands for, or None."""
    if isinstance(value, str):
        return _NO_NUMBERS.get(value)
    try:
        return float(value)
    except OverflowError:
        return None


def _param_problem(param: Param) -> Problem | None:
    found = key_problem(param.key) or text_problem(param.value, maximum=MAX_PARAM_LENGTH)
    return _problem(found)


def _tag_problem(tag: Tag) -> Problem | None:
    return _problem(tag_problem(tag.key, tag.value, maximum=MAX_TAG_LENGTH))


def _metric_problem(metric: MetricValue) -> Problem | None:
    if metric.time is not None and metric.time.timestamp() < 0:
        return Problem(RefusalCode.INVALID_TIME, "The time is before 1970.")
    if number_of(metric.value) is None:
        message = (
            f"{str(metric.value)[:100]!r} is no number of 64 bits; NaN and the infinities are "
            "written as the texts `NaN`, `Infinity` and `-Infinity`."
        )
        return Problem(RefusalCode.INVALID_VALUE, message)
    return _problem(key_problem(metric.key))


def _problem(found: TextProblem | None) -> Problem | None:
    return Problem(RefusalCode[found.flaw.name], found.message) if found else None


def _taken(
    found: Checked, kind: ItemKind, items: Sequence[T], problem_of: Callable[[T], Problem | None]
) -> Iterator[tuple[int, T]]:
    """Yield the items without a problem, and note the others."""
    for index, item in enumerate(items):
        problem = problem_of(item)
        if problem is None:
            yield index, item
        else:
            found.refused.append(_refusal(kind, index, item.key, problem))


def _points(
    found: Checked, metrics: Sequence[MetricValue], moment_ms: int
) -> Iterator[tuple[int, MetricPoint]]:
    """Yield the values of metrics that can be logged, with their times."""
    count: Counter[tuple[str, int]] = Counter()
    for index, metric in _taken(found, ItemKind.METRIC, metrics, _metric_problem):
        time_ms = moment_ms
        if metric.time is not None:
            time_ms = milliseconds_of(metric.time)
        else:
            time_ms += count[metric.key, metric.step]
            count[metric.key, metric.step] += 1
        # What is no number was refused above.
        value = number_of(metric.value) or 0.0
        yield index, MetricPoint(metric.key, value, metric.step, time_ms)


def _refusal(kind: ItemKind, index: int, key: str, problem: Problem) -> Refusal:
    return Refusal(kind, index, key, problem.code, problem.message)
