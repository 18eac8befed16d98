"""Forgetting deliveries that were done long ago."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from gql_platform.repetition import again_and_again
from gql_platform.webhooks.ports import WebhookStore

CLEAN_EVERY_SECONDS = 60.0
DELETED_AT_ONCE = 5_000


class Cleaner:
    """Keep the table of deliveries in bounds.

    Args:
        store: Where deliveries are.
        retention_days: How long they are kept when they are done.
        now: Tells the time.
    """

    def __init__(
        self,
        store: WebhookStore,
        *,
        retention_days: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._retention = timedelta(days=retention_days)
        self._now = now

    async def run(self, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Forget what was done long ago, again and again, without end."""
        await again_and_again(
            self.clean,
            every_seconds=CLEAN_EVERY_SECONDS,
            failure="deliveries_not_cleaned",
            pause=pause,
        )

    async def clean(self) -> int:
        """Forget what was done long ago, and return how many deliveries that were.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        deleted, before = 0, self._now() - self._retention
        while True:
            count = await self._store.delete_completed(before=before, limit=DELETED_AT_ONCE)
            deleted += count
            if count < DELETED_AT_ONCE:
                return deleted
