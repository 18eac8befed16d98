"""What is due is sent, again if it must be, and no endpoint harms another."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from random import Random

import pytest

from gql_platform.errors import ReceiverUnavailableError
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.testing import InMemoryDatabase, InMemoryEventLog, InMemoryWebhookStore
from gql_platform.webhooks.address import AddressGuard
from gql_platform.webhooks.dispatch import FAILURES_IN_A_ROW, FIRST_PAUSE, MARGIN, Dispatcher
from gql_platform.webhooks.ports import Network
from gql_platform.webhooks.records import Answer, DeliveryState, Message, Webhook, WebhookDelivery
from gql_platform.webhooks.schedule import WAITS
from gql_platform.webhooks.signing import new_secret, signature

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TIMEOUT_SECONDS = 2.0
LEASE = timedelta(seconds=4) + MARGIN

WEBHOOK = Webhook(
    id="first",
    url="https://receiver.example/in",
    description="",
    types=(),
    subject_kind=None,
    subject_id=None,
    secret=new_secret(bytes),
    previous_secret=None,
    previous_secret_until=None,
    is_enabled=True,
    disabled_because=None,
    paused_until=None,
    created_at=NOON,
    created_by="tester",
)


class StubNetwork(Network):
    """Receivers that answer what they are told to.

    Attributes:
        sent: All messages, in order.
        at_once: The most messages that were on their way at the same time.
        resolved: What each name leads to.
    """

    def __init__(self, answer: Callable[[Message], Answer]) -> None:
        self.sent: list[Message] = []
        self.at_once = 0
        self.resolved = ["93.184.215.14"]
        self._answer = answer
        self._on_their_way = 0

    async def addresses(self, host: str) -> Sequence[str]:
        del host
        return self.resolved

    async def send(self, message: Message) -> Answer:
        self._on_their_way += 1
        self.at_once = max(self.at_once, self._on_their_way)
        self.sent.append(message)
        await asyncio.sleep(0)
        self._on_their_way -= 1
        return self._answer(message)


class Attempts:
    """What became of attempts."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def attempt_finished(self, *, outcome: str, seconds: float) -> None:
        assert 0.0 <= seconds < 60.0
        self.outcomes.append(outcome)


class Scene:
    """Webhooks in memory, with a clock that is set by hand."""

    def __init__(self, answer: Callable[[Message], Answer] = lambda _: Answer(204)) -> None:
        self.now = NOON
        self.database = InMemoryDatabase()
        self.event_log = InMemoryEventLog(self.database)
        self.store = InMemoryWebhookStore(self.database)
        self.network = StubNetwork(answer)
        self.events = Events(
            self.database,
            self.event_log,
            outbox=self.store,
            now=lambda: self.now,
        )
        self.gone: list[str] = []
        self.attempts = Attempts()
        self.dispatcher = self.another()

    def another(self, *networks: str) -> Dispatcher:
        """Return what another server would send with."""
        guard = AddressGuard([ip_network(each) for each in networks])
        return Dispatcher(
            self.store,
            self.network,
            guard,
            self._note_gone,
            observer=self.attempts,
            timeout_seconds=TIMEOUT_SECONDS,
            jitter=lambda: 0.0,
            now=lambda: self.now,
        )

    async def _note_gone(self, webhook_id: str) -> None:
        self.gone.append(webhook_id)

    async def keep(self, webhook: Webhook = WEBHOOK) -> None:
        async with self.database.begin() as transaction:
            await self.store.put_webhook(transaction, webhook)

    async def happen(self, count: int = 1) -> None:
        event = NewEvent("test.happened", "Test", "one", "tester", {"text": "ü"})
        await self.events.record(*[event] * count)

    async def send(self) -> None:
        """Send all that is due now."""
        await self.dispatcher.begin()
        await self.dispatcher.end()

    async def deliveries(self, webhook: Webhook = WEBHOOK) -> Sequence[WebhookDelivery]:
        return await self.store.deliveries(webhook.id, state=None, before=None, limit=1000)


