"""The use cases of webhooks: make and change them, and look after what they are sent."""

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import structlog

from gql_platform.errors import (
    TooManyWebhooksError,
    UnavailableError,
    WebhookDeliveryNotFoundError,
    WebhookDisabledError,
    WebhookNotFoundError,
)
from gql_platform.events.records import EventFilter, NewEvent
from gql_platform.events.service import Events, check_filter
from gql_platform.store import Store
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.dispatch import Dispatcher
from gql_platform.webhooks.ports import WebhookStore
from gql_platform.webhooks.records import (
    WEBHOOK_TESTED,
    Webhook,
    WebhookDelivery,
    WebhookDraft,
)
from gql_platform.webhooks.signing import check_secret, new_secret

MAX_WEBHOOKS = 100
"""All of them are looked at for each event."""

ROTATION = timedelta(hours=24)
"""How long the secret before signs too."""

CLEAN_EVERY_SECONDS = 60.0
DELETED_AT_ONCE = 5_000

log = structlog.get_logger(__name__)


class Webhooks:
    """Send events to those who ask for them.

    Args:
        store: Where transactions begin.
        webhooks: Where webhooks are.
        events: Where messages on trial begin.
        guard: Judges where messages may go.
        dispatcher: Sends them.
        retention_days: How long deliveries are kept when they are done.
        random_bytes: Returns so many random bytes.
        now: Tells the time.
    """

    def __init__(
        self,
        store: Store,
        webhooks: WebhookStore,
        events: Events,
        guard: AddressGuard,
        dispatcher: Dispatcher,
        *,
        retention_days: float = 30.0,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._webhooks = webhooks
        self._events = events
        self._guard = guard
        self._dispatcher = dispatcher
        self._retention = timedelta(days=retention_days)
        self._random_bytes = random_bytes
        self._now = now

    async def all(self) -> Sequence[Webhook]:
        """Return all webhooks, in the order of their ids."""
        return await self._webhooks.webhooks(after="", limit=MAX_WEBHOOKS)

    async def webhook(self, webhook_id: str) -> Webhook:
        """Return a webhook.

        Raises:
            WebhookNotFoundError: If there is none.
        """
        found = await self._webhooks.webhook(webhook_id)
        if found is None:
            raise WebhookNotFoundError(webhook_id=webhook_id)
        return found

    async def create(
        self, draft: WebhookDraft, *, actor: str, secret: str | None = None
    ) -> Webhook:
        """Make a webhook, with a secret of its own if none is given.

        Raises:
            WebhookAddressError: If nothing may be sent to its address.
            WebhookSecretError: If the secret cannot sign.
            EventFilterError: If it asks for what is no type.
            TooManyWebhooksError: If there are as many as there may be.
        """
        self._check(draft)
        if secret is not None:
            check_secret(secret)
        if len(await self.all()) >= MAX_WEBHOOKS:
            raise TooManyWebhooksError(maximum=MAX_WEBHOOKS)
        webhook = Webhook(
            id=str(uuid.uuid4()),
            **asdict(draft),
            secret=secret or new_secret(self._random_bytes),
            previous_secret=None,
            previous_secret_until=None,
            disabled_because=None,
            paused_until=None,
            created_at=self._now(),
            created_by=actor,
        )
        return await self._kept(webhook)

    async def update(self, webhook_id: str, draft: WebhookDraft) -> Webhook:
        """Change what a webhook asks for; a pause and its reason are over.

        Raises:
            WebhookNotFoundError: If there is none.
            WebhookAddressError: If nothing may be sent to its address.
            EventFilterError: If it asks for what is no type.
        """
        self._check(draft)
        found = await self.webhook(webhook_id)
        return await self._kept(
            replace(found, **asdict(draft), disabled_because=None, paused_until=None)
        )

    async def rotate_secret(self, webhook_id: str, *, secret: str | None = None) -> Webhook:
        """Sign with another secret from now on, and for a day with the present one too.

        Raises:
            WebhookNotFoundError: If there is none.
            WebhookSecretError: If the secret cannot sign.
        """
        if secret is not None:
            check_secret(secret)
        found = await self.webhook(webhook_id)
        return await self._kept(
            replace(
                found,
                secret=secret or new_secret(self._random_bytes),
                previous_secret=found.secret,
                previous_secret_until=self._now() + ROTATION,
            )
        )

    async def delete(self, webhook_id: str) -> None:
        """Forget a webhook and its deliveries.

        Raises:
            WebhookNotFoundError: If there is none.
        """
        async with self._store.begin() as transaction:
            if not await self._webhooks.delete_webhook(transaction, webhook_id):
                raise WebhookNotFoundError(webhook_id=webhook_id)

    async def test(self, webhook_id: str, *, actor: str) -> WebhookDelivery:
        """Send a message on trial, and return its delivery.

        Raises:
            WebhookNotFoundError: If there is none.
            WebhookDisabledError: If nothing is sent to it.
        """
        webhook = await self.webhook(webhook_id)
        if not webhook.is_enabled:
            raise WebhookDisabledError(webhook_id=webhook_id)
        (event,) = await self._events.record(NewEvent(WEBHOOK_TESTED, "Webhook", webhook_id, actor))
        found = await self._webhooks.deliveries(
            webhook_id, state=None, before=event.sequence + 1, limit=1
        )
        if not found or found[0].event.id != event.id:
            # Somebody deleted or disabled it in between.
            raise WebhookDisabledError(webhook_id=webhook_id)
        return found[0]

    async def redeliver(self, delivery_id: str) -> WebhookDelivery:
        """Send a message once more, with its id, whatever came of it before.

        Raises:
            WebhookDeliveryNotFoundError: If there is none.
        """
        async with self._store.begin() as transaction:
            found = await self._webhooks.redeliver(transaction, delivery_id, now=self._now())
        if found is None:
            raise WebhookDeliveryNotFoundError(delivery_id=delivery_id)
        return found

    async def keep_delivering(
        self, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Send what is due, and forget what was done long ago, without end.

        Several servers may do so at the same time: each delivery is one's at a time.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dispatcher.run(self._events.news, pause=pause))
            group.create_task(self._keep_in_bounds(pause))

    async def clean(self) -> int:
        """Forget deliveries that were done long ago, and return how many.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        deleted, before = 0, self._now() - self._retention
        while True:
            count = await self._webhooks.delete_completed(before=before, limit=DELETED_AT_ONCE)
            deleted += count
            if count < DELETED_AT_ONCE:
                return deleted

    async def _keep_in_bounds(self, pause: Callable[[float], Awaitable[None]]) -> None:
        while True:
            await pause(CLEAN_EVERY_SECONDS)
            try:
                await self.clean()
            except UnavailableError as error:
                log.warning("deliveries_not_cleaned", reason=str(error))
            except Exception:
                # The table would grow without end.
                log.exception("deliveries_not_cleaned")

    def _check(self, draft: WebhookDraft) -> None:
        self._guard.check(draft.url)
        check_filter(EventFilter(types=draft.types))

    async def _kept(self, webhook: Webhook) -> Webhook:
        async with self._store.begin() as transaction:
            await self._webhooks.put_webhook(transaction, webhook)
        return webhook
