"""Events are followed: each once, in order, and whoever is too slow is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.errors import (
    EventFilterError,
    InvalidCursorError,
    PageSizeError,
    SequenceError,
    StoreUnavailableError,
)
from gql_platform.events.records import Delivery, EventFilter, NewEvent
from gql_platform.events.service import MAX_TYPES, Events
from gql_platform.paging import encode_cursor
from gql_platform.testing import InMemoryDatabase, InMemoryEventLog

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Clock:
    """Tells the time that it is set to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Tell it."""
        return self.now


class Here:
    """Events over a database in memory."""

    def __init__(self, *, places: int = 4, max_events: int = 1000) -> None:
        self.database = InMemoryDatabase()
        self.clock = Clock()
        self.log = InMemoryEventLog(self.database)
        self.events = Events(
            self.database,
            self.log,
            retention_days=1,
            max_events=max_events,
            places=places,
            now=self.clock,
        )

    async def happen(self, count: int = 1, *, kind: str = "test.happened") -> None:
        """Write so many events down, each in a transaction of its own."""
        for _ in range(count):
            await self.events.record(NewEvent(kind, "Test", "one", "tester"))


@pytest.fixture
def here() -> Here:
    """Events, none so far."""
    return Here()


async def taken(deliveries: AsyncIterator[Delivery], count: int) -> list[int]:
    """Return the sequences of the next few events."""
    return [(await anext(deliveries)).event.sequence for _ in range(count)]


def next_of(deliveries: AsyncIterator[Delivery]) -> "asyncio.Task[Delivery]":
    """Wait for the next event beside the test."""

    async def wait() -> Delivery:
        return await anext(deliveries)

    return asyncio.create_task(wait())


async def settled() -> None:
    """Let every other task get as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