async def without_end(_: float) -> None:
    """Wait, and never go on."""
    await asyncio.Event().wait()


def unreachable(message: Message) -> Answer:
    """Fail as a receiver that is down."""
    raise ReceiverUnavailableError(host=message.target.host, problem="it is down")


class TestDelivery:
    async def test_message_is_sent_signed_to_the_judged_address(self) -> None:
        """The receiver can prove the body with the secret, and the delivery is done."""
        scene = Scene()
        await scene.keep()
        await scene.happen()
        await scene.send()
        (message,), (delivery,) = scene.network.sent, await scene.deliveries()
        assert message.addresses == ("93.184.215.14",)
        assert message.headers["webhook-id"] == delivery.id
        assert message.headers["webhook-signature"] == signature(
            delivery.id,
            message.headers["webhook-timestamp"],
            message.body,
            secret=WEBHOOK.secret,
        )
        assert json.loads(message.body) == {
            "type": "test.happened",
            "timestamp": "2026-01-31T12:00:00+00:00",
            "data": {
                "id": delivery.event.id,
                "sequence": 1,
                "subjectKind": "Test",
                "subjectId": "one",
                "actor": "tester",
                "data": {"text": "ü"},
            },
        }
        assert (delivery.state, delivery.status_code) == (DeliveryState.DELIVERED, 204)

    async def test_nothing_is_sent_inside(self) -> None:
        """A name that leads inside by now gets nothing, and the delivery says why."""
        scene = Scene()
        scene.network.resolved = ["10.0.0.1"]
        await scene.keep()
        await scene.happen()
        await scene.send()
        (delivery,) = await scene.deliveries()
        assert scene.network.sent == []
        assert delivery.problem == "its host is not a public one"
        scene.now += WAITS[0]
        scene.dispatcher = scene.another("10.0.0.0/8")
        await scene.send()
        assert len(scene.network.sent) == 1

    async def test_failing_message_is_given_up_after_ten_attempts(self) -> None:
        """Each attempt has the same id; the last one is 75 hours after the first."""
        scene = Scene(unreachable)
        await scene.keep()
        await scene.happen()
        while (found := (await scene.deliveries())[0]).state is DeliveryState.WAITING:
            scene.now = found.next_attempt_at
            await scene.send()
        assert (found.state, found.attempts) == (DeliveryState.DEAD, 10)
        assert found.completed_at == NOON + timedelta(hours=75)
        assert {each.headers["webhook-id"] for each in scene.network.sent} == {found.id}

    async def test_every_message_arrives_where_a_third_fails(self) -> None:
        """A receiver that fails now and then gets each message in the end."""
        chance = Random(5)  # noqa: S311 - nothing is kept secret by it
        scene = Scene(lambda _: Answer(500 if chance.random() < 0.3 else 200))
        await scene.keep()
        await scene.happen(200)
        for _ in range(60):
            await scene.send()
            scene.now += timedelta(hours=2)
        found = await scene.deliveries()
        assert {each.state for each in found} == {DeliveryState.DELIVERED}
        assert len({each.headers["webhook-id"] for each in scene.network.sent}) == 200
        assert len(scene.network.sent) > 200


