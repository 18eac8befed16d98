"""Telling whoever waits that something has changed."""

import asyncio
from collections.abc import AsyncIterator


class News:
    """Wake everybody who follows, however often it happened meanwhile."""

    def __init__(self) -> None:
        self._number = 0
        self._next: asyncio.Future[None] | None = None

    @property
    def number(self) -> int:
        """How often something has changed."""
        return self._number

    def tell(self) -> None:
        """Something has changed."""
        self._number += 1
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None

    async def follow(self) -> AsyncIterator[int]:
        """Yield the number of changes at once, and whenever it is another."""
        seen = self._number
        yield seen
        while True:
            while seen == self._number:
                if self._next is None:
                    self._next = asyncio.get_running_loop().create_future()
                await asyncio.shield(self._next)
            seen = self._number
            yield seen