class TestFollow:
    async def test_events_to_come_are_followed(self, here: Here) -> None:
        """Without a sequence, what happened before is not told."""
        await here.happen(2)
        deliveries = here.events.follow()
        waiting = next_of(deliveries)
        await settled()
        await here.happen()
        assert (await waiting).event.sequence == 3

    async def test_followers_resume_behind_a_sequence(self, here: Here) -> None:
        """What happened since is told first, and then what happens: each once, in order."""
        await here.happen(1200)
        deliveries = here.events.follow(after=10)
        assert await taken(deliveries, 1190) == list(range(11, 1201))
        waiting = next_of(deliveries)
        await settled()
        await here.happen(2)
        assert (await waiting).event.sequence == 1201
        assert await taken(deliveries, 1) == [1202]

    async def test_filter_chooses_old_and_new_events(self, here: Here) -> None:
        """The same filter holds for what is read and for what comes."""
        await here.happen(1, kind="a.b")
        await here.happen(1, kind="c.d")
        deliveries = here.events.follow(after=0, chosen=EventFilter(types=("c.*",)))
        assert await taken(deliveries, 1) == [2]
        waiting = next_of(deliveries)
        await settled()
        await here.happen(1, kind="a.b")
        await here.happen(1, kind="c.e")
        assert (await waiting).event.sequence == 4

    async def test_slow_follower_is_told_and_misses_nothing(self, here: Here) -> None:
        """More events than have a place are read from the database later, the first one marked."""
        deliveries = here.events.follow()
        waiting = next_of(deliveries)
        await settled()
        await here.happen()
        first = await waiting
        await here.happen(10)
        await settled()
        rest = [await anext(deliveries) for _ in range(10)]
        assert [each.event.sequence for each in [first, *rest]] == list(range(1, 12))
        assert [each.event.sequence for each in rest if each.lagged] == [6]
        assert {each.skipped_count for each in rest} == {0}

    async def test_slow_follower_delays_nobody(self, here: Here) -> None:
        """The queue of one is full while another gets every event as it comes."""
        slow, quick = here.events.follow(), here.events.follow()
        waiting = [next_of(slow), next_of(quick)]
        await settled()
        await here.happen()
        await asyncio.gather(*waiting)
        for sequence in range(2, 12):
            ahead = next_of(quick)
            await here.happen()
            assert (await ahead).event.sequence == sequence
        assert await taken(slow, 10) == list(range(2, 12))

    async def test_deleted_events_are_counted(self, here: Here) -> None:
        """Whoever resumes behind what was deleted is told how much that was."""
        await here.happen(5)
        here.clock.now += timedelta(days=2)
        await here.events.clean()
        await here.happen()
        deliveries = here.events.follow(after=2)
        found = await anext(deliveries)
        assert (found.event.sequence, found.skipped_count, found.lagged) == (6, 3, False)
        await here.happen()
        assert (await anext(deliveries)).skipped_count == 0

    async def test_followers_outlive_an_outage(self, here: Here) -> None:
        """While the database is away nothing comes, and then everything does."""

        async def waited(_: float) -> None:
            await asyncio.sleep(0)
            here.database.is_away = False

        here.events._broadcast._pause = waited
        deliveries = here.events.follow()
        waiting = next_of(deliveries)
        await settled()
        await here.happen()
        here.database.is_away = True
        assert (await waiting).event.sequence == 1
        assert not here.database.is_away

    async def test_reading_ends_with_the_last_follower(self, here: Here) -> None:
        """Nobody reads when nobody follows, and whoever comes later is served again."""
        deliveries = here.events.follow()
        waiting = next_of(deliveries)
        await settled()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert here.events._broadcast._work == []
        await here.happen(3)
        assert await taken(here.events.follow(after=1), 2) == [2, 3]

    @pytest.mark.parametrize("after", [-1, 4])
    async def test_unknown_sequence_is_refused(self, here: Here, after: int) -> None:
        """A sequence that no event has had is of another database, or made up."""
        await here.happen(3)
        with pytest.raises(SequenceError) as refused:
            await anext(here.events.follow(after=after))
        assert (refused.value.sequence, refused.value.newest) == (after, 3)

    @pytest.mark.parametrize("types", [("A",), ("a..b",), ("a.b%",), ("",), ("a",) * 21])
    async def test_filter_that_nothing_matches_is_refused(
        self, here: Here, types: tuple[str, ...]
    ) -> None:
        """What is no type is a mistake, and not a filter without results."""
        with pytest.raises(EventFilterError) as refused:
            await anext(here.events.follow(chosen=EventFilter(types=types)))
        assert refused.value.maximum == MAX_TYPES

    async def test_absent_database_is_told_at_once(self, here: Here) -> None:
        """Whoever begins to follow while the database is away learns it."""
        here.database.is_away = True
        with pytest.raises(StoreUnavailableError):
            await anext(here.events.follow())


class TestPages:
    async def test_pages_go_on_behind_a_cursor(self, here: Here) -> None:
        """Events are listed oldest first, and the last page says so."""
        await here.happen(3)
        first = await here.events.page(first=2)
        assert ([each.sequence for each in first.items], first.has_next) == ([1, 2], True)
        second = await here.events.page(first=2, after=first.cursors[-1])
        assert ([each.sequence for each in second.items], second.has_next) == ([3], False)

    async def test_wrong_pages_are_refused(self, here: Here) -> None:
        """A size or a cursor that cannot be is named."""
        with pytest.raises(PageSizeError):
            await here.events.page(first=0)
        with pytest.raises(InvalidCursorError):
            await here.events.page(first=1, after=encode_cursor("x"))


class TestRetention:
    async def test_old_events_go(self, here: Here) -> None:
        """Events are kept as long as the settings say."""
        await here.happen(2)
        here.clock.now += timedelta(hours=25)
        await here.happen()
        assert await here.events.clean() == 2
        assert await here.events.clean() == 0
        assert [each.sequence for each in (await here.events.page(first=9)).items] == [3]

    async def test_newest_events_stay(self) -> None:
        """No more events are kept than the settings say."""
        here = Here(max_events=2)
        await here.happen(5)
        assert await here.events.clean() == 3
        assert [each.sequence for each in (await here.events.page(first=9)).items] == [4, 5]
