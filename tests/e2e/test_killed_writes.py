"""A server that is killed while it writes to MLflow, and what is there when all is sent again."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.server import ServerProcess, graphql, running_server

REQUESTS = 40
ANSWERED = 15
"""After so many answers the server is killed, in the middle of the others."""

CREATE = """
    mutation ($key: String!) {
      runCreate(input: {experiment: {name: "Default"}, name: $key, idempotencyKey: $key}) {
        ... on RunChange { run { runId name } }
        ... on UserError { code message }
      }
    }
"""
LOG = """
    mutation ($input: RunLogInput!) {
      runLog(input: $input) {
        ... on RunLogged { metricCount paramCount }
        ... on UserError { code message }
      }
    }
"""
READ = """
    query ($run: String!) {
      runs(first: 100) { nodes { runId name } }
      run(by: {runId: $run}) {
        params { key value }
        metrics { key }
        tags { key }
        metricHistory(key: "loss") { steps }
      }
    }
"""
EVENTS = """
    query ($after: String) {
      events(first: 100, after: $after) {
        nodes { type } pageInfo { hasNextPage endCursor }
      }
    }
"""


def requests_for(run: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what is sent: runs to make, and metrics without a time, each with a key."""
    sent: list[tuple[str, dict[str, Any]]] = []
    for number in range(REQUESTS // 2):
        items = {
            "run": {"runId": run},
            "params": [{"key": f"p{number}", "value": "1"}],
            "metrics": [{"key": "loss", "value": number, "step": number}],
            "idempotencyKey": f"log-{number}",
        }
        sent += [(CREATE, {"key": f"run-{number}"}), (LOG, {"input": items})]
    return sent


def test_each_change_is_made_once(tmp_path: Path) -> None:
    """Runs, metrics and events are there once, whenever the server died, and nothing is left."""
    with running_server(tmp_path) as server:
        run = graphql(server.url, CREATE, key="first")["runCreate"]["run"]["runId"]
        sent = requests_for(run)
        answered = kill_after(server, sent)
    let_claims_lapse(tmp_path)
    with running_server(tmp_path) as server:
        answers = [graphql(server.url, document, **variables) for document, variables in sent]
        found = graphql(server.url, READ, run=run)
        kinds = Counter(events_of(server))

    assert ANSWERED <= answered < REQUESTS
    assert not [answer for answer in answers if "code" in str(answer)]
    creations = [answer["runCreate"]["run"] for answer in answers if "runCreate" in answer]
    names = [each["name"] for each in found["runs"]["nodes"]]
    assert sorted(names) == sorted(["first", *(each["name"] for each in creations)])
    ids = {each["runId"] for each in found["runs"]["nodes"]}
    assert ids == {run, *(each["runId"] for each in creations)}
    logged = found["run"]
    assert logged["metricHistory"]["steps"] == list(range(REQUESTS // 2))
    assert len(logged["params"]) == REQUESTS // 2
    left = [tag["key"] for tag in logged["tags"] if tag["key"].startswith("gql_platform.moment")]
    # What was written down just before the end could not be tidied up any more.
    assert len(left) <= ANSWERED
    assert kinds == {"run.created": 1 + REQUESTS // 2, "run.logged": REQUESTS // 2}


def kill_after(server: ServerProcess, sent: list[tuple[str, dict[str, Any]]]) -> int:
    """Send requests, four at once, kill the server in the middle, and count the answers."""
    answers, turn = 0, threading.Lock()

    def send(request: tuple[str, dict[str, Any]]) -> None:
        nonlocal answers
        document, variables = request
        try:
            body = {"query": document, "variables": variables}
            httpx2.post(f"{server.url}/graphql", json=body, timeout=60).raise_for_status()
        except httpx2.HTTPError:
            return
        with turn:
            answers += 1
            if answers == ANSWERED:
                server.process.kill()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send, sent))
    server.process.wait(timeout=30)
    return answers


def let_claims_lapse(folder: Path) -> None:
    """Let the half minute go by for which nobody takes over what was at work."""
    with closing(sqlite3.connect(folder / "platform.db")) as database, database:
        database.execute(
            "UPDATE platform_idempotency_keys SET claimed_until = '2026-01-01 00:00:00.000000'"
            " WHERE result IS NULL"
        )


def events_of(server: ServerProcess) -> Iterator[str]:
    """Return the types of all events."""
    after = None
    while True:
        page = graphql(server.url, EVENTS, after=after)["events"]
        yield from (each["type"] for each in page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]
