"""What changes of experiments and runs are told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import strawberry

from gql_platform.graphql.deployments import IDEMPOTENCY_KEY
from gql_platform.graphql.runs import ExperimentBy, RunBy, key_of
from gql_platform.graphql.scalars import ExactNumber, Int64
from gql_platform.graphql.type_of import enum_of
from gql_platform.registry.records import Tag
from gql_platform.run_changes.records import Items, MetricValue, RunEnd
from gql_platform.tracking.records import Param

enum_of(RunEnd)


@strawberry.input(description="A tag that is set.")
class TagInput:
    """A tag that is set."""

    key: str = strawberry.field(description="The tag's key, of at most 250 characters.")
    value: str = strawberry.field(description="The tag's value.")


@strawberry.input(description="A parameter that is logged.")
class ParamInput:
    """A parameter that is logged."""

    key: str = strawberry.field(description="The parameter's name, of at most 250 characters.")
    value: str = strawberry.field(
        description="The value as text, of at most 6,000 characters; once logged, it stays."
    )


@strawberry.input(description="A value of a metric that is logged.")
class MetricInput:
    """A value of a metric that is logged."""

    key: str = strawberry.field(description="The metric's name, of at most 250 characters.")
    value: ExactNumber = strawberry.field(description="The value.")
    step: Int64 = strawberry.field(
        default=Int64(0), description="At which step it was measured; steps may go back."
    )
    time: datetime | None = strawberry.field(
        default=None, description="When it was measured; now by default."
    )


METRIC_KEYS = {name: name for name in ("key", "value", "step", "time")}
"""The fields of metrics, which come by the thousand, and as dictionaries."""


@strawberry.input(description="An experiment that is to be made.")
class ExperimentCreateInput:
    """An experiment that is to be made."""

    name: str = strawberry.field(
        description="Its name, of at most 256 characters, which no other experiment has."
    )
    tags: list[TagInput] = strawberry.field(default_factory=list, description="Its tags.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A run that is to be made.")
class RunCreateInput:
    """A run that is to be made."""

    experiment: ExperimentBy = strawberry.field(description="The experiment that it belongs to.")
    name: str | None = strawberry.field(
        default=None,
        description="Its name, of at most 250 characters; MLflow makes one up by default.",
    )
    started_at: datetime | None = strawberry.field(
        default=None, description="When it began; now by default."
    )
    tags: list[TagInput] = strawberry.field(default_factory=list, description="Its tags.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="What is to be logged to a run.")
class RunLogInput:
    """What is to be logged to a run."""

    run: RunBy = strawberry.field(description="The run; it may be over.")
    params: list[ParamInput] = strawberry.field(
        default_factory=list, description="Parameters, none of which may have another value yet."
    )
    metrics: list[MetricInput] = strawberry.field(
        default_factory=list, description="Values of metrics, in any order."
    )
    tags: list[TagInput] = strawberry.field(
        default_factory=list, description="Tags; a new value takes the place of the old one."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A run that is over.")
class RunFinishInput:
    """A run that is over."""

    run: RunBy = strawberry.field(description="The run.")
    state: RunEnd = strawberry.field(default=RunEnd.FINISHED, description="How it ended.")
    finished_at: datetime | None = strawberry.field(
        default=None, description="When it ended; now by default."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A run that is to be deleted.")
class RunDeleteInput:
    """A run that is to be deleted."""

    run: RunBy = strawberry.field(description="The run.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A run that is to be restored.")
class RunRestoreInput:
    """A run that is to be restored."""

    run: RunBy = strawberry.field(description="The run.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


def run_id_of(by: RunBy) -> str:
    """Return MLflow's id of a run.

    Raises:
        InvalidIDError: If it is the id of something else.
    """
    return key_of(by.id, "Run") if isinstance(by.id, str) else by.run_id or ""


def experiment_id_of(by: ExperimentBy) -> str | None:
    """Return MLflow's id of an experiment, or None where it is named.

    Raises:
        InvalidIDError: If it is the id of something else.
    """
    return key_of(by.id, "Experiment") if isinstance(by.id, str) else None


def tags_of(given: list[TagInput]) -> list[Tag]:
    """Return tags as records."""
    return [Tag(each.key, each.value) for each in given]


def items_of(given: RunLogInput) -> Items:
    """Return what is to be logged as records."""
    return Items(
        params=[Param(each.key, each.value) for each in given.params],
        metrics=[
            MetricValue(each["key"], each["value"], each["step"], each["time"])
            for each in cast(Sequence[Mapping[str, Any]], given.metrics)
        ],
        tags=tags_of(given.tags),
    )
