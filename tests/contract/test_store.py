"""The contract of `gql_platform.store.Store` and `gql_platform.events.ports.EventLog`."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from gql_platform.adapters.dbos.connection import engine_for_threads
from gql_platform.adapters.sql.address import KEEPALIVES
from gql_platform.adapters.sql.database import Database
from gql_platform.errors import StoreUnavailableError
from gql_platform.events.records import Event, EventFilter, NewEvent
from gql_platform.store import Transaction
from tests.contract.databases import SHARED, Kept, in_memory

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
ALL = EventFilter()


def happened(number: int, *, kind: str = "test.happened") -> NewEvent:
    """Return a fact to write down."""
    return NewEvent(kind, "Test", str(number % 2), "tester", {"number": number, "text": "é\n☃"})


async def write(kept: Kept, *events: NewEvent, time: datetime = NOON) -> tuple[Event, ...]:
    """Write facts down in a transaction of their own."""
    async with kept.store.begin() as transaction:
        return await kept.event_log.append(transaction, events, time=time)


class RolledBackError(Exception):
    """Undoes a transaction."""


async def write_in_vain(kept: Kept, event: NewEvent) -> None:
    """Write a fact down, and undo it."""
    async with kept.store.begin() as transaction:
        transaction.after_commit(lambda: pytest.fail("called after a roll-back"))
        await kept.event_log.append(transaction, [event], time=NOON)
        raise RolledBackError


class TestTransactions:
    async def test_empty_database_has_no_events(self, kept: Kept) -> None:
        """Before the first event, the newest has the sequence 0."""
        found = await kept.event_log.read(after=0, limit=10, chosen=ALL)
        assert (found.events, found.through, found.newest, found.deleted_through) == ((), 0, 0, 0)

    async def test_events_are_read_as_they_were_written(self, kept: Kept) -> None:
        """Times keep their microseconds and their zone, data their types and letters."""
        written = await write(kept, happened(1), happened(2))
        found = await kept.event_log.read(after=0, limit=10, chosen=ALL)
        assert found.events == written
        assert [each.sequence for each in written] == [1, 2]
        assert [each.time for each in found.events] == [NOON, NOON]
        assert found.events[0].data == {"number": 1, "text": "é\n☃"}

    async def test_rolled_back_events_leave_nothing(self, kept: Kept) -> None:
        """An error undoes the writes, their numbers included, and passes through."""
        with pytest.raises(RolledBackError):
            await write_in_vain(kept, happened(1))
        (written,) = await write(kept, happened(2))
        assert written.sequence == 1
        assert (await kept.event_log.read(after=0, limit=10, chosen=ALL)).events == (written,)

    # SQLite in memory has one connection.
    @pytest.mark.parametrize("kept", ["in_memory", *SHARED], indirect=True)
    async def test_nobody_sees_what_is_not_committed(self, kept: Kept) -> None:
        """A reader beside an open transaction sees the moment before it."""
        async with kept.store.begin() as transaction:
            await kept.event_log.append(transaction, [happened(1)], time=NOON)
            found = await kept.event_log.read(after=0, limit=10, chosen=ALL)
            assert (found.events, found.newest) == ((), 0)
        assert (await kept.event_log.read(after=0, limit=10, chosen=ALL)).newest == 1

    async def test_parallel_transactions_take_turns(self, kept: Kept) -> None:
        """A hundred writers at once leave a hundred events without a gap."""
        await asyncio.gather(*(write(kept, happened(number)) for number in range(100)))
        found = await kept.event_log.read(after=0, limit=200, chosen=ALL)
        assert [each.sequence for each in found.events] == list(range(1, 101))
        assert {each.data["number"] for each in found.events} == set(range(100))

    async def test_calls_follow_the_commit(self, kept: Kept) -> None:
        """What is called after a commit finds the writes there, and the news tell of them."""
        before = kept.event_log.news.number
        called: list[str] = []
        async with kept.store.begin() as transaction:
            transaction.after_commit(lambda: called.append("done"))
            await kept.event_log.append(transaction, [happened(1)], time=NOON)
            assert called == []
        assert called == ["done"]
        assert kept.event_log.news.number > before

    async def test_transaction_of_another_database_is_refused(self, kept: Kept) -> None:
        """A transaction is handed to what shares its database, or to nobody."""

        class Foreign:
            def after_commit(self, call: object) -> None:
                raise AssertionError(call)

        foreign: Transaction = Foreign()
        with pytest.raises(TypeError, match="none of this database"):
            await kept.event_log.append(foreign, [happened(1)], time=NOON)

    async def test_preparing_again_changes_nothing(self, kept: Kept) -> None:
        """A server that starts finds what the last one left."""
        await write(kept, happened(1))
        await kept.store.prepare()
        assert (await kept.event_log.read(after=0, limit=10, chosen=ALL)).newest == 1


class TestReading:
    async def test_pages_go_on_behind_a_sequence(self, kept: Kept) -> None:
        """A page ends where its last event is, and the last page where the log does."""
        written = await write(kept, *map(happened, range(5)))
        first = await kept.event_log.read(after=0, limit=3, chosen=ALL)
        assert (first.events, first.through) == (written[:3], 3)
        second = await kept.event_log.read(after=first.through, limit=3, chosen=ALL)
        assert (second.events, second.through) == (written[3:], 5)
        third = await kept.event_log.read(after=5, limit=3, chosen=ALL)
        assert (third.events, third.through) == ((), 5)

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            (EventFilter(types=("a.b",)), [1, 5]),
            (EventFilter(types=("a.*",)), [1, 2, 5]),
            (EventFilter(types=("a_.*", "c.d")), [3, 4]),
            (EventFilter(types=("*",)), [1, 2, 3, 4, 5]),
            (EventFilter(subject_kind="Test", subject_id="0"), [2, 4]),
            (EventFilter(subject_kind="Other"), []),
            (EventFilter(types=("a.*",), subject_id="1"), [1, 5]),
        ],
    )
    async def test_filters_choose(
        self, kept: Kept, chosen: EventFilter, expected: list[int]
    ) -> None:
        """Types are named whole or by their beginnings, and the database agrees with the record."""
        kinds = ["a.b", "a.c", "a_.b", "c.d", "a.b"]
        await write(kept, *(happened(n, kind=kind) for n, kind in enumerate(kinds, start=1)))
        found = await kept.event_log.read(after=0, limit=10, chosen=chosen)
        assert [each.sequence for each in found.events] == expected
        everything = await kept.event_log.read(after=0, limit=10, chosen=ALL)
        assert [each.sequence for each in everything.events if chosen.matches(each)] == expected
        assert found.through == 5

    async def test_events_are_found_by_id(self, kept: Kept) -> None:
        """An unknown id is absent from the answer."""
        (one, two) = await write(kept, happened(1), happened(2))
        found = await kept.event_log.events_by_id([two.id, "nothing", one.id])
        assert sorted(found, key=lambda each: each.sequence) == [one, two]


class TestDeleting:
    async def test_old_events_are_deleted(self, kept: Kept) -> None:
        """What happened before a moment goes, and what is left says up to where."""
        await write(kept, happened(1), happened(2), time=NOON - timedelta(days=2))
        kept_event = await write(kept, happened(3))
        deleted = await kept.event_log.delete(before=NOON - timedelta(days=1), keep=100, limit=100)
        found = await kept.event_log.read(after=0, limit=10, chosen=ALL)
        assert (deleted, found.events, found.deleted_through) == (2, kept_event, 2)

    async def test_too_many_events_are_deleted_in_parts(self, kept: Kept) -> None:
        """The newest stay, and each call deletes at most as many as it may."""
        await write(kept, *map(happened, range(10)))
        counts = [await kept.event_log.delete(before=NOON, keep=3, limit=5) for _ in range(3)]
        found = await kept.event_log.read(after=0, limit=10, chosen=ALL)
        assert counts == [5, 2, 0]
        assert [each.sequence for each in found.events] == [8, 9, 10]

    async def test_sequences_are_never_used_again(self, kept: Kept) -> None:
        """When all events are deleted, the next one is numbered as if they were there."""
        await write(kept, happened(1), happened(2))
        await kept.event_log.delete(before=NOON + timedelta(days=1), keep=0, limit=10)
        (written,) = await write(kept, happened(3))
        found = await kept.event_log.read(after=0, limit=10, chosen=ALL)
        assert (written.sequence, found.newest, found.deleted_through) == (3, 3, 2)


async def test_in_memory_database_can_be_away() -> None:
    """The double shows what callers of an absent database see, and comes back."""
    kept = in_memory()
    store = kept.store
    store.is_away = True  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailableError):
        await write(kept, happened(1))
    store.is_away = False  # type: ignore[attr-defined]
    assert len(await write(kept, happened(1))) == 1


@pytest.mark.parametrize("kept", ["postgresql"], indirect=True)
async def test_a_machine_that_vanished_is_noticed(kept: Kept) -> None:
    """Each connection asks a PostgreSQL that says nothing, and gives it up after ten seconds."""

    def asked_for(connection: Connection) -> dict[str, str]:
        driver = connection.connection.driver_connection
        assert driver is not None
        given: dict[str, str] = driver.info.get_parameters()
        return {name: given[name] for name in KEEPALIVES}

    assert isinstance(kept.store, Database)
    expected = {name: str(value) for name, value in KEEPALIVES.items()}
    async with kept.store.begin() as session:
        assert await session.run(asked_for) == expected
    engine = engine_for_threads(kept.store.address)
    with engine.connect() as connection:
        assert asked_for(connection) == expected
    engine.dispose()
