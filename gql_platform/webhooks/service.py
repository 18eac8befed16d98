"""The use cases of webhooks: make and change them, and look after what they are sent."""

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gql_platform.errors import (
    TooManyWebhooksError,
    WebhookDeliveryNotFoundError,
    WebhookDisabledError,
    WebhookNotFoundError,
)
from gql_platform.events.records import EventFilter, NewEvent
from gql_platform.events.service import Events, check_filter, sequence_of
from gql_platform.idempotency.records import Result
from gql_platform.idempotency.service import Idempotency, keyed
from gql_platform.paging import Page, page_of, page_size
from gql_platform.store import Transaction
from gql_platform.webhooks.address import AddressGuard, parsed
from gql_platform.webhooks.cleaning import Cleaner
from gql_platform.webhooks.dispatch import Dispatcher, OnGone
from gql_platform.webhooks.ports import WebhookStore
from gql_platform.webhooks.records import (
    WEBHOOK_CREATED,
    WEBHOOK_DELETED,
    WEBHOOK_DISABLED,
    WEBHOOK_TESTED,
    WEBHOOK_UPDATED,
    DeliveryState,
    Webhook,
    WebhookCredentials,
    WebhookDelivery,
    WebhookDraft,
    WebhookRevision,
    delivery_id_of,
)
from gql_platform.webhooks.revision import changed, check_texts, revised
from gql_platform.webhooks.signing import secret_of

SUBJECT = "Webhook"

GONE = "the receiver answers that it is gone"
"""Why the platform disables a webhook."""

MAX_WEBHOOKS = 100
"""All of them are looked at for each event."""

ROTATION = timedelta(hours=24)
"""How long the secret before signs too."""


