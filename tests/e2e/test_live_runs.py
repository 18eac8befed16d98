"""A run is followed on a real server, while a client of MLflow beside it logs."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Queue
from typing import Any, Self

import httpx2
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

# MLflow's store sets off warnings while it is imported, which this keeps quiet.
import gql_platform.adapters.mlflow.embedded  # noqa: F401
from gql_platform.graphql.node import encode_id
from tests.e2e.server import running_server
from tests.postgresql import PostgreSQL

WITHIN_SECONDS = 2.0
PATIENCE_SECONDS = 30

RUN = """
    subscription ($id: ID!, $after: String) {
      runUpdated(id: $id, after: $after) {
        run { state } newMetrics { key steps exactValues restarted } cursor isFinal
      }
    }
"""
RUNS = "subscription { runsUpdated { changes { kind runId run { state } } } }"
REGISTRY = """
    subscription { registryChanged { changes { kind modelName alias versionNumber } } }
"""


@dataclass
class Follower:
    """Somebody who follows over server-sent events, in a thread.

    Attributes:
        url: The server.
        document: What is followed.
        variables: The values of its variables.
    """

    url: str
    document: str
    variables: dict[str, object] = field(default_factory=dict)
    _messages: Queue[dict[str, Any] | None] = field(default_factory=Queue)
    _leaves: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave with the next message, or with the server."""
        self._leaves.set()

    def next(self) -> dict[str, Any] | None:
        """Return the next message, or None when it was the last."""
        return self._messages.get(timeout=PATIENCE_SECONDS)

    def _follow(self) -> None:
        body = {"query": self.document, "variables": self.variables}
        headers = {"accept": "text/event-stream"}
        with (
            suppress(httpx2.RemoteProtocolError),
            httpx2.stream(
                "POST", f"{self.url}/graphql", json=body, headers=headers, timeout=120
            ) as response,
        ):
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    answer = json.loads(line.removeprefix("data: "))
                    data = answer.get("payload", answer)["data"]
                    self._messages.put(next(iter(data.values())))
                if self._leaves.is_set():
                    return
        self._messages.put(None)


@dataclass
class Chart:
    """What somebody knows of a run.

    Attributes:
        points: Steps and values of each metric, in the order in which they came.
        cursor: The last cursor.
    """

    points: dict[str, list[tuple[int, object]]] = field(default_factory=dict)
    cursor: str | None = None

    def take(self, message: dict[str, Any]) -> None:
        """Add what a message brings."""
        for each in message["newMetrics"]:
            assert not each["restarted"]
            found = zip(each["steps"], each["exactValues"], strict=True)
            self.points.setdefault(each["key"], []).extend(found)
        self.cursor = message["cursor"]


@dataclass(frozen=True)
class Place:
    """A server, and a client of MLflow on the store under it."""

    url: str
    client: MlflowClient


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """An empty registry in a file, or in a PostgreSQL."""
    folder = tmp_path_factory.mktemp("live")
    if request.param == "sqlite":
        with running_server(folder) as server:
            yield place_of(server.url, f"sqlite:///{folder / 'mlflow.db'}")
        return
    with PostgreSQL() as postgresql:
        uri = postgresql.new_database()
        environ = {"MLFLOW_TRACKING_URI": uri}
        with running_server(folder, environ=environ) as server:
            yield place_of(server.url, uri.replace("postgresql://", "postgresql+psycopg://"))


def place_of(url: str, uri: str) -> Place:
    """Return a server with a client of MLflow on its store."""
    return Place(url, MlflowClient(tracking_uri=uri, registry_uri=uri))


def test_every_point_comes_once_in_order_and_soon(place: Place) -> None:
    """Also after a reconnect, and also what is no number."""
    run_id = str(place.client.create_run("0").info.run_id)
    variables: dict[str, object] = {"id": encode_id("Run", run_id)}
    chart = Chart()

    def log(step: int, value: float) -> None:
        place.client.log_batch(
            run_id,
            metrics=[
                Metric("loss", value, int(time.time() * 1000), step),
                Metric("accuracy", step / 100, int(time.time() * 1000), step),
            ],
        )

    def wait_until_known(follower: Follower, step: int) -> float:
        began = time.monotonic()
        while chart.points.get("loss", [(-1, None)])[-1][0] < step:
            message = follower.next()
            assert message is not None
            chart.take(message)
        return time.monotonic() - began

    with Follower(place.url, RUN, variables) as follower:
        first = follower.next()
        assert first is not None
        chart.take(first)
        for step in range(10):
            log(step, 1 / (step + 1))
            assert wait_until_known(follower, step) < WITHIN_SECONDS
        for step in range(10, 20):
            log(step, 1 / (step + 1))
        wait_until_known(follower, 19)

    for step, value in enumerate([math.nan, math.inf, -math.inf], start=20):
        log(step, value)
    with Follower(place.url, RUN, {**variables, "after": chart.cursor}) as follower:
        wait_until_known(follower, 22)
        log(23, 0.5)
        assert wait_until_known(follower, 23) < WITHIN_SECONDS
        place.client.set_terminated(run_id)
        last: dict[str, Any] = {}
        while (message := follower.next()) is not None:
            chart.take(message)
            last = message
    assert (last["run"]["state"], last["isFinal"]) == ("FINISHED", True)
    assert chart.points["loss"] == [
        *((step, 1 / (step + 1)) for step in range(20)),
        (20, "NaN"),
        (21, "Infinity"),
        (22, "-Infinity"),
        (23, 0.5),
    ]
    assert chart.points["accuracy"] == [(step, step / 100) for step in range(24)]


def test_list_of_runs_and_registry_are_followed(place: Place) -> None:
    """What a client of MLflow changes is told within two seconds."""
    with Follower(place.url, RUNS) as runs, Follower(place.url, REGISTRY) as registry:
        assert runs.next() is not None
        assert registry.next() == {"changes": []}

        run_id = str(place.client.create_run("0").info.run_id)
        began = time.monotonic()
        made = runs.next()
        assert made is not None
        assert [(each["kind"], each["runId"]) for each in made["changes"]] == [("NEW", run_id)]
        assert time.monotonic() - began < WITHIN_SECONDS

        place.client.create_registered_model("wine")
        began = time.monotonic()
        assert registry.next() == {
            "changes": [
                {"kind": "MODEL_CREATED", "modelName": "wine", "alias": None, "versionNumber": None}
            ]
        }
        assert time.monotonic() - began < WITHIN_SECONDS
        place.client.set_terminated(run_id, "FAILED")
        ended = runs.next()
        assert ended is not None
        assert [each["run"]["state"] for each in ended["changes"]] == ["FAILED"]
        place.client.delete_registered_model("wine")
        gone = registry.next()
        assert gone is not None
        assert [each["kind"] for each in gone["changes"]] == ["MODEL_DELETED"]
