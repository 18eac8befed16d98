"""Filters, orders and positions of runs as SQL."""

import sys
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, Table, and_, case, exists, func, literal, or_, select
from sqlalchemy.sql.expression import true

from gql_platform.adapters.mlflow.database.tables import latest_metrics, params, runs, tags
from gql_platform.run_search.records import (
    Comparator,
    Direction,
    MetricCondition,
    RunFilter,
    RunOrder,
    RunPosition,
    TextCondition,
)

Condition = ColumnElement[bool]

ORDERED = latest_metrics.alias("ordered")
"""The metric that orders runs."""


def page_of_ids(
    chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
) -> Select[tuple[object, ...]]:
    """Return the statement that finds a page of runs."""
    source = select(runs)
    if order.metric is not None:
        # Joined by its whole primary key, the metric costs one look-up for each run; SQLite's
        # plan for a subquery in this place looks at all metrics of all runs.
        on = and_(ORDERED.c.key == order.metric, ORDERED.c.run_uuid == runs.c.run_uuid)
        source = source.outerjoin_from(runs, ORDERED, on)
    columns = _columns_of(order)
    found = source.where(*conditions_of(chosen))
    if after is not None:
        found = found.where(_behind(columns, _values_of(order, after)))
    ordered = [column.asc() if ascends else column.desc() for column, ascends in columns]
    return found.order_by(*ordered).limit(limit)


def count_of_ids(chosen: RunFilter) -> Select[int]:
    """Return the statement that counts what all pages have together."""
    return select(func.count()).select_from(runs).where(*conditions_of(chosen))


def conditions_of(chosen: RunFilter) -> Iterator[Condition]:
    """Return what holds for the runs that a filter chooses."""
    yield runs.c.lifecycle_stage == "active"
    if chosen.run_ids is not None:
        yield runs.c.run_uuid.in_(chosen.run_ids)
    if chosen.experiments:
        yield runs.c.experiment_id.in_(experiment_numbers(chosen.experiments))
    if chosen.states:
        yield runs.c.status.in_([state.value for state in chosen.states])
    if chosen.started_from is not None:
        yield runs.c.start_time >= chosen.started_from.timestamp() * 1000
    if chosen.started_before is not None:
        yield runs.c.start_time < chosen.started_before.timestamp() * 1000
    yield from (_has(params, each) for each in chosen.params)
    yield from (_has(tags, each) for each in chosen.tags)
    yield from map(_compares, chosen.metrics)
    if chosen.text:
        yield func.lower(runs.c.name).contains(chosen.text.lower(), autoescape=True)


def experiment_numbers(experiment_ids: tuple[str, ...]) -> list[int]:
    """Return the ids that can be those of experiments, as the database keeps them."""
    numbers = [int(each) for each in experiment_ids if each.isascii() and each.isdecimal()]
    return [number for number in numbers if number < 2**31]


def _has(table: Table, condition: TextCondition) -> Condition:
    columns = table.c
    found = exists().where(columns.run_uuid == runs.c.run_uuid, columns.key == condition.key)
    return found if condition.value is None else found.where(columns.value == condition.value)


def _compares(condition: MetricCondition) -> Condition:
    value = latest_metrics.c.value
    return exists().where(
        latest_metrics.c.run_uuid == runs.c.run_uuid,
        latest_metrics.c.key == condition.key,
        latest_metrics.c.is_nan.is_(False),
        {
            Comparator.EQ: value == condition.value,
            Comparator.NE: value != condition.value,
            Comparator.LT: value < condition.value,
            Comparator.LTE: value <= condition.value,
            Comparator.GT: value > condition.value,
            Comparator.GTE: value >= condition.value,
        }[condition.comparator],
    )


def _columns_of(order: RunOrder) -> list[tuple[ColumnElement[object], bool]]:
    """Return what orders runs, and whether it ascends, in the order of `_values_of`."""
    started = func.coalesce(runs.c.start_time, 0)
    run_id = runs.c.run_uuid
    is_ascending = order.direction is Direction.ASC
    if order.metric is None:
        return [(started, is_ascending), (run_id, True)]
    rank = case((ORDERED.c.is_nan.is_(true()), 1), (ORDERED.c.value.is_(None), 2), else_=0)
    value = case((ORDERED.c.is_nan.is_(False), ORDERED.c.value), else_=literal(0.0))
    return [(rank, True), (value, is_ascending), (started, False), (run_id, True)]


def _values_of(order: RunOrder, position: RunPosition) -> list[object]:
    # MLflow's databases hold the largest float for infinity.
    largest = sys.float_info.max
    value = min(max(position.value, -largest), largest)
    whole = [position.rank, value, position.started_ms, position.run_id]
    return whole if order.metric is not None else whole[2:]


def _behind(columns: list[tuple[ColumnElement[object], bool]], values: list[object]) -> Condition:
    """Return what holds behind a position: a later value in one column, and the same before it."""
    ways = []
    for place, ((column, ascends), value) in enumerate(zip(columns, values, strict=True)):
        same = [columns[each][0] == values[each] for each in range(place)]
        ways.append(and_(*same, column > value if ascends else column < value))
    return or_(*ways)