class Webhooks:
    """Send events to those who ask for them.

    What changes a webhook is one transaction, with the event that says so and the key of the
    request.

    Args:
        webhooks: Where webhooks are.
        events: Where changes are written down, and messages on trial begin.
        idempotency: What does each request once.
        guard: Judges where messages may go.
        dispatcher: Makes what sends them, given what to do when a receiver is gone.
        cleaner: Forgets what was done long ago.
        random_bytes: Returns so many random bytes.
        now: Tells the time.
    """

    def __init__(
        self,
        webhooks: WebhookStore,
        events: Events,
        idempotency: Idempotency,
        guard: AddressGuard,
        dispatcher: Callable[[OnGone], Dispatcher],
        cleaner: Cleaner,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._webhooks = webhooks
        self._events = events
        self._idempotency = idempotency
        self._guard = guard
        self._dispatcher = dispatcher(self.disable_gone)
        self._cleaner = cleaner
        self._random_bytes = random_bytes
        self._now = now

    async def all(self) -> Sequence[Webhook]:
        """Return all webhooks, in the order of their ids."""
        return await self._webhooks.webhooks(after="", limit=MAX_WEBHOOKS)

    async def webhooks_by_id(self, ids: Sequence[str]) -> Mapping[str, Webhook]:
        """Return those of these webhooks that there are, by id."""
        return {each.id: each for each in await self.all() if each.id in ids}

    async def webhook(self, webhook_id: str) -> Webhook:
        """Return a webhook.

        Raises:
            WebhookNotFoundError: If there is none.
        """
        found = await self._webhooks.webhook(webhook_id)
        if found is None:
            raise WebhookNotFoundError(webhook_id=webhook_id)
        return found

    async def deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        first: int | None,
        after: str | None = None,
    ) -> Page[WebhookDelivery]:
        """Return a page of what a webhook was and will be sent, the newest event first.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor.
        """
        size = page_size(first)
        before = sequence_of(after) if after is not None else None
        found = await self._webhooks.deliveries(
            webhook_id, state=state, before=before, limit=size + 1
        )
        keys = [str(each.event.sequence) for each in found]
        return page_of(found, keys, first=size, after=after, total=None)

    async def deliveries_by_id(self, ids: Sequence[str]) -> Mapping[str, WebhookDelivery]:
        """Return those of these deliveries that there still are, by id."""
        return {each.id: each for each in await self._webhooks.deliveries_by_id(ids)}

    async def delivery(self, delivery_id: str) -> WebhookDelivery:
        """Return a delivery.

        Raises:
            WebhookDeliveryNotFoundError: If there is none, or no longer.
        """
        found = await self._webhooks.deliveries_by_id([delivery_id])
        if not found:
            raise WebhookDeliveryNotFoundError(delivery_id=delivery_id)
        return found[0]

    async def create(
        self, draft: WebhookDraft, *, by: str, secret: str | None = None, key: str | None = None
    ) -> WebhookCredentials:
        """Make a webhook, with a secret of its own if none is given.

        Args:
            draft: What is wanted.
            by: Who wants that.
            secret: The secret, if it is known already.
            key: The caller's own for the request; the secret is not kept under it.

        Raises:
            WebhookAddressError: If nothing may be sent to its address.
            WebhookSecretError: If the secret cannot sign.
            WebhookTextError: If a text cannot be kept.
            EventFilterError: If it asks for what is no type.
            TooManyWebhooksError: If there are as many as there may be.
            WebhookNotFoundError: If that of a repeated request was deleted since.
            IdempotencyKeyReusedError: If the key came with another request.
        """
        self._check(asdict(draft))
        made = Webhook(
            id=str(uuid.uuid4()),
            **asdict(draft),
            secret=secret_of(secret, self._random_bytes),
            previous_secret=None,
            previous_secret_until=None,
            disabled_because=None,
            paused_until=None,
            created_at=self._now(),
            created_by=by,
        )

        async def finish(transaction: Transaction) -> Result:
            await self._webhooks.put_webhook(transaction, made)
            details = {"types": list(made.types), "isEnabled": made.is_enabled}
            await self._note(transaction, WEBHOOK_CREATED, made, by=by, details=details)
            # Writing the event down makes others wait who do so too, so that all are counted.
            if await self._webhooks.count(transaction) > MAX_WEBHOOKS:
                raise TooManyWebhooksError(maximum=MAX_WEBHOOKS)
            return {"id": made.id}

        arguments = {**asdict(draft), "secret": secret}
        result = await self._once(finish, "create", arguments, by=by, key=key)
        if result["id"] == made.id:
            return WebhookCredentials(made, made.secret)
        return WebhookCredentials(await self.webhook(result["id"]), None)

    async def update(
        self, webhook_id: str, revision: WebhookRevision, *, by: str, key: str | None = None
    ) -> Webhook:
        """Change what a webhook asks for; a pause is over.

        Raises:
            WebhookNotFoundError: If there is none.
            WebhookAddressError: If nothing may be sent to its address.
            WebhookTextError: If a text cannot be kept.
            EventFilterError: If it asks for what is no type.
            IdempotencyKeyReusedError: If the key came with another request.
        """
        chosen = {} if revision.chosen is None else asdict(revision.chosen)
        self._check({"url": revision.url, "description": revision.description, **chosen})

        def change(found: Webhook) -> Webhook:
            return revised(found, revision)

        arguments = {"id": webhook_id, **asdict(revision)}
        done = await self._changed(webhook_id, change, "update", arguments, by=by, key=key)
        return done or await self.webhook(webhook_id)

    async def rotate_secret(
        self, webhook_id: str, *, by: str, secret: str | None = None, key: str | None = None
    ) -> WebhookCredentials:
        """Sign with another secret from now on, and for a day with the present one too.

        Raises:
            WebhookNotFoundError: If there is none.
            WebhookSecretError: If the secret cannot sign.
            IdempotencyKeyReusedError: If the key came with another request.
        """
        following = secret_of(secret, self._random_bytes)

        def change(found: Webhook) -> Webhook:
            return replace(
                found,
                secret=following,
                previous_secret=found.secret,
                previous_secret_until=self._now() + ROTATION,
            )

        arguments = {"id": webhook_id, "secret": secret}
        done = await self._changed(webhook_id, change, "rotate", arguments, by=by, key=key)
        if done is not None:
            return WebhookCredentials(done, following)
        return WebhookCredentials(await self.webhook(webhook_id), None)

    async def delete(self, webhook_id: str, *, by: str, key: str | None = None) -> None:
        """Forget a webhook and its deliveries.

        Raises:
            WebhookNotFoundError: If there is none.
            IdempotencyKeyReusedError: If the key came with another request.
        """

        async def finish(transaction: Transaction) -> Result:
            found = await self._locked(transaction, webhook_id)
            await self._webhooks.delete_webhook(transaction, webhook_id)
            await self._note(transaction, WEBHOOK_DELETED, found, by=by, details={})
            return {"id": webhook_id}

        await self._once(finish, "delete", {"id": webhook_id}, by=by, key=key)

    async def test(self, webhook_id: str, *, by: str, key: str | None = None) -> WebhookDelivery:
        """Send a message on trial, and return its delivery; a pause is over.

        Raises:
            WebhookNotFoundError: If there is none.
            WebhookDisabledError: If nothing is sent to it.
            WebhookDeliveryNotFoundError: If the delivery of a repeated request is forgotten.
            IdempotencyKeyReusedError: If the key came with another request.
        """

        async def finish(transaction: Transaction) -> Result:
            await self._wake(transaction, webhook_id)
            event = NewEvent(WEBHOOK_TESTED, SUBJECT, webhook_id, by)
            (written,) = await self._events.append(transaction, [event])
            return {"id": delivery_id_of(webhook_id, written.id)}

        result = await self._once(finish, "test", {"id": webhook_id}, by=by, key=key)
        return await self.delivery(result["id"])

    async def redeliver(
        self, delivery_id: str, *, by: str, key: str | None = None
    ) -> WebhookDelivery:
        """Send a message once more, with its id, whatever came of it before; a pause is over.

        Raises:
            WebhookDeliveryNotFoundError: If there is none.
            WebhookDisabledError: If nothing is sent to its webhook.
            IdempotencyKeyReusedError: If the key came with another request.
        """
        webhook_id = (await self.delivery(delivery_id)).webhook_id

        async def finish(transaction: Transaction) -> Result:
            # The webhook comes first, as where it is deleted: nobody waits for each other.
            await self._wake(transaction, webhook_id)
            now = self._now()
            if await self._webhooks.redeliver(transaction, delivery_id, now=now) is None:
                raise WebhookDeliveryNotFoundError(delivery_id=delivery_id)
            transaction.after_commit(self._events.news.tell)
            return {"id": delivery_id}

        await self._once(finish, "redeliver", {"id": delivery_id}, by=by, key=key)
        return await self.delivery(delivery_id)

    async def disable_gone(self, webhook_id: str) -> None:
        """Send a webhook nothing more, for its receiver answers that it wants nothing.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """

        async def finish(transaction: Transaction) -> Result:
            if await self._webhooks.disable(transaction, webhook_id, because=GONE):
                found, details = await self._locked(transaction, webhook_id), {"because": GONE}
                by = found.created_by
                await self._note(transaction, WEBHOOK_DISABLED, found, by=by, details=details)
            return {"id": webhook_id}

        await self._idempotency.once(None, finish)

    async def keep_delivering(self) -> None:
        """Send what is due, and forget what was done long ago, without end.

        Several servers may do so at the same time: each delivery is one's at a time.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dispatcher.run(self._events.news))
            group.create_task(self._cleaner.run())

    async def _changed(
        self,
        webhook_id: str,
        change: Callable[[Webhook], Webhook],
        operation: str,
        arguments: Mapping[str, Any],
        *,
        by: str,
        key: str | None,
    ) -> Webhook | None:
        """Return a webhook after a change; None when the request was done before."""
        done: list[Webhook] = []

        async def finish(transaction: Transaction) -> Result:
            found = await self._locked(transaction, webhook_id)
            after = change(found)
            await self._webhooks.put_webhook(transaction, after)
            details = {"changed": changed(found, after)}
            await self._note(transaction, WEBHOOK_UPDATED, after, by=by, details=details)
            done.append(after)
            return {"id": webhook_id}

        await self._once(finish, operation, arguments, by=by, key=key)
        return done[0] if done else None

    async def _once(
        self,
        finish: Callable[[Transaction], Awaitable[Result]],
        operation: str,
        arguments: Mapping[str, Any],
        *,
        by: str,
        key: str | None,
    ) -> Result:
        request = keyed(key, caller=by, operation=f"webhook.{operation}", arguments=arguments)
        return await self._idempotency.once(request, finish)

    async def _locked(self, transaction: Transaction, webhook_id: str) -> Webhook:
        found = await self._webhooks.locked(transaction, webhook_id)
        if found is None:
            raise WebhookNotFoundError(webhook_id=webhook_id)
        return found

    async def _wake(self, transaction: Transaction, webhook_id: str) -> None:
        """End the pause of a webhook, if it is enabled."""
        found = await self._locked(transaction, webhook_id)
        if not found.is_enabled:
            raise WebhookDisabledError(webhook_id=webhook_id)
        await self._webhooks.put_webhook(transaction, replace(found, paused_until=None))

    async def _note(
        self,
        transaction: Transaction,
        kind: str,
        webhook: Webhook,
        *,
        by: str,
        details: Mapping[str, Any],
    ) -> None:
        """Write down what happened to a webhook: neither its secret nor its path, which may be."""
        data = {"host": parsed(webhook.url).host, **details}
        await self._events.append(transaction, [NewEvent(kind, SUBJECT, webhook.id, by, data)])

    def _check(self, given: Mapping[str, Any]) -> None:
        """Let attributes of a webhook pass that can be kept; what is None is not looked at."""
        if given.get("url") is not None:
            self._guard.check(given["url"])
        check_texts(given)
        check_filter(EventFilter(types=given.get("types", ())))
