"""Making a change outside of the database once, to its end, and writing it down."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gql_platform.errors import UnavailableError
from gql_platform.events.service import Events
from gql_platform.idempotency.records import KeyedRequest, Result
from gql_platform.idempotency.service import Idempotency
from gql_platform.journal.records import Entry
from gql_platform.store import Transaction

AT_ONCE = 16
"""How many changes are at work at once: more would only wait for the one writer of a database."""


class Journal:
    """Make changes that no transaction holds, such as in MLflow.

    Args:
        events: Where each change is written down.
        idempotency: What does each request once.
        at_once: How many changes are at work at once; further ones wait for their turn.
    """

    def __init__(self, events: Events, idempotency: Idempotency, *, at_once: int = AT_ONCE) -> None:
        self._events = events
        self._idempotency = idempotency
        self._free = asyncio.Semaphore(at_once)
        self._at_work: set[asyncio.Task[Result]] = set()

    async def make(
        self,
        request: KeyedRequest | None,
        change: Callable[[], Awaitable[Entry]],
        *,
        tidy: Callable[[], Awaitable[None]] | None = None,
    ) -> Result:
        """Make a change and write it down, or return what it came to if it was made before.

        A change that has begun goes to its end, even if whoever asked for it is gone; one that
        still waits for its turn is not begun then.

        Args:
            request: The request; None for one without a key.
            change: Makes the change. If the server dies before it is written down, it is called
                again by the next who sends the request: it has to notice what it did.
            tidy: Takes away what helped to notice that, once the change is written down. What it
                cannot take away stays.

        Raises:
            IdempotencyKeyReusedError: If the key came with another request.
            IdempotencyKeyBusyError: If the first one is still at work after a while.
            StoreUnavailableError: If the platform's database does not answer.
        """
        await self._free.acquire()
        task = asyncio.create_task(self._made(request, change, tidy))
        self._at_work.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Result]) -> None:
        self._at_work.discard(task)
        self._free.release()

    async def _made(
        self,
        request: KeyedRequest | None,
        change: Callable[[], Awaitable[Entry]],
        tidy: Callable[[], Awaitable[None]] | None,
    ) -> Result:
        made: list[Entry] = []

        async def effect() -> None:
            made.append(await change())

        async def finish(transaction: Transaction) -> Result:
            (entry,) = made
            if entry.events:
                await self._events.append(transaction, entry.events)
            return entry.result

        result = await self._idempotency.once(request, finish, effect=effect)
        if made and tidy is not None:
            with suppress(UnavailableError):
                await tidy()
        return result
