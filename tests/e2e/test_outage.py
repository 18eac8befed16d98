"""A PostgreSQL that keeps everything goes away for a minute: predictions go on all the while."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.server import ServerProcess, running_server
from tests.postgresql import PostgreSQL

OUTAGE_SECONDS = 60
REFUSED_WITHIN_SECONDS = 2.0
BACK_WITHIN_SECONDS = 10.0
MODEL = "breast_cancer"

READ = '{ model(by: {name: "breast_cancer"}) { name } }'
EVENTS = "{ events(first: 100) { nodes { data } } }"
PROMOTE = """
    mutation ($alias: String!) {
      modelVersionPromote(input: {model: "breast_cancer", version: 1, alias: $alias}) {
        __typename
        ... on UserError { code }
      }
    }
"""


def label_of(answer: httpx2.Response) -> str:
    """Return what one row was predicted to be."""
    assert answer.status_code == 200, answer.text
    return str(answer.json()["predictions"][0]["label"])


@dataclass(frozen=True)
class Fleet:
    """A server, the PostgreSQL under it, and its data folder."""

    server: ServerProcess
    folder: Path
    postgresql: PostgreSQL

    def ask(self, query: str, **variables: str) -> dict[str, Any]:
        """Return the answer to a document, errors included."""
        body = {"query": query, "variables": variables}
        answer = httpx2.post(f"{self.server.url}/graphql", json=body, timeout=30)
        found: dict[str, Any] = answer.json()
        return found

    def promote(self, alias: str) -> str:
        """Point an alias, and return what came of it: a type's name or an error's code."""
        answer = self.ask(PROMOTE, alias=alias)
        if "errors" in answer:
            return str(answer["errors"][0]["extensions"]["code"])
        result = answer["data"]["modelVersionPromote"]
        return str(result.get("code") or result["__typename"])

    def reads(self) -> str:
        """Ask the registry for a model, and return its name or an error's code."""
        answer = self.ask(READ)
        if "errors" in answer:
            return str(answer["errors"][0]["extensions"]["code"])
        return str(answer["data"]["model"]["name"])


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A server whose registry and whose own tables lie in a PostgreSQL."""
    with PostgreSQL() as postgresql:
        environ = {
            "MLFLOW_TRACKING_URI": postgresql.new_database(),
            "GQL_PLATFORM_DATABASE_URL": postgresql.new_database(),
        }
        with running_server(tmp_path, "--demo", environ=environ) as server:
            yield Fleet(server, tmp_path, postgresql)


def timed(expected: str, seconds: float, call: Any) -> None:
    """Check what a call answers, and that it does in time."""
    began = time.monotonic()
    assert call() == expected
    assert time.monotonic() - began < seconds


def test_loaded_models_outlive_a_minute_without_their_registry(fleet: Fleet) -> None:
    assert list((fleet.folder / "artifacts").rglob("MLmodel")), "the demo's files lie elsewhere"
    pid = fleet.server.process.pid
    predict = f"{fleet.server.url}/predict/{MODEL}"
    columns = httpx2.get(f"{fleet.server.url}/v2/models/{MODEL}", timeout=30).json()["inputs"]
    rows = {"inputs": [[1.0] * len(columns)]}
    assert fleet.promote("before") == "DeploymentChange"

    with httpx2.Client(timeout=30) as caller:
        expected = label_of(caller.post(predict, json=rows))
        fleet.postgresql.stop(how="immediate")
        ends_at = time.monotonic() + OUTAGE_SECONDS
        timed("REGISTRY_UNAVAILABLE", REFUSED_WITHIN_SECONDS, fleet.reads)
        refused = fleet.promote("meanwhile")
        answered = 0
        while time.monotonic() < ends_at:
            assert label_of(caller.post(predict, json=rows)) == expected
            answered += 1
            if answered % 1000 == 0:
                timed(refused, REFUSED_WITHIN_SECONDS, lambda: fleet.promote("meanwhile"))
        assert refused in {"REGISTRY_UNAVAILABLE", "STORE_UNAVAILABLE"}
        assert httpx2.get(f"{fleet.server.url}/health/live", timeout=30).status_code == 200

        fleet.postgresql.start()
        back_by = time.monotonic() + BACK_WITHIN_SECONDS
        while (outcome := fleet.promote("after")) != "DeploymentChange":
            assert time.monotonic() < back_by, outcome
        assert fleet.reads() == MODEL
        assert label_of(caller.post(predict, json=rows)) == expected

    aliases = [each["data"]["alias"] for each in fleet.ask(EVENTS)["data"]["events"]["nodes"]]
    assert aliases == ["before", "after"]
    assert fleet.server.process.pid == pid
    assert fleet.server.process.poll() is None
