"""What those who follow runs and the registry are told."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.registry.records import Model, ModelVersion
from gql_platform.tracking.records import Run, RunState

MAX_POINTS = 10_000
"""How many points one message holds, of all metrics together."""

FINAL_STATES = frozenset({RunState.FINISHED, RunState.FAILED, RunState.KILLED})


class Mark(NamedTuple):
    """How far a metric of a run is known: its points up to a moment, as they were logged.

    Attributes:
        time_ms: When the last known point was logged, in milliseconds of Unix time.
        points: How many points are known.
        at: How many of them were logged at that very millisecond.
        digest: A checksum of those.
    """

    time_ms: int
    points: int
    at: int
    digest: int


@dataclass(frozen=True, slots=True)
class Tail:
    """The points of a metric from a moment on, by time, step, and value.

    Attributes:
        earlier: How many points were logged before that moment.
        times: When each was logged, in milliseconds of Unix time.
        steps: The step of each.
        values: The value of each, which may be NaN or infinite.
    """

    earlier: int = 0
    times: "array[int]" = field(default_factory=lambda: array("q"))
    steps: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass(frozen=True, slots=True)
class NewPoints:
    """Points of one metric, in the order in which they were logged."""

    key: Annotated[str, Doc("The metric's name.")]
    steps: Annotated[
        Sequence[int],
        Doc("The step of each point; a run that goes back to a checkpoint repeats steps."),
    ]
    values: Annotated[
        Sequence[float],
        Doc("The values, in the order of `steps`; null where one is not a finite number."),
    ]
    times_ms: Annotated[
        Sequence[int], Doc("When each was logged, in milliseconds of Unix time, ascending.")
    ]
    restarted: Annotated[
        bool,
        Doc(
            "Whether these replace all that was sent of the metric before: a point came late, "
            "with a time before that of points that were sent already."
        ),
    ]


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """A run, and the points of its metrics that were logged since the last message."""

    run: Annotated[Run, Doc("The run as it is.")]
    new_metrics: Annotated[
        tuple[NewPoints, ...],
        Doc(f"What was logged, by metric; at most {MAX_POINTS} points in all."),
    ]
    has_more: Annotated[
        bool, Doc("Whether more was logged than one message holds; the rest comes at once.")
    ]
    cursor: Annotated[
        str, Doc("How far the metrics are known now; pass it as `after` to go on behind it.")
    ]
    is_final: Annotated[
        bool, Doc("Whether the run is over and all is told; nothing comes after that.")
    ]


class RunNoticeKind(DescribedEnum):
    """What became of something that is followed."""

    NEW = "NEW", "It was not among those that are followed before."
    CHANGED = "CHANGED", "It is another than before."
    GONE = "GONE", "It was deleted, or is no longer one of those that were asked for."


@dataclass(frozen=True, slots=True)
class RunNotice:
    """What became of a run."""

    kind: Annotated[RunNoticeKind, Doc("What became of it.")]
    run_id: Annotated[str, Doc("MLflow's id of the run.")]
    run: Annotated[Run | None, Doc("The run as it is; null once nothing is left of it.")]


@dataclass(frozen=True, slots=True)
class RunsUpdate:
    """What became of runs since the last message."""

    changes: Annotated[tuple[RunNotice, ...], Doc("Each run that is new, changed, or gone.")]


class RegistryChangeKind(DescribedEnum):
    """What happened in the registry."""

    MODEL_CREATED = "MODEL_CREATED", "A model was registered."
    MODEL_CHANGED = "MODEL_CHANGED", "The description or the tags of a model are others."
    MODEL_DELETED = "MODEL_DELETED", "A model was deleted, with all of its versions."
    VERSION_CREATED = "VERSION_CREATED", "A version was registered."
    VERSION_CHANGED = "VERSION_CHANGED", "The description or the tags of a version are others."
    VERSION_DELETED = "VERSION_DELETED", "A version was deleted."
    ALIAS_SET = "ALIAS_SET", "An alias points to a version to which it did not point before."
    ALIAS_REMOVED = "ALIAS_REMOVED", "An alias points to no version any more."


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """A model, version or alias that is another than before."""

    kind: Annotated[RegistryChangeKind, Doc("What happened.")]
    model_name: Annotated[str, Doc("The name of the model.")]
    model: Annotated[Model | None, Doc("The model as it is; null once it is deleted.")]
    alias: Annotated[str | None, Doc("The alias, where one was set or removed.")] = None
    version_number: Annotated[
        int | None, Doc("The version's number; for a removed alias, that to which it pointed.")
    ] = None
    version: Annotated[ModelVersion | None, Doc("The version as it is; null when deleted.")] = None


@dataclass(frozen=True, slots=True)
class RegistryUpdate:
    """What happened in the registry since the last message."""

    changes: Annotated[
        tuple[RegistryChange, ...],
        Doc("What happened, by model. It is empty in the first message: what happens after that is "
            "told, so that models which are read then leave no gap."),
    ]  # fmt: skip
