"""Webhooks and their deliveries are kept alike on every database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from gql_platform.errors import (
    TooManyWebhooksError,
    WebhookDeliveryNotFoundError,
    WebhookNotFoundError,
)
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.testing import InMemoryNetwork
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.cleaning import Cleaner
from gql_platform.webhooks.dispatch import Dispatcher
from gql_platform.webhooks.records import (
    WEBHOOK_TESTED,
    DeliveryState,
    Webhook,
    WebhookDelivery,
    WebhookDraft,
    WebhookRevision,
    delivery_id_of,
)
from gql_platform.webhooks.service import MAX_WEBHOOKS, Webhooks
from tests.contract.databases import SHARED, Kept, replica_of

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

FIRST = Webhook(
    id="10000000-0000-4000-8000-000000000000",
    url="https://receiver.example/in",
    description="what a test gets",
    types=("test.*",),
    subject_kind=None,
    subject_id=None,
    secret="whsec_first",
    previous_secret="whsec_zeroth",
    previous_secret_until=NOON,
    is_enabled=True,
    disabled_because=None,
    paused_until=None,
    created_at=NOON,
    created_by="tester",
)
SECOND = replace(FIRST, id="20000000-0000-4000-8000-000000000000", previous_secret=None)


def happened(kind: str = "test.happened", subject: str = "one") -> NewEvent:
    """Return a fact to write down."""
    return NewEvent(kind, "Test", subject, "tester", {"number": 1, "text": "ü"})


async def keep(kept: Kept, *webhooks: Webhook) -> None:
    """Keep webhooks, each in a transaction of its own."""
    for webhook in webhooks:
        async with kept.store.begin() as transaction:
            await kept.webhooks.put_webhook(transaction, webhook)


def events_of(kept: Kept) -> Events:
    """Return events that are all written at noon, and sent on."""
    return Events(kept.store, kept.event_log, outbox=kept.webhooks, now=lambda: NOON)


async def fail_after_writing(kept: Kept) -> None:
    """Undo a transaction that has written an event."""
    async with kept.store.begin() as transaction:
        await events_of(kept).append(transaction, [happened()])
        raise ZeroDivisionError


async def delivered(
    kept: Kept, webhook: Webhook = FIRST, *, state: DeliveryState | None = None
) -> list[WebhookDelivery]:
    """Return the deliveries of a webhook, newest first."""
    return list(await kept.webhooks.deliveries(webhook.id, state=state, before=None, limit=100))


async def claim(
    kept: Kept, *, lease: str = "mine", now: datetime = NOON, limit: int = 10
) -> list[WebhookDelivery]:
    """Begin an attempt, which may take a minute."""
    return list(
        await kept.webhooks.claim(FIRST.id, lease=lease, now=now, until=now + MINUTE, limit=limit)
    )


class TestWebhooks:
    async def test_webhook_is_kept_as_it_is(self, kept: Kept) -> None:
        """Each attribute comes back, and a later one takes the place of the earlier."""
        await keep(kept, FIRST)
        assert await kept.webhooks.webhook(FIRST.id) == FIRST
        changed = replace(FIRST, types=(), is_enabled=False, disabled_because="gone")
        await keep(kept, changed)
        assert await kept.webhooks.webhook(FIRST.id) == changed

    async def test_webhooks_come_in_parts(self, kept: Kept) -> None:
        """They are in the order of their ids."""
        await keep(kept, SECOND, FIRST)
        assert await kept.webhooks.webhooks(after="", limit=1) == [FIRST]
        assert await kept.webhooks.webhooks(after=FIRST.id, limit=5) == [SECOND]

    async def test_deleted_webhook_is_gone_with_its_deliveries(self, kept: Kept) -> None:
        """A second deletion finds nothing."""
        await keep(kept, FIRST, SECOND)
        await events_of(kept).record(happened())
        for expected in (True, False):
            async with kept.store.begin() as transaction:
                assert await kept.webhooks.delete_webhook(transaction, FIRST.id) is expected
        assert await kept.webhooks.webhook(FIRST.id) is None
        assert await delivered(kept) == []
        assert len(await delivered(kept, SECOND)) == 1

    async def test_webhooks_are_counted(self, kept: Kept) -> None:
        """Those of a transaction that is not committed are counted in it."""
        await keep(kept, FIRST)
        async with kept.store.begin() as transaction:
            assert await kept.webhooks.count(transaction) == 1
            await kept.webhooks.put_webhook(transaction, SECOND)
            assert await kept.webhooks.count(transaction) == 2

    async def test_locked_webhook_is_read_and_changed_as_one(self, kept: Kept) -> None:
        """Changes that read first see those before them, so that none is lost."""
        await keep(kept, replace(FIRST, description=""))

        async def add(letter: str) -> None:
            async with kept.store.begin() as transaction:
                found = await kept.webhooks.locked(transaction, FIRST.id)
                assert found is not None
                longer = replace(found, description=found.description + letter)
                await kept.webhooks.put_webhook(transaction, longer)
                assert await kept.webhooks.locked(transaction, SECOND.id) is None

        await asyncio.gather(*map(add, "abcdefgh"))
        found = await kept.webhooks.webhook(FIRST.id)
        assert found is not None
        assert sorted(found.description) == list("abcdefgh")

    async def test_pause_and_end_change_nothing_else(self, kept: Kept) -> None:
        """What an endpoint brings upon itself does not undo what somebody changed."""
        await keep(kept, FIRST)
        await kept.webhooks.pause(FIRST.id, until=NOON)
        assert await disabled(kept, FIRST)
        assert not await disabled(kept, FIRST)
        await kept.webhooks.pause(SECOND.id, until=NOON)
        assert not await disabled(kept, SECOND)
        expected = replace(FIRST, paused_until=NOON, is_enabled=False, disabled_because="gone")
        assert await kept.webhooks.webhooks(after="", limit=10) == [expected]


class TestOutbox:
    async def test_event_is_noted_for_each_webhook_that_asks(self, kept: Kept) -> None:
        """A delivery holds the event as it was written down."""
        await keep(kept, FIRST, replace(SECOND, types=("other.*",)))
        written = await events_of(kept).record(happened(), happened("other.happened"))
        (delivery,) = await delivered(kept)
        assert delivery == WebhookDelivery(
            delivery.id, FIRST.id, written[0], DeliveryState.WAITING, 0, NOON
        )
        assert [each.event for each in await delivered(kept, SECOND)] == [written[1]]

    async def test_event_that_is_undone_is_not_sent(self, kept: Kept) -> None:
        """The event and its deliveries are there together or not at all."""
        await keep(kept, FIRST)
        with pytest.raises(ZeroDivisionError):
            await fail_after_writing(kept)
        assert await delivered(kept) == []

    async def test_disabled_webhook_gets_nothing(self, kept: Kept) -> None:
        """What happens while it is disabled is not sent later."""
        await keep(kept, replace(FIRST, is_enabled=False))
        await events_of(kept).record(happened())
        assert await delivered(kept) == []

    async def test_message_on_trial_goes_to_its_webhook_alone(self, kept: Kept) -> None:
        """It is sent whatever the webhook asks for."""
        await keep(kept, FIRST, SECOND)
        await events_of(kept).record(happened(WEBHOOK_TESTED, FIRST.id))
        assert len(await delivered(kept)) == 1
        assert await delivered(kept, SECOND) == []


class TestQueue:
    async def test_claimed_delivery_is_nobody_elses(self, kept: Kept) -> None:
        """While an attempt is at work, the delivery is not due."""
        await keep(kept, FIRST)
        await events_of(kept).record(happened())
        (claimed,) = await claim(kept)
        assert (claimed.attempts, claimed.lease) == (1, "mine")
        assert claimed.next_attempt_at == NOON + MINUTE
        assert await claim(kept, lease="theirs") == []
        assert await kept.webhooks.due(now=NOON, limit=10) == []

    async def test_lost_attempt_is_begun_again(self, kept: Kept) -> None:
        """When its time is over, the next one gets it, and the first one records nothing."""
        await keep(kept, FIRST)
        await events_of(kept).record(happened())
        (lost,) = await claim(kept)
        (again,) = await claim(kept, lease="theirs", now=NOON + MINUTE)
        assert (again.id, again.attempts) == (lost.id, 2)
        done = replace(lost, state=DeliveryState.DELIVERED, completed_at=NOON)
        assert await kept.webhooks.record([done], lease="mine") == 0
        assert await delivered(kept) == [again]

    async def test_outcome_is_kept(self, kept: Kept) -> None:
        """What arrived is not due any more, and says what the receiver answered."""
        await keep(kept, FIRST)
        await events_of(kept).record(happened())
        (claimed,) = await claim(kept)
        done = replace(
            claimed,
            state=DeliveryState.DELIVERED,
            completed_at=NOON,
            status_code=204,
            problem="none",
        )
        assert await kept.webhooks.record([done], lease="mine") == 1
        assert await kept.webhooks.record([done], lease="mine") == 0
        assert await delivered(kept) == [replace(done, lease=None)]
        assert await claim(kept, now=NOON + 2 * MINUTE) == []

    async def test_oldest_are_claimed_first(self, kept: Kept) -> None:
        """A part of what is due is the part that waits longest, in order."""
        await keep(kept, FIRST)
        await events_of(kept).record(*(happened() for _ in range(5)))
        assert [each.event.sequence for each in await claim(kept, limit=3)] == [1, 2, 3]
        assert [each.event.sequence for each in await claim(kept, limit=3)] == [4, 5]

    async def test_due_names_webhooks_that_may_be_sent_to(self, kept: Kept) -> None:
        """Neither one that was disabled meanwhile nor one that is paused."""
        await keep(kept, FIRST, SECOND)
        await events_of(kept).record(happened())
        assert await kept.webhooks.due(now=NOON, limit=10) == [FIRST.id, SECOND.id]
        assert await kept.webhooks.due(now=NOON, limit=1) == [FIRST.id]
        assert await kept.webhooks.due(now=NOON - MINUTE, limit=10) == []
        await keep(kept, replace(FIRST, is_enabled=False), replace(SECOND, paused_until=NOON))
        assert await kept.webhooks.due(now=NOON, limit=10) == [SECOND.id]
        await keep(kept, replace(SECOND, paused_until=NOON + MINUTE))
        assert await kept.webhooks.due(now=NOON, limit=10) == []

    async def test_redelivery_keeps_the_id(self, kept: Kept) -> None:
        """What was given up is due once more, and the receiver can tell that it is the same."""
        await keep(kept, FIRST)
        await events_of(kept).record(happened())
        (claimed,) = await claim(kept)
        dead = replace(claimed, state=DeliveryState.DEAD, completed_at=NOON, problem="no answer")
        await kept.webhooks.record([dead], lease="mine")
        assert len(await delivered(kept, state=DeliveryState.DEAD)) == 1
        async with kept.store.begin() as transaction:
            again = await kept.webhooks.redeliver(transaction, claimed.id, now=NOON)
            assert await kept.webhooks.redeliver(transaction, "none", now=NOON) is None
        assert again is not None
        assert (again.id, again.state, again.attempts) == (claimed.id, DeliveryState.WAITING, 0)
        assert await delivered(kept, state=DeliveryState.WAITING) == [again]
        assert await delivered(kept, state=DeliveryState.DEAD) == []

    async def test_deliveries_are_found_by_their_ids(self, kept: Kept) -> None:
        """Those that there are not are left out, and the id follows from webhook and event."""
        await keep(kept, FIRST)
        written = await events_of(kept).record(happened(), happened())
        newest, oldest = await delivered(kept)
        assert oldest.id == delivery_id_of(FIRST.id, written[0].id)
        assert await kept.webhooks.deliveries_by_id([oldest.id, "none"]) == [oldest]
        found = await kept.webhooks.deliveries_by_id([newest.id, oldest.id])
        assert sorted(each.event.sequence for each in found) == [1, 2]
        assert await kept.webhooks.deliveries_by_id([]) == []

    async def test_deliveries_come_in_parts(self, kept: Kept) -> None:
        """They are listed newest first, behind the last one that was read."""
        await keep(kept, FIRST)
        await events_of(kept).record(*(happened() for _ in range(3)))
        found = await kept.webhooks.deliveries(FIRST.id, state=None, before=3, limit=1)
        assert [each.event.sequence for each in found] == [2]

    async def test_old_and_orphaned_deliveries_are_forgotten(self, kept: Kept) -> None:
        """What is still on its way stays, however old it is."""
        await keep(kept, FIRST)
        await events_of(kept).record(happened(), happened())
        (claimed,) = await claim(kept, limit=1)
        done = replace(claimed, state=DeliveryState.DELIVERED, completed_at=NOON)
        await kept.webhooks.record([done], lease="mine")
        assert await kept.webhooks.delete_completed(before=NOON, limit=10) == 0
        assert await kept.webhooks.delete_completed(before=NOON + MINUTE, limit=10) == 1
        assert [each.event.sequence for each in await delivered(kept)] == [2]

    @pytest.mark.parametrize("kept", SHARED[1:], indirect=True)
    async def test_delivery_to_a_webhook_that_went_meanwhile_is_forgotten(self, kept: Kept) -> None:
        """Where several write at once, an event does not wait for whoever deletes a webhook."""
        await keep(kept, FIRST, SECOND)
        async with kept.store.begin() as transaction:
            await events_of(kept).append(transaction, [happened()])
            async with kept.store.begin() as other:
                assert await kept.webhooks.delete_webhook(other, FIRST.id)
        assert len(await delivered(kept)) == 1
        assert await kept.webhooks.due(now=NOON, limit=10) == [SECOND.id]
        assert await kept.webhooks.delete_completed(before=NOON, limit=10) == 1
        assert await delivered(kept) == []
        assert len(await delivered(kept, SECOND)) == 1

    @pytest.mark.parametrize("kept", SHARED, indirect=True)
    async def test_replicas_claim_each_delivery_once(self, kept: Kept) -> None:
        """Servers that claim at the same time share the work without doing any twice."""
        await keep(kept, FIRST)
        await events_of(kept).record(*(happened() for _ in range(60)))
        async with replica_of(kept) as other:
            found = await asyncio.gather(
                *(claim(each, limit=7) for _ in range(8) for each in (kept, other))
            )
        sequences = [each.event.sequence for part in found for each in part]
        assert sorted(sequences) == list(range(1, 61))


async def disabled(kept: Kept, webhook: Webhook) -> bool:
    """Disable a webhook, and return whether it was enabled."""
    async with kept.store.begin() as transaction:
        return await kept.webhooks.disable(transaction, webhook.id, because="gone")


def service_of(kept: Kept) -> Webhooks:
    """Return the service of one server, whose messages go nowhere."""
    guard = AddressGuard()
    return Webhooks(
        kept.webhooks,
        events_of(kept),
        Idempotency(kept.store, kept.request_keys),
        guard,
        partial(Dispatcher, kept.webhooks, InMemoryNetwork(), guard, timeout_seconds=1.0),
        Cleaner(kept.webhooks, retention_days=1.0),
    )


@pytest.mark.parametrize("kept", SHARED, indirect=True)
class TestService:
    async def test_bound_holds_for_those_who_come_at_once(self, kept: Kept) -> None:
        """Of two servers that make the last ones, no more succeed than there is place for."""
        ids = (f"{number:08d}-0000-4000-8000-000000000000" for number in range(MAX_WEBHOOKS - 3))
        await keep(kept, *(replace(FIRST, id=each) for each in ids))
        async with replica_of(kept) as other:
            made = await asyncio.gather(
                *(
                    service_of(each).create(WebhookDraft(FIRST.url), by="tester")
                    for _ in range(4)
                    for each in (kept, other)
                ),
                return_exceptions=True,
            )
        refused = [each for each in made if isinstance(each, Exception)]
        assert [type(each) for each in refused] == [TooManyWebhooksError] * 5
        assert len(await kept.webhooks.webhooks(after="", limit=200)) == MAX_WEBHOOKS

    async def test_changes_at_once_wait_for_each_other(self, kept: Kept) -> None:
        """Events, changes, trials and a deletion end, each in its turn."""
        service, expected = service_of(kept), (WebhookNotFoundError, WebhookDeliveryNotFoundError)
        made = (await service.create(WebhookDraft(FIRST.url), by="tester")).webhook
        delivery = await service.test(made.id, by="tester")
        async with replica_of(kept) as other:
            there = service_of(other)
            found = await asyncio.gather(
                *(
                    call
                    for number in range(5)
                    for call in (
                        events_of(other).record(happened()),
                        service.update(made.id, WebhookRevision(description="b"), by="tester"),
                        there.rotate_secret(made.id, by="tester"),
                        there.test(made.id, by="tester"),
                        service.redeliver(delivery.id, by="tester"),
                        *([there.delete(made.id, by="tester")] if number == 3 else []),
                    )
                ),
                return_exceptions=True,
            )
        wrong = [each for each in found if isinstance(each, BaseException)]
        assert [each for each in wrong if not isinstance(each, expected)] == []
        assert await service.all() == []
