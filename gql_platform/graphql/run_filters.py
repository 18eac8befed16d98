"""Which runs are asked for, as inputs of the schema."""

from datetime import datetime
from typing import Annotated

import strawberry

from gql_platform.graphql.type_of import enum_of
from gql_platform.run_search.records import (
    MAX_CONDITIONS,
    Comparator,
    Direction,
    MetricCondition,
    RunFilter,
    RunOrder,
    RunOrderField,
    TextCondition,
)
from gql_platform.tracking.records import RunState

for _enum in (Comparator, Direction, RunOrderField, RunState):
    enum_of(_enum)


@strawberry.input(description="What the last value of a metric must be; NaN never is.")
class MetricConditionInput:
    """What the last value of a metric must be."""

    key: str = strawberry.field(description="The metric's name.")
    comparator: Comparator = strawberry.field(description="How its last value is compared.")
    value: float = strawberry.field(description="With what.")


@strawberry.input(description="What a param or a tag must be.")
class TextConditionInput:
    """What a param or a tag must be."""

    key: str = strawberry.field(description="Its name.")
    value: str | None = strawberry.field(
        default=None, description="Its value; any value by default."
    )


@strawberry.input(
    description="Which runs are asked for; all that is given must hold, and what is left out "
    "filters nothing."
)
class RunFilterInput:
    """Which runs are asked for."""

    experiment_ids: list[str] | None = strawberry.field(
        default=None,
        description=f"MLflow's ids of experiments, at most {MAX_CONDITIONS}; it is in one.",
    )
    states: list[RunState] | None = strawberry.field(
        default=None, description="States, one of which it has."
    )
    started_from: datetime | None = strawberry.field(
        default=None, description="When it started at the earliest."
    )
    started_before: datetime | None = strawberry.field(
        default=None, description="Before when it started."
    )
    params: list[TextConditionInput] | None = strawberry.field(
        default=None, description=f"What its params are; at most {MAX_CONDITIONS} conditions."
    )
    metrics: list[MetricConditionInput] | None = strawberry.field(
        default=None,
        description=f"What its last metrics are; at most {MAX_CONDITIONS} conditions. A metric "
        "that was never logged chooses no run.",
    )
    tags: list[TextConditionInput] | None = strawberry.field(
        default=None, description=f"What its tags are; at most {MAX_CONDITIONS} conditions."
    )
    model: str | None = strawberry.field(
        default=None,
        description="The name of a registered model of which it trained one of the 10,000 newest "
        "versions.",
    )
    text: str | None = strawberry.field(
        default=None,
        description="What its name contains, whatever the case of the letters from A to Z.",
    )


@strawberry.input(
    description="The order of runs; among equals, the newest comes first, then the smallest id."
)
class RunOrderInput:
    """The order of runs."""

    field: RunOrderField = strawberry.field(
        default=RunOrderField.STARTED_AT, description="By what they are ordered."
    )
    metric: str | None = strawberry.field(
        default=None, description="The metric's name, where `field` is `METRIC`."
    )
    direction: Direction = strawberry.field(
        default=Direction.DESC, description="Which end comes first."
    )


FilterArgument = Annotated[
    RunFilterInput | None, strawberry.argument(description="Which runs; all by default.")
]
OrderArgument = Annotated[
    RunOrderInput | None,
    strawberry.argument(description="In which order; the newest first by default."),
]


def chosen_runs(given: RunFilterInput | None) -> RunFilter:
    """Return a filter as a record."""
    if given is None:
        return RunFilter()
    return RunFilter(
        experiments=tuple(given.experiment_ids or ()),
        states=tuple(given.states or ()),
        started_from=given.started_from,
        started_before=given.started_before,
        params=_texts(given.params),
        metrics=tuple(
            MetricCondition(each.key, each.comparator, each.value) for each in given.metrics or ()
        ),
        tags=_texts(given.tags),
        text=given.text,
        model=given.model,
    )


def order_of(given: RunOrderInput | None) -> RunOrder:
    """Return an order as a record."""
    return RunOrder() if given is None else RunOrder(given.field, given.metric, given.direction)


def _texts(given: list[TextConditionInput] | None) -> tuple[TextCondition, ...]:
    return tuple(TextCondition(each.key, each.value) for each in given or ())