class TestEndpoint:
    async def test_few_messages_are_on_their_way_at_once(self) -> None:
        """However much is due, an endpoint gets four at a time."""
        scene = Scene()
        await scene.keep()
        await scene.happen(30)
        await scene.send()
        assert (len(scene.network.sent), scene.network.at_once) == (30, 4)

    async def test_endpoint_that_is_gone_is_told_of(self) -> None:
        """Status 410 ends it; the message is given up at once."""
        scene = Scene(lambda _: Answer(410))
        await scene.keep()
        await scene.happen()
        await scene.send()
        (delivery,) = await scene.deliveries()
        assert scene.gone == ["first"]
        assert (delivery.state, scene.attempts.outcomes) == (DeliveryState.DEAD, ["dead"])

    async def test_attempts_are_counted(self) -> None:
        """Whoever counts them learns what became of each."""
        scene = Scene(lambda _: Answer(204 if scene.attempts.outcomes else 500))
        await scene.keep()
        await scene.happen()
        await scene.send()
        scene.now += timedelta(hours=1)
        await scene.send()
        assert scene.attempts.outcomes == ["failed", "delivered"]

    async def test_failing_endpoint_is_left_alone_and_then_tried_with_one(self) -> None:
        """After failures in a row it rests; one success makes it like the others."""
        is_down = [True]
        scene = Scene(lambda message: unreachable(message) if is_down[0] else Answer(200))
        await scene.keep()
        await scene.happen(40)
        await scene.send()
        first = len(scene.network.sent)
        assert FAILURES_IN_A_ROW <= first < 40
        await scene.send()
        assert len(scene.network.sent) == first
        scene.now += 4 * FIRST_PAUSE
        await scene.send()
        assert len(scene.network.sent) == first + 1
        is_down[0] = False
        for _ in range(10):
            scene.now += timedelta(hours=1)
            await scene.send()
        assert {each.state for each in await scene.deliveries()} == {DeliveryState.DELIVERED}

    async def test_failing_endpoint_keeps_up_no_other(self) -> None:
        """While one fails, the other gets everything."""
        scene = Scene(
            lambda message: unreachable(message) if message.target.host == "bad" else Answer(200)
        )
        other = replace(WEBHOOK, id="second", url="https://bad/")
        await scene.keep()
        await scene.keep(other)
        await scene.happen(20)
        await scene.send()
        assert {each.state for each in await scene.deliveries()} == {DeliveryState.DELIVERED}
        assert {each.state for each in await scene.deliveries(other)} == {DeliveryState.WAITING}


class TestRun:
    async def test_news_of_events_sends_them(self) -> None:
        """Nobody waits for the next look: the commit of an event wakes the dispatcher."""
        arrived = asyncio.Event()

        def answer(_: Message) -> Answer:
            arrived.set()
            return Answer(200)

        scene = Scene(answer)
        await scene.keep()
        running = asyncio.create_task(scene.dispatcher.run(scene.event_log.news, pause=without_end))
        await scene.happen()
        async with asyncio.timeout(20):
            await arrived.wait()
            await scene.dispatcher.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert (await scene.deliveries())[0].state is DeliveryState.DELIVERED

    async def test_broken_off_work_is_done_by_another(self) -> None:
        """What a server claimed that stopped is sent by the next one when the lease is over."""
        scene = Scene()
        await scene.keep()
        await scene.happen()
        await scene.dispatcher.begin()
        await scene.dispatcher.stop()
        assert scene.network.sent == []
        claimed = await scene.store.claim(
            "first", lease="lost", now=NOON, until=NOON + LEASE, limit=1
        )
        assert len(claimed) == 1
        scene.dispatcher = scene.another()
        await scene.send()
        assert scene.network.sent == []
        scene.now += LEASE
        await scene.send()
        (delivery,) = await scene.deliveries()
        assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)

    async def test_database_that_is_away_ends_nothing(self) -> None:
        """The dispatcher looks again, and sends when the database is back."""
        scene, looks = Scene(), 0
        await scene.keep()
        await scene.happen()
        scene.database.is_away = True
        arrived = asyncio.Event()

        async def pause(_: float) -> None:
            nonlocal looks
            looks += 1
            scene.database.is_away = looks < 3
            if looks > 3:
                arrived.set()
                await asyncio.Event().wait()

        running = asyncio.create_task(scene.dispatcher.run(scene.event_log.news, pause=pause))
        async with asyncio.timeout(20):
            await arrived.wait()
            await scene.dispatcher.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(scene.network.sent) == 1
