"""Filters and orders of runs in MLflow's own language of searches."""

import re
from collections.abc import Iterator, Sequence

from gql_platform.run_search.records import (
    Comparator,
    Direction,
    RunFilter,
    RunOrder,
    RunPosition,
    TextCondition,
)

LARGEST = 1e15
"""Larger numbers have exponents, which not every version of MLflow reads."""

_PLAIN_KEY = re.compile(r"[^`\"\\\x00-\x1f]+")
_PLAIN_VALUE = re.compile(r"[^'\"\\\x00-\x1f]*")

_SIGNS = {
    Comparator.EQ: "=",
    Comparator.NE: "!=",
    Comparator.LT: "<",
    Comparator.LTE: "<=",
    Comparator.GT: ">",
    Comparator.GTE: ">=",
}


def order_by(order: RunOrder) -> list[str]:
    """Return an order as MLflow takes it; among equals, it puts the newest first itself."""
    if order.metric is None:
        return [f"attributes.start_time {order.direction.value}"]
    return [f"metrics.{_quoted(order.metric)} {order.direction.value}"]


def pushed_down(chosen: RunFilter, order: RunOrder, after: RunPosition | None) -> str:
    """Return a search that leaves out no run that a filter chooses behind a position.

    It may let others pass: the language knows no alternatives, and not every text can be written
    in it.
    """
    return " AND ".join(_conditions(chosen, order, after))


def _conditions(chosen: RunFilter, order: RunOrder, after: RunPosition | None) -> Iterator[str]:
    if len(chosen.states) == 1:
        yield f"attributes.status = '{chosen.states[0].value}'"
    yield from _times(chosen)
    if after is not None and order.metric is None:
        sign = "<=" if order.direction is Direction.DESC else ">="
        yield f"attributes.start_time {sign} {after.started_ms}"
    yield from _texts("params", chosen.params)
    yield from _texts("tags", chosen.tags)
    for each in chosen.metrics:
        if _PLAIN_KEY.fullmatch(each.key) and abs(each.value) <= LARGEST:
            yield f"metrics.{_quoted(each.key)} {_SIGNS[each.comparator]} {each.value!r}"


def _times(chosen: RunFilter) -> Iterator[str]:
    if chosen.started_from is not None:
        yield f"attributes.start_time >= {int(chosen.started_from.timestamp() * 1000)}"
    if chosen.started_before is not None:
        yield f"attributes.start_time <= {int(chosen.started_before.timestamp() * 1000)}"


def _texts(kind: str, conditions: Sequence[TextCondition]) -> Iterator[str]:
    for each in conditions:
        is_plain = _PLAIN_KEY.fullmatch(each.key) and _PLAIN_VALUE.fullmatch(each.value or "")
        if is_plain and each.value:
            yield f"{kind}.{_quoted(each.key)} = '{each.value}'"


def _quoted(key: str) -> str:
    return f"`{key}`"
