"""What events need of a store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gql_platform.events.records import Event, EventFilter, EventSlice, NewEvent
from gql_platform.news import News
from gql_platform.store import Transaction


class EventLog(Protocol):
    """Keep events in their order.

    Each method raises `gql_platform.errors.StoreUnavailableError` when the database does not
    answer.
    """

    @property
    def news(self) -> News:
        """Tells whoever follows that there may be new events; it may also tell so in vain."""
        ...

    async def append(
        self, transaction: Transaction, events: Sequence[NewEvent], *, time: datetime
    ) -> tuple[Event, ...]:
        """Write events down behind all others, in the caller's transaction.

        Sequences go up by one, in the order in which transactions are committed, and are never
        given out again: once a reader has seen one, no smaller one appears. So that nobody waits
        long, it is the last thing that a transaction does.
        """
        ...

    async def read(self, *, after: int, limit: int, chosen: EventFilter) -> EventSlice:
        """Return up to ``limit`` events behind a sequence."""
        ...

    async def events_by_id(self, ids: Sequence[str]) -> Sequence[Event]:
        """Return those of these events that there still are, in any order."""
        ...

    async def delete(self, *, before: datetime, keep: int, limit: int) -> int:
        """Delete the oldest events.

        Args:
            before: Events that happened before are deleted.
            keep: As many of the newest are kept at most.
            limit: The most events to delete at once.

        Returns:
            How many were deleted; ``limit`` when there may be more.
        """
        ...

    async def watch(self) -> None:
        """Tell `news` of what other processes append, without end."""
        ...


class Outbox(Protocol):
    """Note where events are to be sent."""

    async def put(self, transaction: Transaction, events: Sequence[Event]) -> None:
        """Write down who is to get these events, in the transaction that they are written in."""
        ...
