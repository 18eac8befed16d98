"""The table of deliveries is kept in bounds."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.events.records import Event
from gql_platform.testing import InMemoryDatabase, InMemoryWebhookStore
from gql_platform.webhooks.cleaning import CLEAN_EVERY_SECONDS, DELETED_AT_ONCE, Cleaner
from gql_platform.webhooks.records import DeliveryState, Webhook, WebhookDelivery

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
WEBHOOK = Webhook(
    "hook", "https://a.example/", "", (), None, None, "", None, None, True, None, None, NOON, "me"
)  # fmt: skip


class Scene:
    """A webhook with deliveries that were done one, two, three and four days ago."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        contents = self.database.contents
        contents.webhooks[WEBHOOK.id] = WEBHOOK
        event = Event(1, "e", "test.happened", "Test", "one", "tester", NOON, {})
        waiting = WebhookDelivery("0", WEBHOOK.id, event, DeliveryState.WAITING, 0, NOON)
        for days in range(5):
            done = NOON - timedelta(days=days) if days else None
            contents.deliveries[str(days)] = replace(waiting, id=str(days), completed_at=done)
        store = InMemoryWebhookStore(self.database)
        self.cleaner = Cleaner(store, retention_days=2.5, now=lambda: NOON)

    def left(self) -> list[str]:
        """Return the deliveries that there still are."""
        return sorted(self.database.contents.deliveries)


async def test_what_was_done_long_ago_is_forgotten() -> None:
    """In as many parts as it takes; what is not done stays."""
    scene = Scene()
    deliveries = scene.database.contents.deliveries
    for number in range(DELETED_AT_ONCE):
        deliveries[f"old {number}"] = replace(deliveries["4"], id=f"old {number}")
    assert await scene.cleaner.clean() == DELETED_AT_ONCE + 2
    assert scene.left() == ["0", "1", "2"]
    assert await scene.cleaner.clean() == 0


async def test_database_that_is_away_ends_nothing() -> None:
    """It is tried again a minute later."""
    scene, pauses = Scene(), []
    scene.database.is_away = True

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            scene.database.is_away = False
        if len(pauses) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await scene.cleaner.run(pause=pause)
    assert pauses == [CLEAN_EVERY_SECONDS] * 3
    assert scene.left() == ["0", "1", "2"]
