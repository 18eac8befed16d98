"""Events in a table."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update
from sqlalchemy.engine import Row

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.session import session_of
from gql_platform.adapters.sql.tables import event_log, events
from gql_platform.events.ports import EventLog
from gql_platform.events.records import Event, EventFilter, EventSlice, NewEvent
from gql_platform.news import News
from gql_platform.store import Transaction

CHANNEL = "gql_platform_events"
"""What PostgreSQL calls when events are there."""

Watch = Callable[[Address, News], Awaitable[None]]


class SqlEventLog(EventLog):
    """Keep events in the platform's database.

    The number of the newest event is a row: a transaction that appends holds its lock until it is
    committed, so that sequences become visible in their order, without a gap.

    Args:
        database: Where the table is.
        watch: Tells the news of what other processes append, in the way of the database.
    """

    def __init__(self, database: Database, *, watch: Watch) -> None:
        self._database = database
        self._watch = watch
        self._news = News()

    @property
    def news(self) -> News:
        """Tells whoever follows that there may be new events."""
        return self._news

    async def append(
        self, transaction: Transaction, events: Sequence[NewEvent], *, time: datetime
    ) -> tuple[Event, ...]:
        """Write events down behind all others, in the caller's transaction."""
        session = session_of(transaction)
        written = await session.run(partial(append_events, events=events, time=time))
        session.after_commit(self._news.tell)
        return written

    async def read(self, *, after: int, limit: int, chosen: EventFilter) -> EventSlice:
        """Return up to ``limit`` events behind a sequence."""
        async with self._database.read() as session:
            log = (await session.execute(select(event_log))).one()
            found = await session.execute(
                select(_events)
                .where(_events.c.sequence > after, *_conditions(chosen))
                .order_by(_events.c.sequence)
                .limit(limit)
            )
            read = tuple(map(_event, found))
        newest, deleted = int(log.last_sequence), int(log.deleted_through)
        through = read[-1].sequence if len(read) == limit else max(newest, after)
        return EventSlice(read, through, newest, deleted)

    async def events_by_id(self, ids: Sequence[str]) -> Sequence[Event]:
        """Return those of these events that there still are, in any order."""
        async with self._database.read() as session:
            found = await session.execute(select(_events).where(_events.c.id.in_(ids)))
            return [_event(row) for row in found]

    async def delete(self, *, before: datetime, keep: int, limit: int) -> int:
        """Delete the oldest events."""
        async with self._database.read() as session:
            aged = await session.execute(
                select(func.max(_events.c.sequence)).where(_events.c.time < before)
            )
            last = int(aged.scalar() or 0)
        async with self._database.begin() as session:
            log = (await session.execute(select(event_log).with_for_update())).one()
            last = max(last, log.last_sequence - keep)
            through = min(last, log.deleted_through + limit)
            if through <= log.deleted_through:
                return 0
            await session.execute(delete(_events).where(_events.c.sequence <= through))
            await session.execute(update(event_log).values(deleted_through=through))
        return int(through - log.deleted_through)

    async def watch(self) -> None:
        """Tell `news` of what other processes append, without end."""
        await self._watch(self._database.address, self._news)


_events = events


def append_events(
    connection: Connection, events: Sequence[NewEvent], *, time: datetime
) -> tuple[Event, ...]:
    """Write events down behind all others, in the transaction of a connection."""
    found = connection.execute(
        update(event_log)
        .values(last_sequence=event_log.c.last_sequence + len(events))
        .returning(event_log.c.last_sequence)
    )
    newest = int(found.scalar_one())
    written = tuple(
        Event(sequence=sequence, id=str(uuid.uuid4()), time=time, **asdict(each))
        for sequence, each in enumerate(events, start=newest - len(events) + 1)
    )
    connection.execute(insert(_events), [asdict(each) for each in written])
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, str(newest))))
    return written


def _event(row: Row[Any]) -> Event:
    return Event(**cast(dict[str, Any], row._mapping))  # noqa: SLF001 - SQLAlchemy's public name


def _conditions(chosen: EventFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.types:
        found.append(or_(*map(_of_type, chosen.types)))
    if chosen.subject_kind is not None:
        found.append(_events.c.subject_kind == chosen.subject_kind)
    if chosen.subject_id is not None:
        found.append(_events.c.subject_id == chosen.subject_id)
    return found


def _of_type(asked: str) -> ColumnElement[bool]:
    if asked.endswith("*"):
        return _events.c.type.startswith(asked[:-1], autoescape=True)
    return _events.c.type == asked
