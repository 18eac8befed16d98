"""What is logged to runs, and what is refused of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.registry.records import Tag
from gql_platform.tracking.records import Param

MOMENT_TAG = "gql_platform.moment."
"""The beginning of a run's tag that holds when a request began to log, until it is done."""


class RunEnd(DescribedEnum):
    """How a run ended."""

    FINISHED = "FINISHED", "As it should."
    FAILED = "FAILED", "With an error."
    KILLED = "KILLED", "Somebody ended it."


class ItemKind(DescribedEnum):
    """What kind of thing is logged to a run."""

    PARAM = "PARAM", "A parameter; once logged, it keeps its value."
    METRIC = "METRIC", "A value of a metric."
    TAG = "TAG", "A tag; a new value takes the place of the old one."


class RefusalCode(DescribedEnum):
    """Why an item was not logged."""

    INVALID_KEY = (
        "INVALID_KEY",
        (
            "The name is empty, or has other characters than letters, digits, `_`, `-`, `.`, "
            "spaces, `:` and `/`, or would be another name as the path of a file."
        ),
    )
    KEY_TOO_LONG = "KEY_TOO_LONG", "The name has more than 250 characters."
    RESERVED_KEY = "RESERVED_KEY", "Tags that begin with `gql_platform.` are the platform's own."
    INVALID_VALUE = (
        "INVALID_VALUE",
        (
            "The value of a metric is no number of 64 bits and none of `NaN`, `Infinity` and "
            "`-Infinity`, or a text has a character that is not stored."
        ),
    )
    VALUE_TOO_LONG = (
        "VALUE_TOO_LONG",
        "The value of a param has more than 6,000 characters, or that of a tag more than 8,000.",
    )
    INVALID_TIME = "INVALID_TIME", "The time is before 1970."
    PARAM_CHANGED = "PARAM_CHANGED", "The param has another value already."
    STORE_REFUSED = "STORE_REFUSED", "MLflow refused it; the message is its own."
    UNKNOWN = "UNKNOWN", "A reason that is newer than this list."


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A value of a metric that is to be logged.

    Attributes:
        key: The metric's name.
        value: A number, or ``NaN``, ``Infinity`` and ``-Infinity`` as text.
        step: At which step it was measured.
        time: When; None stands for the present.
    """

    key: str
    value: float | str
    step: int = 0
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """What is to be logged to a run.

    Attributes:
        params: Parameters.
        metrics: Values of metrics, in any order.
        tags: Tags; of several with the same key, the last one counts.
    """

    params: Sequence[Param] = ()
    metrics: Sequence[MetricValue] = ()
    tags: Sequence[Tag] = ()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.params) + len(self.metrics) + len(self.tags)


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A value of a metric as a store takes it.

    Attributes:
        key: The metric's name.
        value: The value, which may be NaN or infinite.
        step: At which step it was measured.
        time_ms: When, in milliseconds of Unix time.
    """

    key: str
    value: float
    step: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a store is to log to a run, each item by its place in what was sent.

    Attributes:
        params: Params by place; no two have the same key.
        metrics: Values of metrics by place.
        tags: Tags by place; no two have the same key.
    """

    params: Mapping[int, Param]
    metrics: Mapping[int, MetricPoint]
    tags: Mapping[int, Tag]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that was not logged; the others were."""

    kind: Annotated[ItemKind, Doc("The list that it stands in.")]
    index: Annotated[int, Doc("Its place in that list, from 0.")]
    key: Annotated[str, Doc("Its name.")]
    code: Annotated[RefusalCode, Doc("Why it was refused.")]
    message: Annotated[str, Doc("What was wrong, and what was expected.")]


@dataclass(frozen=True, slots=True)
class RunLogged:
    """What was logged to a run."""

    run_id: Annotated[str, Doc("MLflow's id of the run.")]
    param_count: Annotated[int, Doc("How many of the params are logged.")]
    metric_count: Annotated[int, Doc("How many of the values of metrics are logged.")]
    tag_count: Annotated[int, Doc("How many of the tags are set.")]
    refused: Annotated[tuple[Refusal, ...], Doc("The items that were refused, in their order.")]


def milliseconds_of(moment: datetime) -> int:
    """Return a moment in milliseconds of Unix time."""
    return math.floor(moment.timestamp() * 1000)
