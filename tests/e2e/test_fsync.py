"""What is acknowledged is on the disk: strace sees that it is synced before it is answered."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.fleet import publish
from tests.e2e.server import ServerProcess, graphql, running_server

COMMAND = ("strace", "-f", "-ttt", "-y", "-e", "trace=fdatasync,fsync,sendto,write")
"""As docs/howto/keep-the-database.md has it."""

SYNC = re.compile(r"(?P<time>\d+\.\d+) f(?:data)?sync\(\d+<(?P<file>[^>]+)>")
ANSWER = re.compile(r'(?P<time>\d+\.\d+) (?:sendto|write)\(\d+<[^>]*>, "HTTP/1\.1 200')
ATTACHED_SECONDS = 30

READ = '{ model(by: {name: "diabetes"}) { name } }'
PROMOTE = """
    mutation {
      change: modelVersionPromote(
        input: {model: "diabetes", version: 1, alias: "synced", idempotencyKey: "promotion"}
      ) { __typename }
    }
"""
EXPORT = """
    mutation { change: registryExport(input: {idempotencyKey: "export"}) { __typename } }
"""
HOOK = """
    mutation {
      change: webhookCreate(input: {
        url: "https://example.com/", filter: {types: ["test.none"]}, idempotencyKey: "hook"
      }) { __typename }
    }
"""


@dataclass(frozen=True)
class Traced:
    """A server, and what it asks of the kernel.

    Attributes:
        server: The server.
        database: The file of its database.
        calls: What strace has written.
    """

    server: ServerProcess
    database: Path
    calls: Path

    def files_synced(self, document: str) -> list[str]:
        """Run a document, and return the files that were synced before it was answered."""
        began = time.time()
        graphql(self.server.url, document)
        lines = self._lines_until_answer(began)
        return [found["file"] for line in lines if (found := SYNC.search(line))]

    def _lines_until_answer(self, began: float) -> list[str]:
        """Return what was asked after a time and before the next answer was sent."""
        ends_at = time.monotonic() + ATTACHED_SECONDS
        while time.monotonic() < ends_at:
            found: list[str] = []
            for line in self.calls.read_text(errors="replace").splitlines():
                stamp = re.search(r"\d+\.\d+", line)
                if stamp is None or float(stamp[0]) < began:
                    continue
                if ANSWER.search(line):
                    return found
                found.append(line)
            time.sleep(0.1)
        raise AssertionError(self.calls.read_text(errors="replace")[-2000:])


@pytest.fixture(scope="module")
def strace() -> None:
    """Need the program."""
    if shutil.which(COMMAND[0]) is None:
        missing = "there is no strace on the PATH; install the system package strace"
        if "CI" in os.environ:
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="module")
def traced(strace: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A server whose database is in a SQLite file, which runs no jobs and is watched."""
    folder = tmp_path_factory.mktemp("synced")
    publish(folder)
    calls = folder / "calls"
    with running_server(folder, environ={"GQL_PLATFORM_JOBS_AT_ONCE": "0"}) as server:
        # What the first job does once is not to be seen: it makes the tables of the queue.
        graphql(server.url, EXPORT.replace('"export"', '"first"'))
        command = [*COMMAND, "-o", str(calls), "-p", str(server.process.pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert tracer.stderr is not None
        attached = tracer.stderr.readline()
        assert "attached" in attached, attached
        drain = threading.Thread(target=tracer.stderr.read, daemon=True)
        drain.start()
        yield Traced(server, folder / "platform.db", calls)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=30)
        drain.join()
        tracer.stderr.close()


@pytest.mark.parametrize("document", [PROMOTE, EXPORT, HOOK], ids=["change", "job", "webhook"])
def test_a_change_is_synced_before_it_is_acknowledged(traced: Traced, document: str) -> None:
    synced = traced.files_synced(document)
    of_database = {str(traced.database), f"{traced.database}-wal"}
    assert of_database & set(synced), synced


def test_a_read_waits_for_no_disk(traced: Traced) -> None:
    assert traced.files_synced(READ) == []
