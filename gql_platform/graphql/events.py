"""Events in the schema: what happened, and what happens."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.events.records import Delivery, Event, EventFilter
from gql_platform.events.service import MAX_TYPES
from gql_platform.graphql.connection import DEFAULT_FIRST, After, Connection, First, connection_of
from gql_platform.graphql.context import Info
from gql_platform.graphql.node import Node, encode_id
from gql_platform.graphql.permission import root_field, root_subscription
from gql_platform.graphql.scalars import JSON, Int64
from gql_platform.graphql.type_of import edge, type_of


@dataclass(frozen=True, slots=True)
class EventSubject:
    """What an event happened to."""

    kind: Annotated[str, Doc("The kind of object, such as `Deployment`.")]
    key: Annotated[str, Doc("Which one, by its natural key, such as the name of a model.")]


@type_of(EventSubject)
class EventSubjectType:
    """What an event happened to."""

    kind: strawberry.auto
    key: strawberry.auto


@type_of(Event)
class EventType(Node):
    """A fact."""

    sequence: Int64
    type: strawberry.auto
    actor: strawberry.auto
    time: strawberry.auto
    data: JSON

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Event]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Event", parent.id)

    @edge(graphql_type=EventSubjectType)
    @staticmethod
    def subject(parent: strawberry.Parent[Event]) -> EventSubject:
        """What it happened to."""
        return EventSubject(parent.subject_kind, parent.subject_id)


@type_of(EventFilter)
class EventFilterType:
    """Which events are asked for."""

    types: strawberry.auto
    subject_kind: strawberry.auto

    @edge()
    @staticmethod
    def subject_key(parent: strawberry.Parent[EventFilter]) -> str | None:
        """Which one, by its natural key; null for any."""
        return parent.subject_id


@type_of(Delivery, name="EventDelivery")
class EventDeliveryType:
    """An event on its way to somebody who follows."""

    event: strawberry.auto
    lagged: strawberry.auto
    skipped_count: Int64


@strawberry.input(description="Which events are asked for; what is left out filters nothing.")
class EventFilterInput:
    """Which events are asked for."""

    types: list[str] | None = strawberry.field(
        default=None,
        description=(
            "Types, such as `deployment.changed`, or `deployment.*` for all that begin like that; "
            f"at most {MAX_TYPES}."
        ),
    )
    subject_kind: str | None = strawberry.field(
        default=None, description="The kind of what they happened to, such as `Deployment`."
    )
    subject_key: str | None = strawberry.field(
        default=None, description="Which one, by its natural key."
    )


Filter = Annotated[
    EventFilterInput | None, strawberry.argument(description="Which events; all by default.")
]
AfterSequence = Annotated[
    Int64 | None,
    strawberry.argument(
        description="The last `sequence` that you know, to go on behind it; by default what comes."
    ),
]


@strawberry.type
class EventsQuery:
    """The root field of events."""

    @root_field(Permission.EVENT_READ, graphql_type=Connection[EventType] | None)
    @staticmethod
    async def events(
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Filter = None,  # noqa: A002 - the name that every list gives it
    ) -> Connection[Event]:
        """What happened, oldest first, as far back as events are kept."""
        events = info.context.services.events
        return connection_of(await events.page(first=first, after=after, chosen=chosen_by(filter)))


@strawberry.type
class EventsSubscription:
    """The subscription on events."""

    @root_subscription(Permission.EVENT_READ, graphql_type=EventDeliveryType)
    @staticmethod
    async def event_appended(
        info: Info,
        after_sequence: AfterSequence = None,
        filter: Filter = None,  # noqa: A002 - the name that every list gives it
    ) -> AsyncIterator[Delivery]:
        """Each event once and in order, on whichever server it happened."""
        events = info.context.services.events
        chosen = chosen_by(filter)
        async with aclosing(events.follow(after=after_sequence, chosen=chosen)) as deliveries:
            async for delivery in deliveries:
                yield delivery


def chosen_by(given: EventFilterInput | None) -> EventFilter:
    """Return the filter that somebody gave; one that filters nothing, if nobody did."""
    if given is None:
        return EventFilter()
    return EventFilter(tuple(given.types or ()), given.subject_kind, given.subject_key)
