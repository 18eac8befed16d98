"""What webhooks need of a store, and of the network."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gql_platform.store import Transaction
from gql_platform.webhooks.records import Answer, DeliveryState, Message, Webhook, WebhookDelivery


class WebhookStore(Protocol):
    """Keep webhooks, and deliveries until they are done.

    A delivery is written by `gql_platform.events.ports.Outbox`, in the transaction of its event.
    Each method raises `gql_platform.errors.StoreUnavailableError` when the database does not
    answer.
    """

    async def put_webhook(self, transaction: Transaction, webhook: Webhook) -> None:
        """Keep a webhook, in the place of the one with its id if there is one."""
        ...

    async def locked(self, transaction: Transaction, webhook_id: str) -> Webhook | None:
        """Return a webhook that nobody else changes up to the end of the transaction."""
        ...

    async def count(self, transaction: Transaction) -> int:
        """Return how many webhooks there are, those of the transaction included."""
        ...

    async def delete_webhook(self, transaction: Transaction, webhook_id: str) -> bool:
        """Forget a webhook and its deliveries, and return False if there is none."""
        ...

    async def webhook(self, webhook_id: str) -> Webhook | None:
        """Return a webhook, if there is one."""
        ...

    async def webhooks(self, *, after: str, limit: int) -> Sequence[Webhook]:
        """Return up to ``limit`` webhooks behind an id, in the order of their ids."""
        ...

    async def pause(self, webhook_id: str, *, until: datetime) -> None:
        """Leave a webhook alone for a while; whatever else was changed of it stays."""
        ...

    async def disable(self, transaction: Transaction, webhook_id: str, *, because: str) -> bool:
        """Send a webhook nothing more, and return False if nothing was to be sent before.

        Whatever else was changed of it stays.
        """
        ...

    async def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return webhooks that something is due for, those first that wait longest.

        One that is disabled or paused is none of them.
        """
        ...

    async def claim(
        self, webhook_id: str, *, lease: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Begin an attempt at up to ``limit`` deliveries that are due, the longest due first.

        Nobody else gets them up to ``until``; then they are due again, if nothing was recorded.
        """
        ...

    async def record(self, deliveries: Sequence[WebhookDelivery], *, lease: str) -> int:
        """Keep what attempts came to, and return of how many.

        Those that somebody else has claimed since are left as they are.
        """
        ...

    async def redeliver(
        self, transaction: Transaction, delivery_id: str, *, now: datetime
    ) -> WebhookDelivery | None:
        """Make a delivery due once more, with all attempts before it; None if there is none."""
        ...

    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Return up to ``limit`` deliveries of a webhook, newest first.

        Args:
            webhook_id: Which webhook's.
            state: How far they have come; None means any.
            before: Only events with a smaller sequence; None begins with the newest.
            limit: The most to return.
        """
        ...

    async def deliveries_by_id(self, ids: Sequence[str]) -> Sequence[WebhookDelivery]:
        """Return those of these deliveries that there still are, in any order."""
        ...

    async def delete_completed(self, *, before: datetime, limit: int) -> int:
        """Forget deliveries that were completed before, and return how many; at most ``limit``.

        Those of webhooks that there are no longer are forgotten too.
        """
        ...


class AttemptObserver(Protocol):
    """Learn of attempts, to count them."""

    def attempt_finished(self, *, outcome: str, seconds: float) -> None:
        """Take note that an attempt ended.

        Args:
            outcome: ``delivered``; ``failed``, so that another one follows; or ``dead``.
            seconds: How long it took.
        """
        ...


class Network(Protocol):
    """Reach receivers."""

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the IP addresses of a host; of an address, itself.

        Raises:
            ReceiverUnavailableError: If the name leads nowhere, or is not resolved in time.
        """
        ...

    async def send(self, message: Message) -> Answer:
        """Post a message to one of its addresses, and to no other; redirects are not followed.

        Raises:
            ReceiverUnavailableError: If there is no proper answer in time.
        """
        ...
