"""Killing servers and workers at any moment, and looking what is left.

``python -m tests.e2e.crash --cycles 200`` does it on SQLite, and with ``--postgresql`` on a
PostgreSQL of its own. While people deploy, export and follow, the server is killed again and again;
in the end, everything that was acknowledged has to be there, once.
"""

import argparse
import base64
import contextlib
import random
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import psutil

from tests.e2e.receiver import Receiver, running_receiver
from tests.e2e.server import ServerProcess, starting_server
from tests.postgresql import PostgreSQL

MODEL = "diabetes"
ALIASES = ("first", "second", "third")
"""Whoever promotes has an alias of his own: the last one that was acknowledged must stand."""

SHORT_LIFE_SECONDS = 4.0
LONG_LIFE_SECONDS = 25.0
LONG_LIVES = 0.2
"""Most servers die young; only some live until a dead worker's jobs go on."""

SETTLING_SECONDS = 240.0
RETRIED = {"STORE_UNAVAILABLE", "REGISTRY_UNAVAILABLE", "SERVER_STOPPING", "IDEMPOTENCY_KEY_BUSY"}
"""What may be answered while others die; the same request is sent again."""

PROMOTE = """
    mutation ($version: Int!, $alias: String!, $key: String!) {
      answer: modelVersionPromote(input: {
        model: "diabetes", version: $version, alias: $alias, idempotencyKey: $key
      }) { __typename ... on UserError { code message } }
    }
"""
EXPORT = """
    mutation ($key: String!) {
      answer: registryExport(input: {idempotencyKey: $key}) {
        __typename ... on JobChange { job { id } } ... on UserError { code message }
      }
    }
"""
HOOK = """
    mutation ($url: String!, $key: String!) {
      answer: webhookCreate(input: {
        url: $url, filter: {types: ["deployment.*", "job.*"]}, idempotencyKey: $key
      }) { __typename ... on WebhookCredentials { secret } ... on UserError { code message } }
    }
"""
EVENTS = """
    query ($after: String) {
      events(first: 100, after: $after) {
        nodes { sequence type subject { key } } pageInfo { hasNextPage endCursor }
      }
    }
"""
JOBS = """
    query ($after: String) {
      jobs(first: 100, after: $after) {
        nodes { id state error files { name download { url } } }
        pageInfo { hasNextPage endCursor }
      }
    }
"""
ALIASED = '{ model(by: {name: "diabetes"}) { aliases { name version } } }'


def job_key(node_id: str) -> str:
    """Return the job's own id behind a global one."""
    padded = node_id + "=" * (-len(node_id) % 4)
    return base64.urlsafe_b64decode(padded).decode().partition(":")[2]


class LostError(Exception):
    """There was no answer: nobody knows whether it was done."""


@dataclass
class Front:
    """The server that is at work, whichever that is.

    Attributes:
        url: Where it listens; None while there is none.
    """

    url: str | None = None

    def asked(self, document: str, **variables: object) -> dict[str, Any]:
        """Return the data of an answer.

        Raises:
            LostError: If there is none, or it says that it may be asked again.
        """
        if self.url is None:
            raise LostError
        body = {"query": document, "variables": variables}
        try:
            answer = httpx2.post(f"{self.url}/graphql", json=body, timeout=60).json()
        except (httpx2.HTTPError, ValueError) as error:
            raise LostError from error
        codes = {each["extensions"]["code"] for each in answer.get("errors", ())}
        result = (answer.get("data") or {}).get("answer") or {}
        if codes & RETRIED or result.get("code") in RETRIED:
            raise LostError
        assert not codes, answer
        assert "code" not in result, answer
        found: dict[str, Any] = answer["data"]
        return found


