"""A real server process, for tests that need all of it."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import httpx2

from gql_platform.settings import Settings, environment_name

START_SECONDS = 120
"""A first start trains models; on a busy machine that takes a while."""


@dataclass
class ServerProcess:
    """A running `gql-platform serve`, or `gql-platform worker`.

    Attributes:
        url: Where it listens, such as ``http://127.0.0.1:41234``; nowhere if empty.
        process: The process.
        lines: What it has written to standard error so far.
    """

    process: subprocess.Popen[str]
    url: str = ""
    lines: list[str] = field(default_factory=list)
    _arriving: Queue[str | None] = field(default_factory=Queue)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the match of a pattern in a line that the server writes, now or soon.

        Raises:
            AssertionError: If the server ends, or does not write such a line in time.
        """
        while True:
            try:
                line = self._arriving.get(timeout=START_SECONDS)
            except Empty:
                line = None
            assert line is not None, f"no line matches {pattern!r}:\n" + "".join(self.lines)
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match

    def events(self) -> list[dict[str, Any]]:
        """Return the log lines that it has written, parsed."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def drain(self) -> None:
        """Take the lines that were written up to the end."""
        with suppress(Empty):
            while (line := self._arriving.get_nowait()) is not None:
                self.lines.append(line)

    def read(self) -> None:
        """Take lines as they come; runs in a thread of its own."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._arriving.put(line)
        self._arriving.put(None)


@contextmanager
def running_server(
    data_dir: Path, *options: str, environ: dict[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Start a server on a free port, wait until it is ready, and stop it in the end."""
    with starting_server(data_dir, *options, environ=environ) as server:
        server.wait_for(r'"event":"ready"')
        yield server


@contextmanager
def starting_server(
    data_dir: Path, *options: str, environ: dict[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Start a server on a free port, wait until it listens, and stop it in the end."""
    given = ["serve", "--port", "0", "--data-dir", str(data_dir), "--log-format", "json", *options]
    with _running(given, environ or {}) as server:
        server.url = server.wait_for(r"(http://\S+)/graphql")[1]
        yield server


@contextmanager
def running_worker(
    data_dir: Path, *options: str, environ: dict[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Start a worker, wait until it takes jobs, and stop it in the end; it listens nowhere."""
    given = ["worker", "--data-dir", str(data_dir), "--log-format", "json", *options]
    with _running(given, environ or {}) as worker:
        worker.wait_for(r'"event":"worker_ready"')
        yield worker


@contextmanager
def _running(given: Sequence[str], environ: dict[str, str]) -> Iterator[ServerProcess]:
    process = subprocess.Popen(
        [sys.executable, "-m", "gql_platform", *given],
        stderr=subprocess.PIPE,
        text=True,
        env={**without_settings(os.environ), "LOG_LEVEL": "info", **environ},
    )
    running = ServerProcess(process)
    reader = threading.Thread(target=running.read, daemon=True)
    reader.start()
    try:
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join(timeout=30)
        assert process.stderr is not None
        process.stderr.close()
        running.drain()


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which every setting has its default."""
    names = {environment_name(field) for field in Settings.model_fields}
    return {name: value for name, value in environ.items() if name.upper() not in names}


def graphql(url: str, query: str, **variables: object) -> dict[str, Any]:
    """Run a document and return its data; there must be no errors."""
    answer = httpx2.post(
        f"{url}/graphql", json={"query": query, "variables": variables}, timeout=60
    ).json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data
