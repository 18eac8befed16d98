"""Looking at what somebody follows, with one look for all who do."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from gql_platform.errors import UnavailableError
from gql_platform.news import News

LOOK_EVERY_SECONDS = 0.25
"""How often a store is asked whether anything was written to it, and so how often it is told."""

ROUNDS_OF_THE_DUMB = 4
"""A store that cannot tell is read in every fourth round, which is once a second."""

K = TypeVar("K", bound=Hashable)
S = TypeVar("S")

log = structlog.get_logger(__name__)

Pause = Callable[[float], Awaitable[None]]


@dataclass(eq=False, slots=True)
class _Topic(Generic[S]):
    """What somebody follows.

    Attributes:
        state: How it was when it was looked at last; None if there is no such thing.
        followers: How many follow it.
        looks: How often it was looked at.
        news: Told whenever the state is another.
    """

    state: S | None = None
    followers: int = 0
    looks: int = 0
    news: News = field(default_factory=News)


class Poll(Generic[K, S]):
    """Look at what is followed while anybody follows, and only when the store may be another.

    Whoever is slow misses what was in between, but never how it is now.

    Args:
        name: What is followed, for the log.
        stamp: Returns a text that is another after the store was written to, or None.
        look: Returns how the things of these keys are, of those that exist; states are equal when
            there is nothing to tell.
        pause: Waits for so many seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        stamp: Callable[[], Awaitable[str | None]],
        look: Callable[[Sequence[K]], Awaitable[Mapping[K, S]]],
        pause: Pause,
    ) -> None:
        self._name = name
        self._stamp = stamp
        self._look = look
        self._pause = pause
        self._topics: dict[K, _Topic[S]] = {}
        self._work: asyncio.Task[None] | None = None
        self._is_away = False
        self._must_look = False

    async def follow(self, key: K) -> AsyncGenerator[S | None]:
        """Yield how a thing is, and again whenever it is another; None while there is none.

        Raises:
            UnavailableError: If the store does not answer at first; later it is waited for.
        """
        topic = self._topics.setdefault(key, _Topic())
        topic.followers += 1
        if self._work is None:
            self._work = asyncio.create_task(self._keep_looking())
        try:
            # What was found last may be a round old, and this follower may know more than that.
            looks = topic.looks
            found = (await self._look([key])).get(key)
            if topic.looks == looks:
                self._put(topic, found)
            else:
                # Nobody knows which of two looks that overlapped is the newer one.
                self._must_look = True
            async for _ in topic.news.follow():
                yield topic.state
        finally:
            topic.followers -= 1
            if not topic.followers:
                del self._topics[key]
            if not self._topics and self._work is not None:
                self._work.cancel()
                self._work = None

    async def _keep_looking(self) -> None:
        seen: tuple[str | None, frozenset[K]] = (None, frozenset())
        rounds = 0
        while True:
            await self._pause(LOOK_EVERY_SECONDS)
            rounds += 1
            try:
                # A write that comes after the stamp is told in the next round.
                stamp = await self._stamp()
                found = (stamp, frozenset(self._topics))
                is_due = found != seen if stamp is not None else not rounds % ROUNDS_OF_THE_DUMB
                if is_due or self._must_look:
                    self._must_look = False
                    self._tell(await self._look(list(self._topics)), found[1])
                    seen = found
                self._is_away = False
            except UnavailableError as error:
                if not self._is_away:
                    log.warning("not_followed", what=self._name, reason=str(error))
                self._is_away = True
            except Exception:
                # Those who follow would hear nothing any more.
                log.exception("not_followed", what=self._name)

    def _tell(self, found: Mapping[K, S], keys: frozenset[K]) -> None:
        for key in keys & self._topics.keys():
            self._put(self._topics[key], found.get(key))

    @staticmethod
    def _put(topic: _Topic[S], state: S | None) -> None:
        topic.looks += 1
        if state != topic.state:
            topic.state = state
            topic.news.tell()
