"""Webhooks are made, changed and looked after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.errors import (
    EventFilterError,
    TooManyWebhooksError,
    WebhookAddressError,
    WebhookDeliveryNotFoundError,
    WebhookDisabledError,
    WebhookNotFoundError,
    WebhookSecretError,
)
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.testing import (
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryNetwork,
    InMemoryWebhookStore,
)
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.dispatch import Dispatcher
from gql_platform.webhooks.records import DeliveryState, WebhookDraft
from gql_platform.webhooks.service import MAX_WEBHOOKS, ROTATION, Webhooks
from gql_platform.webhooks.signing import new_secret

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
DRAFT = WebhookDraft("https://receiver.example/in", "for a test", ("deployment.*",))


class Scene:
    """Webhooks in memory, at noon."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        self.store = InMemoryWebhookStore(self.database)
        self.events = Events(
            self.database,
            InMemoryEventLog(self.database),
            outbox=self.store,
            now=lambda: NOON,
        )
        self.network = InMemoryNetwork()
        guard = AddressGuard()
        self.webhooks = Webhooks(
            self.database,
            self.store,
            self.events,
            guard,
            Dispatcher(self.store, self.network, guard, timeout_seconds=1.0, now=lambda: NOON),
            random_bytes=bytes,
            now=lambda: NOON,
        )


class TestWebhooks:
    async def test_new_webhook_is_kept_with_a_secret(self) -> None:
        """It is what was asked for, and who made it when."""
        scene = Scene()
        made = await scene.webhooks.create(DRAFT, actor="me")
        assert await scene.webhooks.all() == [made]
        assert await scene.webhooks.webhook(made.id) == made
        assert (made.url, made.description, made.types) == (
            DRAFT.url,
            DRAFT.description,
            DRAFT.types,
        )
        assert (made.secret, made.created_by, made.created_at) == (new_secret(bytes), "me", NOON)

    @pytest.mark.parametrize(
        ("draft", "secret", "error"),
        [
            (replace(DRAFT, url="https://127.0.0.1/"), None, WebhookAddressError),
            (replace(DRAFT, url="http://receiver.example/"), None, WebhookAddressError),
            (replace(DRAFT, types=("No type",)), None, EventFilterError),
            (DRAFT, "whsec_short", WebhookSecretError),
        ],
    )
    async def test_what_cannot_be_is_refused(
        self, draft: WebhookDraft, secret: str | None, error: type[Exception]
    ) -> None:
        """Nothing is kept of it."""
        scene = Scene()
        with pytest.raises(error):
            await scene.webhooks.create(draft, actor="me", secret=secret)
        assert await scene.webhooks.all() == []

    async def test_number_of_webhooks_is_bounded(self) -> None:
        """One more than there may be is refused."""
        scene = Scene()
        for _ in range(MAX_WEBHOOKS):
            await scene.webhooks.create(DRAFT, actor="me")
        with pytest.raises(TooManyWebhooksError):
            await scene.webhooks.create(DRAFT, actor="me")
        assert len(await scene.webhooks.all()) == MAX_WEBHOOKS

    async def test_change_ends_a_pause(self) -> None:
        """Whoever mends a webhook has it tried at once, with the same secret."""
        scene = Scene()
        made = await scene.webhooks.create(DRAFT, actor="me")
        await scene.store.pause(made.id, until=NOON + timedelta(days=1))
        await scene.store.disable(made.id, because="gone")
        changed = await scene.webhooks.update(made.id, replace(DRAFT, types=()))
        assert changed == replace(made, types=())
        assert await scene.webhooks.webhook(made.id) == changed
        with pytest.raises(WebhookAddressError):
            await scene.webhooks.update(made.id, replace(DRAFT, url="https://10.0.0.1/"))
        assert await scene.webhooks.webhook(made.id) == changed

    async def test_both_secrets_sign_for_a_day(self) -> None:
        """Then the new one signs alone."""
        scene = Scene()
        made = await scene.webhooks.create(DRAFT, actor="me", secret=new_secret(lambda n: b"x" * n))
        rotated = await scene.webhooks.rotate_secret(made.id)
        assert rotated.secrets(NOON) == (new_secret(bytes), made.secret)
        assert rotated.secrets(NOON + ROTATION) == (new_secret(bytes),)

    async def test_deleted_webhook_is_not_found(self) -> None:
        """Neither to be read, nor to be changed, nor to be deleted again."""
        scene = Scene()
        made = await scene.webhooks.create(DRAFT, actor="me")
        await scene.webhooks.delete(made.id)
        for call in (
            scene.webhooks.webhook(made.id),
            scene.webhooks.update(made.id, DRAFT),
            scene.webhooks.rotate_secret(made.id),
            scene.webhooks.delete(made.id),
            scene.webhooks.test(made.id, actor="me"),
        ):
            with pytest.raises(WebhookNotFoundError):
                await call


class TestDeliveries:
    async def test_message_on_trial_is_on_its_way(self) -> None:
        """It goes to its webhook, whatever that asks for."""
        scene = Scene()
        made = await scene.webhooks.create(DRAFT, actor="me")
        delivery = await scene.webhooks.test(made.id, actor="me")
        assert (delivery.event.type, delivery.state) == ("webhook.tested", DeliveryState.WAITING)

    async def test_disabled_webhook_is_not_tested(self) -> None:
        """The caller is told to enable it."""
        scene = Scene()
        made = await scene.webhooks.create(replace(DRAFT, is_enabled=False), actor="me")
        with pytest.raises(WebhookDisabledError):
            await scene.webhooks.test(made.id, actor="me")
        assert await scene.events.newest() == 0

    async def test_delivery_is_due_once_more(self) -> None:
        """One that there is not cannot be."""
        scene = Scene()
        made = await scene.webhooks.create(DRAFT, actor="me")
        await scene.events.record(NewEvent("deployment.changed", "Deployment", "iris", "me"))
        (claimed,) = await scene.store.claim(
            made.id, lease="l", now=NOON, until=NOON + ROTATION, limit=1
        )
        again = await scene.webhooks.redeliver(claimed.id)
        assert (again.id, again.next_attempt_at, again.attempts) == (claimed.id, NOON, 0)
        with pytest.raises(WebhookDeliveryNotFoundError):
            await scene.webhooks.redeliver("none")
