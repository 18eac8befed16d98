"""Events reach a receiver that has bad moments, over the death of the server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.e2e.receiver import FAILING, Receiver, running_receiver
from tests.e2e.server import ServerProcess, graphql, running_server

SETTINGS = {
    "GQL_PLATFORM_WEBHOOK_NETWORKS": "127.0.0.0/8",
    "GQL_PLATFORM_WEBHOOK_TIMEOUT_SECONDS": "1",
}
BEFORE, MEANWHILE, AFTER = 20, 4, 4
PATIENCE_SECONDS = 60
"""Much more than it takes: an attempt that died is begun again after 12 seconds."""

PUBLISH = """
import sys
from pathlib import Path
from gql_platform.bootstrap import publish_demo_models
from gql_platform.demo.records import DemoModel
from gql_platform.settings import Settings
publish_demo_models(Settings(data_dir=Path(sys.argv[1])), [DemoModel.DIABETES])
"""
"""One of the demo's models is enough, and it is the quickest to train."""

CREATE = """
    mutation ($to: String!) {
      webhookCreate(input: {url: $to, filter: {types: ["deployment.changed"]}}) {
        ... on WebhookCredentials { secret webhook { id } }
      }
    }
"""
PROMOTE = """
    mutation ($alias: String!) {
      modelVersionPromote(input: {model: "diabetes", version: 1, alias: $alias}) { __typename }
    }
"""
DELIVERIES = """
    query ($webhook: ID!) {
      webhookDeliveries(webhook: $webhook, first: 100) {
        nodes { messageId state attempts event { data } }
      }
    }
"""


def promote(server: ServerProcess, count: int, *, first: int) -> None:
    """Point new aliases to the model's version, each of which is an event."""
    for number in range(first, first + count):
        answer = graphql(server.url, PROMOTE, alias=f"alias-{number}")
        assert answer["modelVersionPromote"]["__typename"] == "DeploymentChange"


def deliveries(server: ServerProcess, webhook: str) -> list[dict[str, Any]]:
    """Return what a webhook is sent, newest first."""
    found = graphql(server.url, DELIVERIES, webhook=webhook)["webhookDeliveries"]["nodes"]
    return list(found)


def under_way(server: ServerProcess, receiver: Receiver, webhook: str) -> set[str]:
    """Return the messages that more attempts were begun at than the receiver has answered."""
    return {
        each["messageId"]
        for each in deliveries(server, webhook)
        if each["attempts"] > receiver.answers_to(each["messageId"])
    }


def hold_some(server: ServerProcess, receiver: Receiver, webhook: str) -> None:
    """Wait until the receiver has all messages that are under way, and answers none."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not receiver.held or under_way(server, receiver, webhook) != receiver.held:
        assert time.monotonic() < until, (receiver.held, deliveries(server, webhook))


def test_every_event_arrives_although_the_receiver_fails_and_the_server_is_killed(
    tmp_path: Path,
) -> None:
    """What failed is sent again, and so is what was under way when the server died."""
    subprocess.run([sys.executable, "-c", PUBLISH, str(tmp_path)], check=True)
    with running_receiver() as receiver:
        with running_server(tmp_path, environ=SETTINGS) as server:
            made = graphql(server.url, CREATE, to=receiver.url)["webhookCreate"]
            receiver.secret, webhook = made["secret"], made["webhook"]["id"]
            promote(server, BEFORE, first=0)
            assert receiver.wait_until(
                lambda: len(set(receiver.requests)) == BEFORE, seconds=PATIENCE_SECONDS
            )
            receiver.hold()
            promote(server, MEANWHILE, first=BEFORE)
            hold_some(server, receiver, webhook)
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
        held, taken = set(receiver.held), dict(receiver.taken)
        assert held.isdisjoint(taken)
        receiver.release()
        with running_server(tmp_path, environ=SETTINGS) as server:
            promote(server, AFTER, first=BEFORE + MEANWHILE)
            total = BEFORE + MEANWHILE + AFTER
            assert receiver.wait_until(
                lambda: len(receiver.taken) == total, seconds=PATIENCE_SECONDS
            )
            check(receiver, held, deliveries(server, webhook), total=total)


def check(receiver: Receiver, held: set[str], found: list[dict[str, Any]], *, total: int) -> None:
    """Check that each event has arrived, and that nothing else has."""
    assert receiver.forged == []
    assert [each["event"]["data"]["alias"] for each in reversed(found)] == [
        f"alias-{number}" for number in range(total)
    ]
    aliases = {each["messageId"]: each["event"]["data"]["alias"] for each in found}
    arrived = {key: body["data"]["data"]["alias"] for key, body in receiver.taken.items()}
    assert arrived == aliases
    assert held
    assert len(receiver.refused) >= BEFORE * len(FAILING) // 10
    for each in (*held, *receiver.refused):
        assert receiver.requests.count(each) > 1
