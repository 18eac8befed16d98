"""Servers and workers over one PostgreSQL, each of which can be killed or replaced."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.server import ServerProcess, graphql, running_server, running_worker

MODEL = "diabetes"

COUNT = 2
"""How many servers and how many workers there are."""

RUNS, POINTS = 3_000, 90_000
"""So much that an export with all points takes some two seconds."""

RUN_ROWS = """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
    INSERT INTO runs (
      run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id, source_type,
      source_name, user_id, artifact_uri
    )
    SELECT
      printf('%032x', i), 'run ' || i, 'FINISHED', 1767225600000 + i, 1767225600000 + i, 'active',
      0, 'LOCAL', '', 'test', ''
    FROM n
"""
POINT_ROWS = """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
    INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
    SELECT 'loss', 1.0 / (1 + i), i, printf('%032x', i % ?), i / ?, 0 FROM n
"""
LAST_ROWS = """
    INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT key, value, timestamp, step, is_nan, run_uuid FROM metrics
    WHERE key = 'loss' AND step = ?
"""

EXPORT = """
    mutation ($histories: Boolean!) {
      registryExport(input: {metricHistories: $histories}) {
        __typename ... on JobChange { job { id } }
      }
    }
"""
JOB = """
    query ($id: ID!) {
      node(id: $id) {
        ... on Job { state worker error failures progress { numbers } }
      }
    }
"""


def publish(folder: Path) -> None:
    """Register the model that is trained quickest."""
    command = [sys.executable, "-m", "gql_platform", "demo", MODEL, "--data-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def fill(folder: Path) -> None:
    """Give the tracking store so many runs with a long metric, inside of the database."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
        connection.execute(RUN_ROWS, [RUNS])
        connection.execute(POINT_ROWS, [POINTS, RUNS, RUNS])
        connection.execute(LAST_ROWS, [POINTS // RUNS - 1])


@dataclass
class Fleet:
    """Servers that run no jobs, and workers that do.

    Attributes:
        folder: The data folder that they share.
        environ: Their settings.
        servers: Those that were started; any can be asked.
        workers: Those that were started, by the names that jobs call them.
    """

    folder: Path
    environ: dict[str, str]
    servers: list[ServerProcess] = field(default_factory=list)
    workers: dict[str, ServerProcess] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Stop all that still run."""
        self._stack.close()

    def add_server(self) -> ServerProcess:
        """Start a server, and return it once it is ready."""
        given = running_server(self.folder, environ=self.environ)
        self.servers.append(self._stack.enter_context(given))
        return self.servers[-1]

    def add_worker(self, *options: str) -> str:
        """Start a worker, and return its name once it takes jobs."""
        given = running_worker(self.folder, *options, environ=self.environ)
        worker = self._stack.enter_context(given)
        (ready,) = [each for each in worker.events() if each["event"] == "worker_ready"]
        name = str(ready["worker"])
        self.workers[name] = worker
        return name

    def complete(self) -> None:
        """Start as many servers and workers as are missing."""
        for _ in range(COUNT - len(self.servers)):
            self.add_server()
        for _ in range(COUNT - len(self.workers)):
            self.add_worker()

    def replace_workers(self, *options: str) -> None:
        """Stop the workers, which have nothing to do, and start as many others."""
        for each in self.workers.values():
            each.process.terminate()
            assert each.process.wait(timeout=30) == 0
        self.workers.clear()
        for _ in range(COUNT):
            self.add_worker(*options)

    @property
    def url(self) -> str:
        """Where the first server listens."""
        return self.servers[0].url

    def export(self, *, is_long: bool) -> str:
        """Ask the first server for an export, and return its global id."""
        answer = graphql(self.url, EXPORT, histories=is_long)["registryExport"]
        return str(answer["job"]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as the last server sees it."""
        found: dict[str, Any] = graphql(self.servers[-1].url, JOB, id=job_id)["node"]
        return found

    def until(
        self, job_id: str, is_true: Callable[[dict[str, Any]], bool], *, seconds: float
    ) -> dict[str, Any]:
        """Return a job as soon as something is true of it, which has to be in time."""
        ends_at = time.monotonic() + seconds
        while not is_true(job := self.job(job_id)):
            assert time.monotonic() < ends_at, job
            time.sleep(0.1)
        return job

    def worker_at(self, job_id: str) -> str:
        """Return who is at a job, once its work tells of progress."""
        begun = self.until(job_id, lambda job: bool(job["progress"]["numbers"]), seconds=30)
        assert begun["state"] == "RUNNING", begun
        return str(begun["worker"])
