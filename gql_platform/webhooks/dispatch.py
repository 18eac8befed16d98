"""Sending what is due, endpoint by endpoint, so that a slow one keeps up no other."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from gql_platform.errors import (
    ReceiverUnavailableError,
    UnavailableError,
    WebhookAddressError,
)
from gql_platform.news import News
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.messages import message_of
from gql_platform.webhooks.ports import AttemptObserver, Network, WebhookStore
from gql_platform.webhooks.records import Answer, DeliveryState, Webhook, WebhookDelivery
from gql_platform.webhooks.schedule import next_attempt

LOOK_EVERY_SECONDS = 1.0

ENDPOINTS_AT_ONCE = 20
MESSAGES_AT_ONCE = 4
"""How many messages are on their way to one endpoint."""

MARGIN = timedelta(seconds=10)
"""How long writing down what came of an attempt may take."""

FAILURES_IN_A_ROW = 10
"""After so many an endpoint is left alone for a while, and then gets one message on trial."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)

GONE = 410
"""What a receiver answers that wants nothing any more."""

OnGone = Callable[[str], Awaitable[None]]

_OUTCOMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.WAITING: "failed",
    DeliveryState.DEAD: "dead",
}

log = structlog.get_logger(__name__)


class Dispatcher:
    """Send deliveries that are due, and record what came of it.

    Each is sent at least once: what was sent and not recorded is sent again, with the same id.

    Args:
        store: Where webhooks and deliveries are.
        network: Reaches receivers.
        guard: Judges where messages may go.
        on_gone: Called with the id of a webhook whose receiver wants nothing any more.
        timeout_seconds: How long the network takes at most, for a name and for a message.
        observer: Learns of the attempts.
        jitter: Returns a random number from 0 up to 1.
        now: Tells the time.
    """

    def __init__(
        self,
        store: WebhookStore,
        network: Network,
        guard: AddressGuard,
        on_gone: OnGone,
        *,
        timeout_seconds: float,
        observer: AttemptObserver | None = None,
        jitter: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._network = network
        self._guard = guard
        self._on_gone = on_gone
        self._observer = observer
        # Then an attempt counts as lost; look-up and sending are done before.
        self._lease = timedelta(seconds=2 * timeout_seconds) + MARGIN
        self._jitter = jitter
        self._now = now
        self._failures: dict[str, int] = {}
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def run(
        self, news: News, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Send what is due, as soon as the news tells of events and every second, without end."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(news))
                group.create_task(self._look_again(pause))
        finally:
            await self.stop()

    async def _follow(self, news: News) -> None:
        async for _ in news.follow():
            await self._begin_if_possible()

    async def _look_again(self, pause: Callable[[float], Awaitable[None]]) -> None:
        while True:
            await pause(LOOK_EVERY_SECONDS)
            await self._begin_if_possible()

    async def _begin_if_possible(self) -> None:
        try:
            await self.begin()
        except UnavailableError as error:
            log.warning("webhooks_not_read", reason=str(error))
        except Exception:
            # Nothing would be sent any more.
            log.exception("webhooks_not_read")

    async def begin(self) -> bool:
        """Go to work for endpoints that something is due for, and return False if none is.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        due = await self._store.due(now=self._now(), limit=2 * ENDPOINTS_AT_ONCE)
        for webhook_id in due:
            if webhook_id not in self._at_work and len(self._at_work) < ENDPOINTS_AT_ONCE:
                self._begin_work(webhook_id)
        return bool(due)

    async def end(self) -> None:
        """Wait until all that was begun is done."""
        while self._at_work:
            await asyncio.wait(set(self._at_work.values()))

    async def stop(self) -> None:
        """Break off; what was not recorded is sent again when its lease is over."""
        for task in self._at_work.values():
            task.cancel()
        await self.end()

    def _begin_work(self, webhook_id: str) -> None:
        task = asyncio.create_task(self._work(webhook_id))
        self._at_work[webhook_id] = task
        # A task that is broken off before its first step would not get to say so itself.
        task.add_done_callback(lambda _: self._at_work.pop(webhook_id))

    async def _work(self, webhook_id: str) -> None:
        try:
            while await self._send_some(webhook_id):
                pass
        except UnavailableError as error:
            log.warning("webhook_not_served", webhook=webhook_id, reason=str(error))
        except Exception:
            # The others are served on, and this one is tried again.
            log.exception("webhook_not_served", webhook=webhook_id)

    async def _send_some(self, webhook_id: str) -> bool:
        """Send a few messages, and return False when there is no more to do for now."""
        webhook, now = await self._store.webhook(webhook_id), self._now()
        if webhook is None or not webhook.may_be_sent_to(now):
            return False
        is_on_trial = self._failures.get(webhook_id, 0) >= FAILURES_IN_A_ROW
        lease, limit = str(uuid.uuid4()), 1 if is_on_trial else MESSAGES_AT_ONCE
        claimed = await self._store.claim(
            webhook_id, lease=lease, now=now, until=now + self._lease, limit=limit
        )
        done = await asyncio.gather(*(self._observed(webhook, each) for each in claimed))
        await self._store.record(done, lease=lease)
        await self._judge(webhook_id, done)
        return bool(claimed)

    async def _observed(self, webhook: Webhook, delivery: WebhookDelivery) -> WebhookDelivery:
        begun = time.perf_counter()
        done = await self._attempt(webhook, delivery)
        if self._observer is not None:
            seconds = time.perf_counter() - begun
            self._observer.attempt_finished(outcome=_OUTCOMES[done.state], seconds=seconds)
        return done

    async def _attempt(self, webhook: Webhook, delivery: WebhookDelivery) -> WebhookDelivery:
        try:
            answer = await self._sent(webhook, delivery)
        except (ReceiverUnavailableError, WebhookAddressError) as error:
            return self._failed(delivery, None, error.problem)
        if 200 <= answer.status_code < 300:
            return replace(
                delivery,
                state=DeliveryState.DELIVERED,
                completed_at=self._now(),
                status_code=answer.status_code,
                problem=None,
            )
        return self._failed(delivery, answer, f"it answers with status {answer.status_code}")

    async def _sent(self, webhook: Webhook, delivery: WebhookDelivery) -> Answer:
        target = self._guard.check(webhook.url)
        resolved = await self._network.addresses(target.host)
        addresses = tuple(map(str, self._guard.check_resolved(target, resolved)))
        message = message_of(webhook, delivery, target=target, addresses=addresses, now=self._now())
        return await self._network.send(message)

    def _failed(
        self, delivery: WebhookDelivery, answer: Answer | None, problem: str
    ) -> WebhookDelivery:
        now = self._now()
        status_code = answer.status_code if answer else None
        asked = answer.retry_after_seconds if answer else None
        following = next_attempt(
            delivery.attempts,
            now=now,
            jitter=self._jitter,
            at_least=None if asked is None else timedelta(seconds=asked),
        )
        failed = replace(delivery, status_code=status_code, problem=problem)
        if following is None or status_code == GONE:
            return replace(failed, state=DeliveryState.DEAD, completed_at=now)
        return replace(failed, next_attempt_at=following)

    async def _judge(self, webhook_id: str, done: list[WebhookDelivery]) -> None:
        """Say of an endpoint that it is gone, and leave one alone that fails again and again."""
        if any(each.status_code == GONE for each in done):
            await self._on_gone(webhook_id)
        failures = self._failures.pop(webhook_id, 0)
        for each in done:
            failures = 0 if each.state is DeliveryState.DELIVERED else failures + 1
        if failures:
            self._failures[webhook_id] = failures
        surplus = failures - FAILURES_IN_A_ROW
        if surplus >= 0 and done:
            pause = min(FIRST_PAUSE * 2 ** min(surplus, 10), LONGEST_PAUSE)
            await self._store.pause(webhook_id, until=self._now() + pause)
