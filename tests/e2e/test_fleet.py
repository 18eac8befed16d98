"""A fleet on one PostgreSQL: jobs outlive their workers, and servers are replaced under load."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import psutil
import pytest

from tests.e2e.crash import job_key
from tests.e2e.fleet import Fleet, fill, publish
from tests.e2e.load import Load
from tests.e2e.server import graphql
from tests.postgresql import PostgreSQL

TAKEN_OVER_WITHIN_SECONDS = 30.0
HANDED_OVER_WITHIN_SECONDS = 20.0

PROMOTE = """
    mutation ($alias: String!) {
      modelVersionPromote(input: {model: "diabetes", version: 1, alias: $alias}) { __typename }
    }
"""
FOLLOW = """
    subscription ($after: Int64) {
      eventAppended(afterSequence: $after) {
        event { sequence type subject { key } data } lagged skippedCount
      }
    }
"""
EVENTS = """
    query ($job: String!) {
      events(first: 100, filter: {subjectKind: "Job", subjectKey: $job}) { nodes { type data } }
    }
"""
PAGE = """
    query ($after: String) {
      events(first: 100, after: $after) {
        nodes { sequence type data } pageInfo { hasNextPage endCursor }
      }
    }
"""
ALIASES = '{ model(by: {name: "diabetes"}) { aliases { name version } } }'


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet that is started, over a store that takes seconds to export."""
    folder = tmp_path_factory.mktemp("fleet")
    publish(folder)
    fill(folder)
    with PostgreSQL() as postgresql:
        environ = {
            "GQL_PLATFORM_DATABASE_URL": postgresql.new_database(),
            # For the servers; a worker takes one at least.
            "GQL_PLATFORM_JOBS_AT_ONCE": "0",
        }
        fleet = Fleet(folder, environ)
        try:
            fleet.complete()
            yield fleet
        finally:
            fleet.close()


@pytest.fixture
def fleet(started: Fleet) -> Fleet:
    """Two servers and two workers, whatever tests before did to them."""
    started.complete()
    return started


def followed(url: str, after: int, *, last: str) -> list[dict[str, Any]]:
    """Follow over server-sent events up to the first one that points an alias."""
    body = {"query": FOLLOW, "variables": {"after": after}}
    found: list[dict[str, Any]] = []
    with httpx2.stream(
        "POST",
        f"{url}/graphql",
        json=body,
        headers={"accept": "text/event-stream"},
        timeout=60,
    ) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                answer = json.loads(line.removeprefix("data: "))
                delivery = answer.get("payload", answer)["data"]["eventAppended"]
                assert (delivery["lagged"], delivery["skippedCount"]) == (False, 0)
                found.append(delivery["event"])
                if found[-1]["data"].get("alias") == last:
                    break
    return found


