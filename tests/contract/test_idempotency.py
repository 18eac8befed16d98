"""Requests with a key are done once, on every database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.errors import (
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    InvalidIdempotencyKeyError,
)
from gql_platform.events.records import EventFilter, NewEvent
from gql_platform.idempotency.records import KeyedRequest, Result
from gql_platform.idempotency.service import CLAIM, KEPT, WAIT_SECONDS, Idempotency, keyed
from gql_platform.store import Transaction
from tests.contract.databases import Kept

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def request_of(value: int, *, key: str = "key", caller: str = "me") -> KeyedRequest:
    """Return a request with a key."""
    request = keyed(key, caller=caller, operation="test", arguments={"value": value})
    assert request is not None
    return request


class Counter:
    """Requests that count how often they are done, in the database and beside it."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.now = NOON
        self.effects = 0
        self.failure: Exception | None = None
        self.pauses = 0
        self.idempotency = self.another()

    def another(self) -> Idempotency:
        """Return what another server would use."""
        return Idempotency(
            self.kept.store, self.kept.request_keys, now=lambda: self.now, pause=self._pause
        )

    async def _pause(self, _: float) -> None:
        self.pauses += 1
        await asyncio.sleep(0)

    async def effect(self) -> None:
        """Do what is done outside of the database."""
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        self.effects += 1

    async def finish(self, transaction: Transaction) -> Result:
        """Write down what was done."""
        event = NewEvent("test.done", "Test", "one", "me")
        (written,) = await self.kept.event_log.append(transaction, [event], time=self.now)
        return {"sequence": written.sequence}

    async def done(self) -> int:
        """Return how often something was written down."""
        found = await self.kept.event_log.read(after=0, limit=200, chosen=EventFilter())
        return len(found.events)


@pytest.fixture
def counter(kept: Kept) -> Counter:
    """A counter on each database in turn."""
    return Counter(kept)


@pytest.mark.parametrize("has_effect", [False, True])
class TestOnce:
    @staticmethod
    async def once(counter: Counter, request: KeyedRequest | None, *, has_effect: bool) -> Result:
        """Send a request."""
        effect = counter.effect if has_effect else None
        return await counter.idempotency.once(request, counter.finish, effect=effect)

    async def test_parallel_calls_have_one_effect(
        self, counter: Counter, *, has_effect: bool
    ) -> None:
        """A hundred calls at once are done once, and all are answered alike."""
        calls = (self.once(counter, request_of(1), has_effect=has_effect) for _ in range(100))
        assert await asyncio.gather(*calls) == [{"sequence": 1}] * 100
        assert (await counter.done(), counter.effects) == (1, int(has_effect))

    async def test_another_request_is_refused(self, counter: Counter, *, has_effect: bool) -> None:
        """The same key with other values is a mistake of the caller, and changes nothing."""
        await self.once(counter, request_of(1), has_effect=has_effect)
        with pytest.raises(IdempotencyKeyReusedError) as refused:
            await self.once(counter, request_of(2), has_effect=has_effect)
        assert refused.value.key == "key"
        assert await counter.done() == 1

    async def test_keys_are_the_callers_own(self, counter: Counter, *, has_effect: bool) -> None:
        """Two callers, or two keys of one, are two requests."""
        for request in (request_of(1), request_of(1, caller="you"), request_of(1, key="other")):
            await self.once(counter, request, has_effect=has_effect)
        assert await counter.done() == 3

    async def test_keys_expire(self, counter: Counter, *, has_effect: bool) -> None:
        """After a day the key is as good as new, and may come with other values."""
        await self.once(counter, request_of(1), has_effect=has_effect)
        counter.now += KEPT
        assert await self.once(counter, request_of(2), has_effect=has_effect) == {"sequence": 2}
        counter.now += KEPT
        assert await counter.idempotency.clean() == 1
        assert await counter.idempotency.clean() == 0

    async def test_requests_without_a_key_are_done(
        self, counter: Counter, *, has_effect: bool
    ) -> None:
        """Without a key, each call is a request of its own."""
        for _ in range(2):
            await self.once(counter, None, has_effect=has_effect)
        assert await counter.done() == 2


class TestEffects:
    async def test_what_failed_is_tried_again(self, counter: Counter) -> None:
        """An error leaves nothing behind, so that the same request may be repaired."""
        counter.failure = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await counter.idempotency.once(request_of(1), counter.finish, effect=counter.effect)
        counter.failure = None
        await counter.idempotency.once(request_of(1), counter.finish, effect=counter.effect)
        assert (counter.effects, await counter.done()) == (1, 1)

    async def test_dead_server_is_succeeded(self, counter: Counter) -> None:
        """While a claim holds, others wait for it; then the next one takes it over."""
        request = request_of(1)
        async with counter.kept.store.begin() as transaction:
            dead = counter.another()._kept(request)
            await counter.kept.request_keys.claim(transaction, dead, now=counter.now)
        with pytest.raises(IdempotencyKeyBusyError) as refused:
            await counter.idempotency.once(request, counter.finish, effect=counter.effect)
        assert refused.value.retry_after_seconds == 1
        assert counter.pauses > WAIT_SECONDS
        counter.now += CLAIM
        await counter.idempotency.once(request, counter.finish, effect=counter.effect)
        assert (counter.effects, await counter.done()) == (1, 1)

    async def test_server_that_was_succeeded_writes_nothing(self, counter: Counter) -> None:
        """Whoever lost the claim meanwhile leaves no second trace."""
        request = request_of(1)

        async def late() -> None:
            counter.now += CLAIM + timedelta(seconds=1)
            await counter.another().once(request, counter.finish, effect=counter.effect)

        with pytest.raises(IdempotencyKeyBusyError):
            await counter.idempotency.once(request, counter.finish, effect=late)
        assert (counter.effects, await counter.done()) == (1, 1)

    async def test_prolonged_claim_is_not_taken(self, counter: Counter) -> None:
        """A server that is at work for long keeps its claim."""
        request = counter.idempotency._kept(request_of(1))
        keys = counter.kept.request_keys
        async with counter.kept.store.begin() as transaction:
            await keys.claim(transaction, request, now=counter.now)
        await keys.prolong(request, until=counter.now + 3 * CLAIM)
        async with counter.kept.store.begin() as transaction:
            other = counter.idempotency._kept(request_of(1))
            found = await keys.claim(transaction, other, now=counter.now + 2 * CLAIM)
        assert found is not None
        assert (found.claim, found.claimed_until) == (request.claim, NOON + 3 * CLAIM)


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n"])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    """A key has visible characters of ASCII, and not too many of them."""
    with pytest.raises(InvalidIdempotencyKeyError):
        keyed(key, caller="me", operation="test", arguments={})
