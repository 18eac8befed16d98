"""Events, what is asked of them, and how they are handed out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from gql_platform.doc import Doc

DEPLOYMENT_CHANGED = "deployment.changed"
"""Somebody changed which versions of a model serve."""

MODEL_REGISTERED = "model.registered"
"""Somebody registered a version of a model."""

MODEL_UPDATED = "model.updated"
"""Somebody described or tagged a model."""

MODEL_VERSION_UPDATED = "model_version.updated"
"""Somebody described or tagged a version."""

MODEL_VERSION_TRANSITIONED = "model_version.transitioned"
"""Somebody moved a version to another stage."""

MODEL_VERSION_DELETED = "model_version.deleted"
"""Somebody deleted a version."""

EXPERIMENT_CREATED = "experiment.created"
"""Somebody made an experiment."""

RUN_CREATED = "run.created"
"""Somebody made a run."""

RUN_LOGGED = "run.logged"
"""Somebody logged params, metrics or tags to a run."""

RUN_FINISHED = "run.finished"
"""Somebody said how a run ended."""

RUN_DELETED = "run.deleted"
"""Somebody deleted a run; it can be restored."""

RUN_RESTORED = "run.restored"
"""Somebody restored a deleted run."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact that is to be written down.

    Attributes:
        type: What happened, such as ``deployment.changed``.
        subject_kind: The kind of what it happened to, such as ``Deployment``.
        subject_id: Which one.
        actor: Who did it.
        data: Its details, as JSON knows them.
    """

    type: str
    subject_kind: str
    subject_id: str
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact: something that happened, and will not change any more."""

    sequence: Annotated[int, Doc("Its place among all events; later ones have greater numbers.")]
    id: Annotated[str, Doc("What tells it from all others, a UUID.")]
    type: Annotated[str, Doc("What happened, such as `deployment.changed`.")]
    subject_kind: Annotated[str, Doc("The kind of what it happened to, such as `Deployment`.")]
    subject_id: Annotated[str, Doc("Which one, by its name.")]
    actor: Annotated[str, Doc("Who did it.")]
    time: Annotated[datetime, Doc("When it happened.")]
    data: Annotated[Mapping[str, Any], Doc("Its details; which there are depends on the type.")]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for; what is left out filters nothing."""

    types: Annotated[
        tuple[str, ...],
        Doc(
            "Types, such as `deployment.changed`, or beginnings, such as `deployment.*`; none "
            "stands for all."
        ),
    ] = ()
    subject_kind: Annotated[
        str | None,
        Doc("The kind of what they happened to, such as `Deployment`; null for any."),
    ] = None
    subject_id: Annotated[str | None, Doc("Which one, by its name; null for any.")] = None

    def matches(self, event: Event) -> bool:
        """Return whether an event is one of those."""
        return (
            (not self.types or any(_is_of(event.type, each) for each in self.types))
            and self.subject_kind in (None, event.subject_kind)
            and self.subject_id in (None, event.subject_id)
        )


def _is_of(kind: str, asked: str) -> bool:
    return kind.startswith(asked[:-1]) if asked.endswith("*") else kind == asked


@dataclass(frozen=True, slots=True)
class EventSlice:
    """Events behind a sequence, as they stood at one moment.

    Attributes:
        events: Those that were asked for, in order.
        through: All events up to this sequence were looked at.
        newest: The sequence of the newest event there has been; 0 before the first.
        deleted_through: Events up to this sequence are deleted; 0 when none are.
    """

    events: tuple[Event, ...]
    through: int
    newest: int
    deleted_through: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to somebody who follows."""

    event: Annotated[Event, Doc("What happened.")]
    lagged: Annotated[
        bool,
        Doc(
            "Whether this reader was too slow, so that the events from here on were read again "
            "from the database; none is missing."
        ),
    ]
    skipped_count: Annotated[
        int,
        Doc(
            "How many events before this one were deleted, of whatever type, before this reader "
            "got to them; 0 as a rule."
        ),
    ]
