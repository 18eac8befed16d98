"""The use cases of events: write them down, read them, follow them."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from gql_platform.errors import (
    EventFilterError,
    InvalidCursorError,
    SequenceError,
)
from gql_platform.events.broadcast import EVERYTHING, READ_AT_ONCE, Broadcast, Follower
from gql_platform.events.ports import EventLog, Outbox
from gql_platform.events.records import Delivery, Event, EventFilter, NewEvent
from gql_platform.news import News
from gql_platform.paging import Page, decode_cursor, page_of, page_size
from gql_platform.repetition import again_and_again
from gql_platform.store import Store, Transaction

MAX_TYPES = 20
PLACES = 256
"""How many events wait for a follower before it is sent back to the database."""

CLEAN_EVERY_SECONDS = 60.0
DELETED_AT_ONCE = 5_000

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?|\*")
_SEQUENCE = re.compile(r"[0-9]{1,18}")


class Events:
    """Keep what happened, and tell those who follow.

    Args:
        store: Where transactions begin.
        event_log: Where events are.
        outbox: Notes where they are to be sent; None sends them nowhere.
        retention_days: How long events are kept.
        max_events: How many of the newest are kept at most.
        places: How many events wait for a follower before it counts as too slow.
        now: Tells the time.
    """

    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        *,
        outbox: Outbox | None = None,
        retention_days: float = 30.0,
        max_events: int = 1_000_000,
        places: int = PLACES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._log = event_log
        self._outbox = outbox
        self._retention = timedelta(days=retention_days)
        self._max_events = max_events
        self._places = places
        self._now = now
        self._broadcast = Broadcast(event_log)

    @property
    def news(self) -> News:
        """Tells whoever follows that there may be new events; it may also tell so in vain."""
        return self._log.news

    async def append(self, transaction: Transaction, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Write events down in a transaction, as its last act.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        written = await self._log.append(transaction, events, time=self._now())
        if self._outbox is not None:
            await self._outbox.put(transaction, written)
        return written

    async def record(self, *events: NewEvent) -> Sequence[Event]:
        """Write events down in a transaction of their own.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        async with self._store.begin() as transaction:
            return await self.append(transaction, events)

    async def page(
        self, *, first: int | None, after: str | None = None, chosen: EventFilter = EVERYTHING
    ) -> Page[Event]:
        """Return a page of events, oldest first.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor.
            EventFilterError: If the filter names what is no type.
            StoreUnavailableError: If the database does not answer.
        """
        size = page_size(first)
        check_filter(chosen)
        behind = sequence_of(after) if after is not None else 0
        found = await self._log.read(after=behind, limit=size + 1, chosen=chosen)
        keys = [str(event.sequence) for event in found.events]
        return page_of(found.events, keys, first=size, after=after, total=None)

    async def events(self, ids: Sequence[str]) -> Mapping[str, Event]:
        """Return those of these events that there still are, by id."""
        return {event.id: event for event in await self._log.events_by_id(ids)}

    async def newest(self) -> int:
        """Return the sequence of the newest event; 0 before the first."""
        return (await self._log.read(after=0, limit=1, chosen=EVERYTHING)).newest

    async def follow(
        self, *, after: int | None = None, chosen: EventFilter = EVERYTHING
    ) -> AsyncGenerator[Delivery]:
        """Yield each event once and in order, those that are to come included.

        Args:
            after: The sequence to go on behind; None begins with the next event.
            chosen: Which events.

        Raises:
            EventFilterError: If the filter names what is no type.
            SequenceError: If no event has had the sequence.
            StoreUnavailableError: If the database does not answer.
        """
        check_filter(chosen)
        async with self._broadcast.listening():
            place = await self._start_of(after)
            has_lagged, skipped = False, 0
            while True:
                follower = Follower(chosen, places=self._places)
                while self._broadcast.through > place:
                    found = await self._log.read(after=place, limit=READ_AT_ONCE, chosen=chosen)
                    skipped += max(0, min(found.deleted_through, found.newest) - place)
                    for event in found.events:
                        yield Delivery(event, has_lagged, skipped)
                        has_lagged, skipped = False, 0
                    place = max(place, found.through)
                # No event comes between the last look and this line.
                self._broadcast.join(follower)
                try:
                    async for event in follower.events():
                        if event.sequence > place:
                            place = event.sequence
                            yield Delivery(event, has_lagged, skipped)
                            has_lagged, skipped = False, 0
                finally:
                    self._broadcast.leave(follower)
                has_lagged = True

    async def keep_in_bounds(
        self, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Delete what is too old or too much, again and again, without end."""
        await again_and_again(
            self.clean, every_seconds=CLEAN_EVERY_SECONDS, failure="events_not_cleaned", pause=pause
        )

    async def clean(self) -> int:
        """Delete events that are too old or too many, and return how many.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        deleted = 0
        before = self._now() - self._retention
        while True:
            count = await self._log.delete(
                before=before, keep=self._max_events, limit=DELETED_AT_ONCE
            )
            deleted += count
            if count < DELETED_AT_ONCE:
                return deleted

    async def _start_of(self, after: int | None) -> int:
        if after is None:
            return self._broadcast.through
        newest = await self.newest()
        if not 0 <= after <= newest:
            raise SequenceError(sequence=after, newest=newest)
        return after


def check_filter(chosen: EventFilter) -> None:
    """Let a filter pass that events can match.

    Raises:
        EventFilterError: If it names what is no type, or too many.
    """
    if len(chosen.types) > MAX_TYPES:
        raise EventFilterError(given=chosen.types[MAX_TYPES], maximum=MAX_TYPES)
    for given in chosen.types:
        if not _TYPE.fullmatch(given):
            raise EventFilterError(given=given, maximum=MAX_TYPES)


def sequence_of(cursor: str) -> int:
    """Return the sequence that a cursor of a page stands for.

    Raises:
        InvalidCursorError: If it stands for none.
    """
    key = decode_cursor(cursor)
    if not _SEQUENCE.fullmatch(key):
        raise InvalidCursorError(cursor=cursor)
    return int(key)
