"""Webhooks and their deliveries in memory, and receivers that are nowhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from gql_platform.events.ports import Outbox
from gql_platform.events.records import Event
from gql_platform.store import Transaction
from gql_platform.testing.database import Contents, InMemoryDatabase, contents_of
from gql_platform.webhooks.ports import Network, WebhookStore
from gql_platform.webhooks.records import (
    Answer,
    DeliveryState,
    Message,
    Webhook,
    WebhookDelivery,
    delivery_id_of,
)

PUBLIC_ADDRESS = "93.184.215.14"
"""An address that anything may be sent to."""


class InMemoryWebhookStore(WebhookStore, Outbox):
    """Keep webhooks in a dictionary.

    Args:
        database: Whose dictionary.
    """

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database

    async def put(self, transaction: Transaction, events: Sequence[Event]) -> None:
        """Write down who is to get these events, in the transaction that they are written in."""
        contents = contents_of(transaction)
        for event in events:
            for webhook in contents.webhooks.values():
                if webhook.wants(event):
                    delivery = WebhookDelivery(
                        id=delivery_id_of(webhook.id, event.id),
                        webhook_id=webhook.id,
                        event=event,
                        state=DeliveryState.WAITING,
                        attempts=0,
                        next_attempt_at=event.time,
                    )
                    contents.deliveries[delivery.id] = delivery

    async def put_webhook(self, transaction: Transaction, webhook: Webhook) -> None:
        """Keep a webhook, in the place of the one with its id if there is one."""
        contents_of(transaction).webhooks[webhook.id] = webhook

    async def locked(self, transaction: Transaction, webhook_id: str) -> Webhook | None:
        """Return a webhook that nobody else changes up to the end of the transaction."""
        return contents_of(transaction).webhooks.get(webhook_id)

    async def count(self, transaction: Transaction) -> int:
        """Return how many webhooks there are, those of the transaction included."""
        return len(contents_of(transaction).webhooks)

    async def delete_webhook(self, transaction: Transaction, webhook_id: str) -> bool:
        """Forget a webhook and its deliveries, and return False if there is none."""
        contents = contents_of(transaction)
        for each in list(contents.deliveries.values()):
            if each.webhook_id == webhook_id:
                del contents.deliveries[each.id]
        return contents.webhooks.pop(webhook_id, None) is not None

    async def webhook(self, webhook_id: str) -> Webhook | None:
        """Return a webhook, if there is one."""
        return self._database.seen().webhooks.get(webhook_id)

    async def webhooks(self, *, after: str, limit: int) -> Sequence[Webhook]:
        """Return up to ``limit`` webhooks behind an id, in the order of their ids."""
        found = self._database.seen().webhooks
        return [found[each] for each in sorted(found) if each > after][:limit]

    async def pause(self, webhook_id: str, *, until: datetime) -> None:
        """Leave a webhook alone for a while; whatever else was changed of it stays."""
        async with self._database.begin() as transaction:
            webhooks = transaction.contents.webhooks
            if webhook_id in webhooks:
                webhooks[webhook_id] = replace(webhooks[webhook_id], paused_until=until)

    async def disable(self, transaction: Transaction, webhook_id: str, *, because: str) -> bool:
        """Send a webhook nothing more, and return False if nothing was to be sent before."""
        webhooks = contents_of(transaction).webhooks
        found = webhooks.get(webhook_id)
        if found is None or not found.is_enabled:
            return False
        webhooks[webhook_id] = replace(found, is_enabled=False, disabled_because=because)
        return True

    async def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return webhooks that something is due for, those first that wait longest."""
        contents = self._database.seen()
        ready = {each.id for each in contents.webhooks.values() if each.may_be_sent_to(now)}
        ordered = (each.webhook_id for each in _due(contents, now) if each.webhook_id in ready)
        return list(dict.fromkeys(ordered))[:limit]

    async def claim(
        self, webhook_id: str, *, lease: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Begin an attempt at up to ``limit`` deliveries that are due, the longest due first."""
        async with self._database.begin() as transaction:
            due = [
                each for each in _due(transaction.contents, now) if each.webhook_id == webhook_id
            ]
            claimed = [
                replace(each, attempts=each.attempts + 1, next_attempt_at=until, lease=lease)
                for each in due[:limit]
            ]
            transaction.contents.deliveries.update({each.id: each for each in claimed})
        return claimed

    async def record(self, deliveries: Sequence[WebhookDelivery], *, lease: str) -> int:
        """Keep what attempts came to, and return of how many."""
        count = 0
        async with self._database.begin() as transaction:
            kept = transaction.contents.deliveries
            for each in deliveries:
                found = kept.get(each.id)
                if found is not None and found.lease == lease:
                    kept[each.id] = replace(each, attempts=found.attempts, lease=None)
                    count += 1
        return count

    async def redeliver(
        self, transaction: Transaction, delivery_id: str, *, now: datetime
    ) -> WebhookDelivery | None:
        """Make a delivery due once more, with all attempts before it; None if there is none."""
        deliveries = contents_of(transaction).deliveries
        found = deliveries.get(delivery_id)
        if found is None:
            return None
        deliveries[delivery_id] = replace(
            found,
            state=DeliveryState.WAITING,
            attempts=0,
            next_attempt_at=now,
            lease=None,
            completed_at=None,
        )
        return deliveries[delivery_id]

    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Return up to ``limit`` deliveries of a webhook, newest first."""
        found = [
            each
            for each in self._database.seen().deliveries.values()
            if each.webhook_id == webhook_id
            and state in (None, each.state)
            and (before is None or each.event.sequence < before)
        ]
        return sorted(found, key=lambda each: -each.event.sequence)[:limit]

    async def deliveries_by_id(self, ids: Sequence[str]) -> Sequence[WebhookDelivery]:
        """Return those of these deliveries that there still are, in any order."""
        found = self._database.seen().deliveries
        return [found[each] for each in ids if each in found]

    async def delete_completed(self, *, before: datetime, limit: int) -> int:
        """Forget deliveries that were completed before, and return how many; at most ``limit``."""
        async with self._database.begin() as transaction:
            contents = transaction.contents
            old = [each.id for each in _forgettable(contents, before)][:limit]
            for each in old:
                del contents.deliveries[each]
        return len(old)


class InMemoryNetwork(Network):
    """Receivers that answer as they are told to; nothing leaves the process.

    Args:
        answer: What a receiver answers to a message; it may raise a `ReceiverUnavailableError`.
        addresses: What each name leads to.

    Attributes:
        sent: All messages, in order.
    """

    def __init__(
        self,
        answer: Callable[[Message], Answer] = lambda _: Answer(204),
        *,
        addresses: Sequence[str] = (PUBLIC_ADDRESS,),
    ) -> None:
        self._answer = answer
        self._addresses = tuple(addresses)
        self.sent: list[Message] = []

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the addresses that every name leads to."""
        del host
        return self._addresses

    async def send(self, message: Message) -> Answer:
        """Keep a message, and answer what was told."""
        self.sent.append(message)
        return self._answer(message)


def _due(contents: Contents, now: datetime) -> list[WebhookDelivery]:
    found = (
        each
        for each in contents.deliveries.values()
        if each.state is DeliveryState.WAITING and each.next_attempt_at <= now
    )
    return sorted(found, key=lambda each: (each.next_attempt_at, each.event.sequence))


def _forgettable(contents: Contents, before: datetime) -> Iterator[WebhookDelivery]:
    for each in contents.deliveries.values():
        is_old = each.completed_at is not None and each.completed_at < before
        if is_old or each.webhook_id not in contents.webhooks:
            yield each
