"""People who predict and promote on whichever server answers, and notice every failure."""

import itertools
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.e2e.server import ServerProcess

PROMOTE = """
    mutation ($alias: String!, $key: String!) {
      modelVersionPromote(
        input: {model: "diabetes", version: 1, alias: $alias, idempotencyKey: $key}
      ) { __typename ... on UserError { code } }
    }
"""
BUSY = "IDEMPOTENCY_KEY_BUSY"
STOPPING = "SERVER_STOPPING"


@dataclass
class Load:
    """A balancer of the simplest kind, and those who send through it.

    A request goes to the next server that is listed; what has no answer goes to the one after it.

    Attributes:
        row: What is predicted for.
        listed: The servers that requests are sent to.
        stopping: The addresses of those that were told to stop.
        failures: What went wrong although the server was not told to stop.
        retried: How many requests had to be sent again.
        values: All that was predicted.
        acknowledged: The aliases whose promotion was acknowledged.
    """

    row: list[float]
    listed: list[ServerProcess]
    stopping: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    retried: int = 0
    values: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _turns: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let two people predict and two promote in this block; each ends what was begun."""
        work = (self._predict, self._predict, self._promote, self._promote)
        threads = [threading.Thread(target=each, daemon=True) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(timeout=30)
                assert not thread.is_alive(), "a request is never answered"

    def _predict(self) -> None:
        with httpx2.Client(timeout=30) as client:
            while not self._ended.is_set():
                answer = self._answered(client, "/predict/diabetes", {"inputs": [self.row]})
                self.values.append(answer["predictions"][0]["value"])

    def _promote(self) -> None:
        with httpx2.Client(timeout=30) as client:
            while not self._ended.is_set():
                key = uuid.uuid4().hex
                body = {"query": PROMOTE, "variables": {"alias": f"a{key}", "key": key}}
                result = self._answered(client, "/graphql", body)["data"]["modelVersionPromote"]
                assert result["__typename"] == "DeploymentChange"
                self.acknowledged.append(f"a{key}")
                self._ended.wait(0.02)

    def _answered(self, client: httpx2.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request until it is answered."""
        while True:
            url = self.listed[next(self._turns) % len(self.listed)].url
            problem, answer = _sent(client, url + path, body)
            if answer is not None:
                return answer
            # A server that was told to stop lets nobody in; one that was not has no excuse.
            if problem != BUSY and url not in self.stopping:
                self.failures.append(problem)
            self.retried += 1
            self._ended.wait(0.02)


def _sent(
    client: httpx2.Client, url: str, body: dict[str, Any]
) -> tuple[str, dict[str, Any] | None]:
    """Return what an answer holds, or what is wrong with it."""
    try:
        response = client.post(url, json=body)
    except httpx2.HTTPError as error:
        return repr(error), None
    answer: dict[str, Any] = response.json()
    if response.status_code != 200 or "errors" in answer:
        return response.text, None
    if BUSY in response.text:
        return BUSY, None
    return "", answer