def events_behind(fleet: Fleet, sequence: int) -> list[dict[str, Any]]:
    """Return the events behind one, oldest first."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        answer = graphql(fleet.url, PAGE, after=page["endCursor"])["events"]
        found += answer["nodes"]
        page = answer["pageInfo"]
    return [each for each in found if each["sequence"] > sequence]


def newest(fleet: Fleet) -> int:
    """Return the sequence of the newest event; 0 when there is none."""
    return max((each["sequence"] for each in events_behind(fleet, 0)), default=0)


def story_of(fleet: Fleet, job_id: str) -> list[tuple[str, str | None]]:
    """Return what was written down of a job, oldest first: what, and by which worker."""
    nodes = graphql(fleet.url, EVENTS, job=job_key(job_id))["events"]["nodes"]
    return [(each["type"], each["data"].get("worker")) for each in nodes]


def test_one_server_tells_of_the_others_changes_and_of_jobs_in_order(fleet: Fleet) -> None:
    here, there, first = fleet.servers[1].url, fleet.url, newest(fleet)
    with ThreadPoolExecutor(1) as threads:
        following = threads.submit(followed, here, first, last="after")
        graphql(there, PROMOTE, alias="before")
        job = fleet.export(is_long=False)
        ended = fleet.until(job, lambda found: found["state"] == "SUCCEEDED", seconds=60)
        graphql(there, PROMOTE, alias="after")
        told = following.result(timeout=60)
    assert [each["sequence"] for each in told] == list(range(first + 1, first + 6))
    assert [(each["type"], each["data"].get("worker")) for each in told] == [
        ("deployment.changed", None),
        ("job.queued", None),
        ("job.started", ended["worker"]),
        ("job.succeeded", ended["worker"]),
        ("deployment.changed", None),
    ]
    assert {each["subject"]["key"] for each in told[1:4]} == {job_key(job)}
    assert ended["worker"] in fleet.workers
    assert followed(there, first, last="after") == told


@pytest.mark.parametrize("dies", ["alone", "with its processes"])
def test_a_killed_workers_job_ends_on_the_other(fleet: Fleet, dies: str) -> None:
    job = fleet.export(is_long=True)
    name = fleet.worker_at(job)
    killed = fleet.workers.pop(name)
    (other,) = fleet.workers
    process = psutil.Process(killed.process.pid)
    computing = process.children(recursive=True)
    assert computing
    for each in (process, *(computing if dies != "alone" else ())):
        each.kill()
    died_at = time.monotonic()
    # What computed for it ends by itself.
    _, alive = psutil.wait_procs(computing, timeout=5)
    assert alive == []
    left = TAKEN_OVER_WITHIN_SECONDS - (time.monotonic() - died_at)
    ended = fleet.until(job, lambda found: found["state"] == "SUCCEEDED", seconds=left)
    assert (ended["worker"], ended["failures"]) == (other, 0)
    assert story_of(fleet, job) == [
        ("job.queued", None),
        ("job.started", name),
        ("job.started", other),
        ("job.succeeded", other),
    ]


def test_a_stopped_worker_hands_its_job_over_when_its_patience_ends(fleet: Fleet) -> None:
    fleet.replace_workers("--patience-seconds", "0")
    job = fleet.export(is_long=True)
    name = fleet.worker_at(job)
    stopped = fleet.workers.pop(name).process
    (other,) = fleet.workers
    stopped.send_signal(signal.SIGTERM)
    ended = fleet.until(
        job, lambda found: found["state"] == "SUCCEEDED", seconds=HANDED_OVER_WITHIN_SECONDS
    )
    assert stopped.wait(timeout=1) == 0
    assert (ended["worker"], ended["failures"]) == (other, 0)
    assert story_of(fleet, job) == [
        ("job.queued", None),
        ("job.started", name),
        ("job.started", other),
        ("job.succeeded", other),
    ]


def test_a_stopped_worker_ends_its_job_first_if_that_is_soon(fleet: Fleet) -> None:
    fleet.replace_workers()
    job = fleet.export(is_long=True)
    name = fleet.worker_at(job)
    stopped = fleet.workers.pop(name).process
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(timeout=30) == 0
    assert story_of(fleet, job) == [
        ("job.queued", None),
        ("job.started", name),
        ("job.succeeded", name),
    ]


def test_servers_are_replaced_one_by_one_and_nobody_notices(fleet: Fleet) -> None:
    model = httpx2.get(f"{fleet.url}/v2/models/diabetes", timeout=30).json()
    load = Load([0.01] * len(model["inputs"]), list(fleet.servers))
    first = newest(fleet)
    with load.at_work():
        for old in tuple(fleet.servers):
            # Those who are there see the new one before the old one goes.
            new = fleet.add_server()
            load.listed.append(new)
            load.stopping.add(old.url)
            old.process.send_signal(signal.SIGTERM)
            assert old.process.wait(timeout=30) == 0
            load.listed.remove(old)
            fleet.servers.remove(old)
    assert load.failures == []
    assert len(load.values) > 100
    # A server that has just loaded its model computes with other roundings than later.
    assert load.values == pytest.approx([load.values[0]] * len(load.values), rel=1e-6)
    assert len(load.acknowledged) > 20
    told = [
        each["data"]["alias"]
        for each in events_behind(fleet, first)
        if each["type"] == "deployment.changed"
    ]
    assert sorted(told) == sorted(load.acknowledged)
    aliases = graphql(fleet.url, ALIASES)["model"]["aliases"]
    versions = {each["name"]: each["version"] for each in aliases}
    assert [versions[alias] for alias in load.acknowledged] == [1] * len(load.acknowledged)
