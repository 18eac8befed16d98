"""Doing a request once, however often it is sent."""

import asyncio
import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from gql_platform.errors import (
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    InvalidIdempotencyKeyError,
    UnavailableError,
)
from gql_platform.idempotency.ports import RequestKeys
from gql_platform.idempotency.records import KeptRequest, KeyedRequest, Result
from gql_platform.repetition import again_and_again
from gql_platform.store import Store, Transaction

KEPT = timedelta(hours=24)
"""How long a key is known."""

CLAIM = timedelta(seconds=10)
"""After so long, a request whose server died is taken over by whoever sends it again."""

WAIT_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.1
CLEAN_EVERY_SECONDS = 600.0

MAX_KEY_LENGTH = 255
_KEY = re.compile(rf"[!-~]{{1,{MAX_KEY_LENGTH}}}")


def keyed(
    key: str | None, *, caller: str, operation: str, arguments: Mapping[str, Any]
) -> KeyedRequest | None:
    """Return a request under its key; None when it has none.

    Args:
        key: What the sender gave.
        caller: Who that is.
        operation: What is asked for.
        arguments: With which values; their texts tell requests apart.

    Raises:
        InvalidIdempotencyKeyError: If it cannot be a key.
    """
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKeyError(maximum=MAX_KEY_LENGTH)
    text = json.dumps([operation, arguments], sort_keys=True, default=str)
    request_hash = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return KeyedRequest(f"{caller}:{operation}", key, request_hash)


class Idempotency:
    """Do what is asked for once, and answer what it came to whenever it is asked for again.

    Args:
        store: Where transactions begin.
        keys: Where keys are kept.
        now: Tells the time.
        pause: Waits for so many seconds.
    """

    def __init__(
        self,
        store: Store,
        keys: RequestKeys,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._keys = keys
        self._now = now
        self._pause = pause

    async def once(
        self,
        request: KeyedRequest | None,
        finish: Callable[[Transaction], Awaitable[Result]],
        *,
        effect: Callable[[], Awaitable[None]] | None = None,
    ) -> Result:
        """Do a request, or return what it came to when it was done before.

        Args:
            request: The request; None for one without a key, which is done.
            finish: Writes down what is done, in the transaction that also keeps the result. Without
                an effect this is all, and nothing of it is seen unless the key is kept too.
            effect: What is done outside of the database before. If the server dies meanwhile, it is
                called again by the next who sends the request: it has to notice what it did.

        Raises:
            IdempotencyKeyReusedError: If the key came with another request.
            IdempotencyKeyBusyError: If the first one is still at work after a while.
            StoreUnavailableError: If the database does not answer; then the effect was not begun,
                or the request may be sent again.
        """
        if request is None:
            return await self._unkeyed(finish, effect)
        if effect is None:
            return await self._in_one_transaction(request, finish)
        claimed, result = await self._claimed(request)
        if result is not None:
            return result
        async with self._held(claimed):
            await effect()
            async with self._store.begin() as transaction:
                result = await finish(transaction)
                if not await self._keys.complete(transaction, claimed, result):
                    raise _busy(request)
        return result

    async def clean(self) -> int:
        """Forget the keys that have expired, and return how many.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        return await self._keys.delete_expired(now=self._now())

    async def keep_clean(self) -> None:
        """Forget the keys that have expired, again and again, without end."""
        await again_and_again(
            self.clean,
            every_seconds=CLEAN_EVERY_SECONDS,
            failure="keys_not_cleaned",
            pause=self._pause,
        )

    async def _unkeyed(
        self,
        finish: Callable[[Transaction], Awaitable[Result]],
        effect: Callable[[], Awaitable[None]] | None,
    ) -> Result:
        if effect is not None:
            # What could not be written down is better not begun.
            async with self._store.begin():
                pass
            await effect()
        async with self._store.begin() as transaction:
            return await finish(transaction)

    async def _in_one_transaction(
        self, request: KeyedRequest, finish: Callable[[Transaction], Awaitable[Result]]
    ) -> Result:
        mine = self._kept(request)
        async with self._store.begin() as transaction:
            found = await self._keys.claim(transaction, mine, now=self._now())
            if found is None:
                result = await finish(transaction)
                await self._keys.complete(transaction, mine, result)
                return result
        _check(request, found)
        if found.result is None:
            raise _busy(request)
        return found.result

    async def _claimed(self, request: KeyedRequest) -> tuple[KeptRequest, Result | None]:
        """Return the claim on a request, or what it came to once somebody else has done it."""
        waited = 0.0
        while True:
            mine = self._kept(request)
            async with self._store.begin() as transaction:
                found = await self._keys.claim(transaction, mine, now=self._now())
            if found is None:
                return mine, None
            _check(request, found)
            if found.result is not None:
                return found, found.result
            if waited >= WAIT_SECONDS:
                raise _busy(request)
            await self._pause(LOOK_EVERY_SECONDS)
            waited += LOOK_EVERY_SECONDS

    @asynccontextmanager
    async def _held(self, claimed: KeptRequest) -> AsyncIterator[None]:
        """Keep a claim during a block, and let go of it if the block fails."""
        prolonging = asyncio.create_task(self._prolong(claimed))
        try:
            yield
        except BaseException:
            with suppress(UnavailableError):
                await self._keys.release(claimed)
            raise
        finally:
            prolonging.cancel()
            await asyncio.gather(prolonging, return_exceptions=True)

    async def _prolong(self, claimed: KeptRequest) -> None:
        while True:
            await asyncio.sleep(CLAIM.total_seconds() / 3)
            with suppress(UnavailableError):
                await self._keys.prolong(claimed, until=self._now() + CLAIM)

    def _kept(self, request: KeyedRequest) -> KeptRequest:
        now = self._now()
        return KeptRequest(
            request.scope,
            request.key,
            request.request_hash,
            claim=str(uuid.uuid4()),
            claimed_until=now + CLAIM,
            expires_at=now + KEPT,
        )


def _check(request: KeyedRequest, found: KeptRequest) -> None:
    if found.request_hash != request.request_hash:
        raise IdempotencyKeyReusedError(key=request.key)


def _busy(request: KeyedRequest) -> IdempotencyKeyBusyError:
    return IdempotencyKeyBusyError(key=request.key, retry_after_seconds=1)
