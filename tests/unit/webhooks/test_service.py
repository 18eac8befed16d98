"""Webhooks are made, changed and looked after."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from gql_platform.errors import (
    EventFilterError,
    IdempotencyKeyReusedError,
    InvalidCursorError,
    PageSizeError,
    TooManyWebhooksError,
    WebhookAddressError,
    WebhookDeliveryNotFoundError,
    WebhookDisabledError,
    WebhookNotFoundError,
    WebhookSecretError,
    WebhookTextError,
)
from gql_platform.events.records import Event, EventFilter, NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.testing import (
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryNetwork,
    InMemoryRequestKeys,
    InMemoryWebhookStore,
)
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.cleaning import Cleaner
from gql_platform.webhooks.dispatch import Dispatcher
from gql_platform.webhooks.records import (
    Answer,
    DeliveryState,
    Message,
    Webhook,
    WebhookDelivery,
    WebhookDraft,
    WebhookRevision,
)
from gql_platform.webhooks.service import MAX_WEBHOOKS, ROTATION, Webhooks
from gql_platform.webhooks.signing import new_secret

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
DRAFT = WebhookDraft("https://receiver.example/in?token=abc", "for a test", ("deployment.*",))
SECRET = new_secret(lambda count: b"x" * count)


class Scene:
    """Webhooks in memory, at noon."""

    def __init__(self, answer: Callable[[Message], Answer] = lambda _: Answer(204)) -> None:
        self.database = InMemoryDatabase()
        self.store = InMemoryWebhookStore(self.database)
        self.keys = InMemoryRequestKeys(self.database)
        self.events = Events(
            self.database,
            InMemoryEventLog(self.database),
            outbox=self.store,
            now=lambda: NOON,
        )
        self.network = InMemoryNetwork(answer)
        guard = AddressGuard()
        self.webhooks = Webhooks(
            self.store,
            self.events,
            Idempotency(self.database, self.keys, now=lambda: NOON),
            guard,
            partial(
                Dispatcher, self.store, self.network, guard, timeout_seconds=1.0, now=lambda: NOON
            ),
            Cleaner(self.store, retention_days=1.0, now=lambda: NOON),
            random_bytes=bytes,
            now=lambda: NOON,
        )

    async def made(self, draft: WebhookDraft = DRAFT) -> Webhook:
        """Return a webhook that somebody has made."""
        return (await self.webhooks.create(draft, by="me")).webhook

    async def kept(self, webhook: Webhook) -> Webhook:
        """Return a webhook as it is now."""
        return await self.webhooks.webhook(webhook.id)

    def written(self) -> list[Event]:
        """Return all events."""
        return self.database.contents.events

    async def deliveries(self, webhook: Webhook) -> Sequence[WebhookDelivery]:
        """Return all deliveries of a webhook, newest first."""
        return (await self.webhooks.deliveries(webhook.id, first=100)).items


def last(events: list[Event]) -> tuple[str, str, str, Any]:
    """Return what the newest event says."""
    event = events[-1]
    return event.type, event.subject_id, event.actor, event.data


class TestWebhooks:
    async def test_new_webhook_is_kept_with_a_secret(self) -> None:
        """It is what was asked for, and who made it when."""
        scene = Scene()
        answer = await scene.webhooks.create(DRAFT, by="me")
        made = answer.webhook
        assert await scene.webhooks.all() == [made]
        assert await scene.kept(made) == made
        assert (made.url, made.description, made.types) == (
            DRAFT.url,
            DRAFT.description,
            DRAFT.types,
        )
        assert (made.secret, made.created_by, made.created_at) == (new_secret(bytes), "me", NOON)
        assert answer.secret == made.secret

    @pytest.mark.parametrize(
        ("draft", "secret", "error"),
        [
            (replace(DRAFT, url="https://127.0.0.1/"), None, WebhookAddressError),
            (replace(DRAFT, url="http://receiver.example/"), None, WebhookAddressError),
            (replace(DRAFT, types=("No type",)), None, EventFilterError),
            (replace(DRAFT, description="x" * 1001), None, WebhookTextError),
            (replace(DRAFT, subject_kind="x" * 101), None, WebhookTextError),
            (replace(DRAFT, subject_id="\0"), None, WebhookTextError),
            (replace(DRAFT, subject_id="\ud800"), None, WebhookTextError),
            (DRAFT, "whsec_short", WebhookSecretError),
        ],
    )
    async def test_what_cannot_be_is_refused(
        self, draft: WebhookDraft, secret: str | None, error: type[Exception]
    ) -> None:
        """Nothing is kept of it."""
        scene = Scene()
        with pytest.raises(error):
            await scene.webhooks.create(draft, by="me", secret=secret)
        assert await scene.webhooks.all() == []
        assert scene.written() == []

    async def test_number_of_webhooks_is_bounded(self) -> None:
        """One more than there may be is refused, and leaves no event."""
        scene = Scene()
        for _ in range(MAX_WEBHOOKS):
            await scene.made()
        with pytest.raises(TooManyWebhooksError):
            await scene.made()
        assert len(await scene.webhooks.all()) == MAX_WEBHOOKS
        assert len(scene.written()) == MAX_WEBHOOKS

    async def test_both_secrets_sign_for_a_day(self) -> None:
        """Then the new one signs alone."""
        scene = Scene()
        made = (await scene.webhooks.create(DRAFT, by="me", secret=SECRET)).webhook
        answer = await scene.webhooks.rotate_secret(made.id, by="me")
        rotated = answer.webhook
        assert answer.secret == rotated.secret == new_secret(bytes)
        assert rotated.secrets(NOON) == (new_secret(bytes), SECRET)
        assert rotated.secrets(NOON + ROTATION) == (new_secret(bytes),)
        assert await scene.kept(made) == rotated

    async def test_deleted_webhook_is_not_found(self) -> None:
        """Neither to be read, nor to be changed, nor to be deleted again."""
        scene = Scene()
        made = await scene.made()
        await scene.webhooks.delete(made.id, by="me")
        assert await scene.webhooks.webhooks_by_id([made.id]) == {}
        for call in (
            scene.webhooks.webhook(made.id),
            scene.webhooks.update(made.id, WebhookRevision(), by="me"),
            scene.webhooks.rotate_secret(made.id, by="me"),
            scene.webhooks.delete(made.id, by="me"),
            scene.webhooks.test(made.id, by="me"),
        ):
            with pytest.raises(WebhookNotFoundError):
                await call

    async def test_secret_is_not_shown_by_accident(self) -> None:
        """A log line that has the record does not have what signs."""
        scene = Scene()
        made = (await scene.webhooks.create(DRAFT, by="me", secret=SECRET)).webhook
        rotated = (await scene.webhooks.rotate_secret(made.id, by="me")).webhook
        assert SECRET not in repr(rotated)
        assert rotated.secret not in repr(rotated)


class TestChanges:
    async def test_what_is_left_out_stays(self) -> None:
        """A change names only what is to be another."""
        scene = Scene()
        made = await scene.made(replace(DRAFT, subject_kind="Deployment", subject_id="iris"))
        changed = await scene.webhooks.update(
            made.id, WebhookRevision(description="another"), by="me"
        )
        assert changed == replace(made, description="another")
        changed = await scene.webhooks.update(
            made.id, WebhookRevision(url="https://b.example/", is_enabled=False), by="me"
        )
        assert changed == replace(
            made, description="another", url="https://b.example/", is_enabled=False
        )
        changed = await scene.webhooks.update(
            made.id, WebhookRevision(chosen=EventFilter()), by="me"
        )
        assert (changed.types, changed.subject_kind, changed.subject_id) == ((), None, None)
        assert await scene.kept(made) == changed

    async def test_change_ends_a_pause(self) -> None:
        """Whoever mends a webhook has it tried at once; whoever enables it drops the reason."""
        scene = Scene()
        made = await scene.made()
        await scene.store.pause(made.id, until=NOON + timedelta(days=1))
        await scene.webhooks.disable_gone(made.id)
        changed = await scene.webhooks.update(made.id, WebhookRevision(description="b"), by="me")
        assert (changed.paused_until, changed.is_enabled, changed.disabled_because) == (
            None,
            False,
            "the receiver answers that it is gone",
        )
        enabled = await scene.webhooks.update(made.id, WebhookRevision(is_enabled=True), by="me")
        assert enabled == replace(made, description="b")

    @pytest.mark.parametrize(
        ("revision", "error"),
        [
            (WebhookRevision(url="https://10.0.0.1/"), WebhookAddressError),
            (WebhookRevision(description="\0"), WebhookTextError),
            (WebhookRevision(chosen=EventFilter(subject_id="x" * 1001)), WebhookTextError),
            (WebhookRevision(chosen=EventFilter(("No type",))), EventFilterError),
        ],
    )
    async def test_change_to_what_cannot_be_is_refused(
        self, revision: WebhookRevision, error: type[Exception]
    ) -> None:
        """The webhook stays as it is."""
        scene = Scene()
        made = await scene.made()
        with pytest.raises(error):
            await scene.webhooks.update(made.id, revision, by="me")
        assert await scene.kept(made) == made

    async def test_change_sees_what_others_have_changed(self) -> None:
        """Changes at the same time are done one after the other, and none is lost."""
        scene = Scene()
        made = await scene.made()
        await asyncio.gather(
            scene.webhooks.update(made.id, WebhookRevision(description="b"), by="me"),
            scene.webhooks.update(made.id, WebhookRevision(is_enabled=False), by="me"),
            scene.webhooks.rotate_secret(made.id, by="me", secret=SECRET),
        )
        kept = await scene.kept(made)
        assert (kept.description, kept.is_enabled, kept.secret) == ("b", False, SECRET)

    async def test_changes_are_on_record(self) -> None:
        """Who did it, and what, but neither a secret nor the path of the address."""
        scene = Scene()
        made = await scene.made()
        host = {"host": "receiver.example"}
        details = {**host, "types": ["deployment.*"], "isEnabled": True}
        assert last(scene.written()) == ("webhook.created", made.id, "me", details)
        revision = WebhookRevision(description=DRAFT.description, is_enabled=False)
        await scene.webhooks.update(made.id, revision, by="you")
        details = {**host, "changed": ["isEnabled"]}
        assert last(scene.written()) == ("webhook.updated", made.id, "you", details)
        await scene.webhooks.rotate_secret(made.id, by="you", secret=SECRET)
        details = {**host, "changed": ["secret"]}
        assert last(scene.written()) == ("webhook.updated", made.id, "you", details)
        await scene.webhooks.delete(made.id, by="me")
        assert last(scene.written()) == ("webhook.deleted", made.id, "me", host)
        assert "token" not in str(scene.written())

    async def test_webhook_for_all_types_hears_of_webhooks(self) -> None:
        """Of itself too, but not of its own end; one that asks for other types does not."""
        scene = Scene()
        everything = await scene.made(replace(DRAFT, types=()))
        some = await scene.made()
        await scene.webhooks.delete(some.id, by="me")
        found = [each.event.type for each in await scene.deliveries(everything)]
        assert found == ["webhook.deleted", "webhook.created", "webhook.created"]
        await scene.webhooks.delete(everything.id, by="me")
        assert scene.database.contents.deliveries == {}


Call = Callable[[Webhooks, str, str], Awaitable[object]]


class TestRepetition:
    async def test_repeated_creation_makes_one_and_tells_no_secret(self) -> None:
        """The secret is not kept under the key."""
        scene = Scene()
        first = await scene.webhooks.create(DRAFT, by="me", key="k", secret=SECRET)
        again = await scene.webhooks.create(DRAFT, by="me", key="k", secret=SECRET)
        assert first.secret == SECRET
        assert (again.webhook, again.secret) == (first.webhook, None)
        assert await scene.webhooks.all() == [first.webhook]
        assert SECRET not in str(scene.database.contents.requests)
        with pytest.raises(IdempotencyKeyReusedError):
            await scene.webhooks.create(replace(DRAFT, types=()), by="me", key="k")

    async def test_repeated_rotation_keeps_the_secret_and_tells_none(self) -> None:
        """What was new stays so."""
        scene = Scene()
        made = await scene.made()
        first = await scene.webhooks.rotate_secret(made.id, by="me", key="k")
        again = await scene.webhooks.rotate_secret(made.id, by="me", key="k")
        assert (again.webhook, again.secret) == (first.webhook, None)
        assert str(first.secret) not in str(scene.database.contents.requests)

    @pytest.mark.parametrize(
        "call",
        [
            lambda hooks, it, key: hooks.update(it, WebhookRevision(), by="me", key=key),
            lambda hooks, it, key: hooks.test(it, by="me", key=key),
        ],
    )
    async def test_repeated_request_is_done_once(self, call: Call) -> None:
        """It answers the same, and no second event is written."""
        scene = Scene()
        made = await scene.made()
        first = await call(scene.webhooks, made.id, "k")
        count = len(scene.written())
        assert await call(scene.webhooks, made.id, "k") == first
        assert len(scene.written()) == count

    async def test_repeated_deletion_is_no_error(self) -> None:
        """Who did not hear the first answer gets it now."""
        scene = Scene()
        made = await scene.made()
        await scene.webhooks.delete(made.id, by="me", key="k")
        await scene.webhooks.delete(made.id, by="me", key="k")
        assert [each.type for each in scene.written()] == ["webhook.created", "webhook.deleted"]


class TestDeliveries:
    async def test_message_on_trial_is_on_its_way(self) -> None:
        """It goes to its webhook, whatever that asks for, and ends its pause."""
        scene = Scene()
        made = await scene.made()
        await scene.store.pause(made.id, until=NOON + timedelta(days=1))
        delivery = await scene.webhooks.test(made.id, by="me")
        assert (delivery.event.type, delivery.state) == ("webhook.tested", DeliveryState.WAITING)
        assert await scene.webhooks.delivery(delivery.id) == delivery
        assert await scene.kept(made) == made

    async def test_disabled_webhook_is_not_tested(self) -> None:
        """The caller is told to enable it."""
        scene = Scene()
        made = await scene.made(replace(DRAFT, is_enabled=False))
        with pytest.raises(WebhookDisabledError):
            await scene.webhooks.test(made.id, by="me")
        assert len(scene.written()) == 1

    async def test_delivery_is_due_once_more(self) -> None:
        """One that there is not cannot be, nor one of a webhook that is disabled."""
        scene = Scene()
        made = await scene.made()
        await scene.events.record(NewEvent("deployment.changed", "Deployment", "iris", "me"))
        (claimed,) = await scene.store.claim(
            made.id, lease="l", now=NOON, until=NOON + ROTATION, limit=1
        )
        await scene.store.pause(made.id, until=NOON + timedelta(days=1))
        again = await scene.webhooks.redeliver(claimed.id, by="me")
        assert (again.id, again.next_attempt_at, again.attempts) == (claimed.id, NOON, 0)
        assert await scene.kept(made) == made
        with pytest.raises(WebhookDeliveryNotFoundError):
            await scene.webhooks.redeliver("none", by="me")
        await scene.webhooks.update(made.id, WebhookRevision(is_enabled=False), by="me")
        with pytest.raises(WebhookDisabledError):
            await scene.webhooks.redeliver(claimed.id, by="me")

    async def test_deliveries_come_in_pages(self) -> None:
        """The newest event comes first, and a cursor leads on behind it."""
        scene = Scene()
        made = await scene.made()
        event = NewEvent("deployment.changed", "Deployment", "iris", "me")
        await scene.events.record(event, event, event)
        page = await scene.webhooks.deliveries(made.id, first=2)
        assert [each.event.sequence for each in page.items] == [4, 3]
        assert (page.has_next, page.total_count) == (True, None)
        rest = await scene.webhooks.deliveries(made.id, first=2, after=page.cursors[-1])
        assert [each.event.sequence for each in rest.items] == [2]
        assert not rest.has_next
        dead = await scene.webhooks.deliveries(made.id, first=2, state=DeliveryState.DEAD)
        assert dead.items == ()
        found = await scene.webhooks.deliveries_by_id([rest.items[0].id, "none"])
        assert found == {rest.items[0].id: rest.items[0]}
        with pytest.raises(PageSizeError):
            await scene.webhooks.deliveries(made.id, first=0)
        with pytest.raises(InvalidCursorError):
            await scene.webhooks.deliveries(made.id, first=1, after="?")


class TestWork:
    async def test_receiver_that_is_gone_disables_its_webhook(self) -> None:
        """An event tells of it, once, and where the messages went."""
        scene = Scene(lambda _: Answer(410))
        made = await scene.made(replace(DRAFT, types=()))
        working = asyncio.create_task(scene.webhooks.keep_delivering())
        async with aclosing(scene.events.follow(after=1)) as followed:
            told = [(await anext(followed)).event]
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await scene.webhooks.disable_gone(made.id)
        reason = "the receiver answers that it is gone"
        assert [(each.type, each.actor, each.data) for each in told] == [
            ("webhook.disabled", "me", {"host": "receiver.example", "because": reason})
        ]
        assert await scene.events.newest() == told[0].sequence
        assert await scene.kept(made) == replace(made, is_enabled=False, disabled_because=reason)

    async def test_events_are_sent_while_it_delivers(self) -> None:
        """Until it is broken off, which leaves nothing at work."""
        arrived = asyncio.Event()

        def take(_: Message) -> Answer:
            arrived.set()
            return Answer(204)

        scene = Scene(take)
        made = await scene.made(replace(DRAFT, types=()))
        working = asyncio.create_task(scene.webhooks.keep_delivering())
        await arrived.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert working.cancelled()
        assert len(scene.network.sent) == 1
        assert await scene.kept(made) == made
