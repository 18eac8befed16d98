"""One read for all who want the same at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from gql_platform.errors import UnavailableError
from gql_platform.live.poll import Pause

RETRY_SECONDS = 1.0

T = TypeVar("T")


class SharedReads(Generic[T]):
    """Read once what several want while it is read; a store that is away is waited for.

    Args:
        pause: Waits for so many seconds.
    """

    def __init__(self, *, pause: Pause) -> None:
        self._pause = pause
        self._reads: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what a read returns.

        Args:
            key: Reads of the same key return the same, at whichever moment they began.
            read: Reads.
        """
        while True:
            if key not in self._reads:
                self._reads[key] = asyncio.create_task(read())
                self._reads[key].add_done_callback(lambda task: self._forget(key, task))
            try:
                # Others may wait for it too.
                return await asyncio.shield(self._reads[key])
            except UnavailableError:
                await self._pause(RETRY_SECONDS)

    def _forget(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._reads[key]
        if not task.cancelled():
            # It is raised where somebody waits; where nobody does, it is of no interest.
            task.exception()
