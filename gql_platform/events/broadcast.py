"""Handing new events to many followers, with one read for all of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from gql_platform.errors import UnavailableError
from gql_platform.events.ports import EventLog
from gql_platform.events.records import Event, EventFilter

READ_AT_ONCE = 500
"""How many events are read in one go."""

RETRY_SECONDS = 1.0

EVERYTHING = EventFilter()

log = structlog.get_logger(__name__)


class Follower:
    """Somebody who gets new events, as long as they are taken in time.

    Args:
        chosen: Which events.
        places: How many may wait.
    """

    def __init__(self, chosen: EventFilter, *, places: int) -> None:
        self._chosen = chosen
        self._places = places
        self._waiting: deque[Event] = deque()
        self._told = asyncio.Event()
        self.has_lagged = False

    def put(self, events: Sequence[Event]) -> bool:
        """Take events, and return False when there are more than have a place."""
        for event in events:
            if not self._chosen.matches(event):
                continue
            if len(self._waiting) == self._places:
                self.has_lagged = True
                break
            self._waiting.append(event)
        if self._waiting or self.has_lagged:
            self._told.set()
        return not self.has_lagged

    def fall_behind(self) -> None:
        """Count as too slow."""
        self.has_lagged = True
        self._told.set()

    async def events(self) -> AsyncIterator[Event]:
        """Yield what comes, until more came than had a place."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self.has_lagged:
                return
            self._told.clear()
            await self._told.wait()


class Broadcast:
    """Read new events once, and put them before every follower.

    It works while there is somebody who follows.

    Args:
        log: Where events are.
        pause: Waits for so many seconds, after the log did not answer.
    """

    def __init__(
        self, log: EventLog, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._log = log
        self._pause = pause
        self._followers: set[Follower] = set()
        self._listeners = 0
        self._turn = asyncio.Lock()
        self._work: list[asyncio.Task[None]] = []
        self.through = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Read new events in this block; `through` tells how far."""
        self._listeners += 1
        try:
            async with self._turn:
                await self._start()
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                await self._stop()

    def join(self, follower: Follower) -> None:
        """Let somebody get all events behind `through`."""
        self._followers.add(follower)

    def leave(self, follower: Follower) -> None:
        """Let somebody get no more."""
        self._followers.discard(follower)

    async def _start(self) -> None:
        if self._work:
            return
        found = await self._log.read(after=0, limit=1, chosen=EVERYTHING)
        self.through = found.newest
        self._work = [
            asyncio.create_task(self._log.watch()),
            asyncio.create_task(self._read_on()),
        ]

    async def _stop(self) -> None:
        work, self._work = self._work, []
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    async def _read_on(self) -> None:
        async for _ in self._log.news.follow():
            while not await self._is_read():
                await self._pause(RETRY_SECONDS)

    async def _is_read(self) -> bool:
        """Hand out all events that there are, and return False when the log does not answer."""
        try:
            while True:
                found = await self._log.read(
                    after=self.through, limit=READ_AT_ONCE, chosen=EVERYTHING
                )
                if found.deleted_through > self.through:
                    # They find out themselves how many events they have missed.
                    for each in self._followers:
                        each.fall_behind()
                    self._followers.clear()
                # Nobody can join between these lines.
                self.through = max(self.through, found.through)
                self._followers = {each for each in self._followers if each.put(found.events)}
                if len(found.events) < READ_AT_ONCE:
                    return True
        except UnavailableError as error:
            log.warning("events_not_read", reason=str(error))
            return False
        except Exception:
            # Followers that hear nothing any more would not know.
            log.exception("events_not_read")
            return False