@dataclass
class Workload:
    """People who change things, and remember what was acknowledged.

    Attributes:
        front: Whom they ask.
        choose: Decides how long they wait.
        promotions: How many promotions were acknowledged.
        aliases: The version that each alias was given last.
        jobs: The jobs that were acknowledged.
    """

    front: Front
    choose: random.Random
    promotions: int = 0
    aliases: dict[str, int] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them work in this block; each ends what was begun."""
        work: list[Callable[[], None]] = [partial(self._promote, alias) for alias in ALIASES]
        self._threads = [
            threading.Thread(target=each, daemon=True) for each in (*work, self._export)
        ]
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()

    def end(self) -> None:
        """Let everybody end what was begun."""
        self.ended.set()
        for thread in self._threads:
            thread.join(timeout=SETTLING_SECONDS)
            assert not thread.is_alive(), "a request is never answered"

    @property
    def told(self) -> str:
        """What was acknowledged, in a line."""
        return f"{self.promotions} promotions, {len(self.jobs)} jobs"

    def _promote(self, alias: str) -> None:
        version = 1
        while not self.ended.is_set():
            version = 3 - version
            self._until_answered(PROMOTE, version=version, alias=alias)
            with self._counting:
                self.promotions += 1
            self.aliases[alias] = version

    def _export(self) -> None:
        while not self.ended.is_set():
            answer = self._until_answered(EXPORT)
            self.jobs.append(answer["answer"]["job"]["id"])
            # Jobs are asked for more slowly than they are done, over all.
            self.ended.wait(self.choose.uniform(5, 30))

    def _until_answered(self, document: str, **variables: object) -> dict[str, Any]:
        """Send a request, with one key, until there is an answer."""
        key = str(uuid.uuid4())
        while True:
            try:
                return self.front.asked(document, key=key, **variables)
            except LostError:
                time.sleep(0.1)


@dataclass
class House:
    """A server that is killed and started again, with all that it keeps.

    Attributes:
        folder: Its data folder.
        environ: Its settings.
        front: How it is reached.
        choose: Decides when and how it dies.
    """

    folder: Path
    environ: dict[str, str]
    front: Front
    choose: random.Random

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let it run undisturbed in this block."""
        with starting_server(self.folder, environ=self.environ) as server:
            server.wait_for(r'"event":"ready"')
            self.front.url = server.url
            yield
            self.front.url = None

    def cycle(self) -> None:
        """Start it, and let it die at some moment in some way."""
        with starting_server(self.folder, environ=self.environ) as server:
            self.front.url = server.url
            time.sleep(self._life_seconds())
            kind = self.choose.choice(("server", "server", "workers", "all"))
            self._kill(server, kind)
            if kind == "workers":
                time.sleep(self._life_seconds())
                self._kill(server, "server")
            self.front.url = None
        self.check()

    def _life_seconds(self) -> float:
        is_long = self.choose.random() < LONG_LIVES
        return self.choose.uniform(0.0, LONG_LIFE_SECONDS if is_long else SHORT_LIFE_SECONDS)

    def _kill(self, server: ServerProcess, kind: str) -> None:
        process = psutil.Process(server.process.pid)
        victims = [] if kind == "server" else process.children(recursive=True)
        for victim in [*victims, *([] if kind == "workers" else [process])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()

    def check(self) -> None:
        """Look at the files, which only a worker that is about to end has open."""
        for name in ("platform.db", "mlflow.db"):
            if (self.folder / name).exists():
                with contextlib.closing(sqlite3.connect(self.folder / name)) as connection:
                    (found,) = connection.execute("PRAGMA integrity_check").fetchone()
                assert found == "ok", (name, found)


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        cycles: How often something was killed.
        promotions: How many promotions were acknowledged.
        jobs: How many jobs were.
        events: How many events there are.
        messages: How many messages the receiver took.
    """

    cycles: int
    promotions: int
    jobs: int
    events: int
    messages: int


def crash(folder: Path, *, cycles: int, seed: int = 0, database_url: str | None = None) -> Report:
    """Kill a server so many times, and check that nothing is lost, doubled or half done."""
    for _ in range(2):
        command = [sys.executable, "-m", "gql_platform", "demo", MODEL, "--data-dir", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    environ = {"GQL_PLATFORM_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    if database_url is not None:
        environ["GQL_PLATFORM_DATABASE_URL"] = database_url
    choose = random.Random(seed)  # noqa: S311 - it is no secret when a server dies
    house = House(folder, environ, Front(), choose)
    workload = Workload(house.front, choose)
    with running_receiver() as receiver:
        with house.running():
            made = house.front.asked(HOOK, url=receiver.url, key="hook")
            receiver.secret = made["answer"]["secret"]
        with workload.at_work():
            for number in range(cycles):
                house.cycle()
                sys.stderr.write(f"{number + 1}/{cycles}: {workload.told}\n")
            with house.running():
                workload.end()
                events = _settled(house.front, workload, receiver)
        house.check()
    return Report(cycles, workload.promotions, len(workload.jobs), events, len(receiver.taken))


def _settled(front: Front, workload: Workload, receiver: Receiver) -> int:
    """Check what is left, once all that was begun has ended, and return how many events."""
    jobs = _ended_jobs(front)
    assert set(workload.jobs) == {each["id"] for each in jobs}
    assert len(workload.jobs) == len(jobs), "a job that was asked for once is there twice"
    for job in jobs:
        assert job["state"] == "SUCCEEDED", job
        (file,) = job["files"]
        answer = httpx2.get(f"{front.url}{file['download']['url']}")
        assert answer.content[:2] == b"PK", answer
    (model,) = [front.asked(ALIASED)["model"]]
    aliases = {each["name"]: each["version"] for each in model["aliases"]}
    assert {name: aliases[name] for name in workload.aliases} == workload.aliases
    events = _all(front, EVENTS, "events")
    assert [each["sequence"] for each in events] == list(range(1, len(events) + 1))
    told = [each for each in events if each["type"] == "deployment.changed"]
    assert len(told) == workload.promotions
    for job in jobs:
        of_job = [each["type"] for each in events if each["subject"]["key"] == job_key(job["id"])]
        assert (of_job[0], of_job[-1]) == ("job.queued", "job.succeeded"), of_job
        assert of_job.count("job.queued") == of_job.count("job.succeeded") == 1
    sent = {each["sequence"] for each in events if not each["type"].startswith("webhook.")}

    def all_arrived() -> bool:
        return sent <= {each["data"]["sequence"] for each in receiver.taken.values()}

    assert receiver.wait_until(all_arrived, seconds=SETTLING_SECONDS)
    assert not receiver.forged
    return len(events)


def _ended_jobs(front: Front) -> list[dict[str, Any]]:
    ends_at = time.monotonic() + SETTLING_SECONDS
    while True:
        jobs = _all(front, JOBS, "jobs")
        open_jobs = [each for each in jobs if each["state"] in ("QUEUED", "RUNNING")]
        if not open_jobs:
            return jobs
        assert time.monotonic() < ends_at, open_jobs
        time.sleep(0.5)


def _all(front: Front, document: str, name: str) -> list[dict[str, Any]]:
    """Return all nodes of a connection."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = front.asked(document, after=after)[name]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def main() -> None:
    """Kill servers as often as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.crash", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        url = None
        if given.postgresql:
            url = stack.enter_context(PostgreSQL()).new_database()
        print(crash(Path(folder), cycles=given.cycles, seed=given.seed, database_url=url))


if __name__ == "__main__":
    main()
