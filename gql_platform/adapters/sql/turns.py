"""Waiting for one of few connections, without taking a crowd for an outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from gql_platform.adapters.sql.outage import StillAtWorkError


class Turns:
    """Let only so many use a database at once, and the others wait in their order.

    Whoever waits gives up when nobody's use has ended well for a while: then it is the database
    that does not answer. As long as others get on, there is only a crowd.

    Args:
        places: How many may use it at once.
        patience_seconds: How long nobody may get on.
    """

    def __init__(self, places: int, *, patience_seconds: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._patience_seconds = patience_seconds
        self._last_success = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn, and give the seconds that are left for the database to answer.

        Raises:
            StillAtWorkError: If nobody got on for too long meanwhile.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + self._patience_seconds
        if self._free.locked():
            deadline = await self._waited(deadline)
        else:
            await self._free.acquire()
        try:
            yield max(deadline - now(), 0.0)
            self._last_success = now()
        except (SQLAlchemyError, OSError):
            raise
        except Exception:
            # Whatever went wrong, the database did answer.
            self._last_success = now()
            raise
        finally:
            self._free.release()

    async def _waited(self, deadline: float) -> float:
        """Return at the caller's turn, with the time by which the database has to answer."""
        # A task that is waited for keeps its place however often the deadline moves.
        mine = asyncio.create_task(self._free.acquire())
        try:
            return await self._patient(mine, deadline)
        except BaseException:
            if not mine.cancel():
                self._free.release()
            raise

    async def _patient(self, mine: "asyncio.Task[bool]", deadline: float) -> float:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.wait({mine}, timeout=deadline - now())
            deadline = max(deadline, self._last_success + self._patience_seconds)
            if mine.done():
                return deadline
            if now() >= deadline:
                raise StillAtWorkError(mine)
