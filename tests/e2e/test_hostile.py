"""Hostile documents and bodies, against the real process."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from tests.e2e.server import ServerProcess, running_server
from tests.graphql.execution.limits.hostile import hostile_documents

MEGABYTE = 1024 * 1024
BODY_BYTES = 150 * MEGABYTE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own, whose memory nobody else changes."""
    with running_server(tmp_path_factory.mktemp("data")) as running:
        # What the first requests make is no growth.
        for _ in range(50):
            httpx2.post(f"{running.url}/graphql", json={"query": "{ server { state } }"})
        yield running


def resident_bytes(server: ServerProcess) -> int:
    """Return how much memory the server has."""
    return int(psutil.Process(server.process.pid).memory_info().rss)


def cpu_seconds(server: ServerProcess) -> float:
    """Return how much CPU time the server has used."""
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def test_a_thousand_hostile_documents_are_refused_at_little_cost(server: ServerProcess) -> None:
    hostile = list(hostile_documents())
    before, cpu = resident_bytes(server), cpu_seconds(server)
    benign: list[float] = []
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        for number, sent in enumerate(hostile):
            body = {"query": sent.text, "variables": sent.variables}
            response = client.post("/graphql", json=body)
            assert response.status_code in (200, 400, 413), sent.family
            assert "errors" in response.json() or response.status_code == 413, sent.family
            assert "data" not in response.json(), sent.family
            if number % 10 == 0:
                began = time.perf_counter()
                answer = client.post("/graphql", json={"query": "{ server { state } }"})
                benign.append(time.perf_counter() - began)
                assert answer.json()["data"] == {"server": {"state": "HEALTHY"}}

    assert len(hostile) >= 1000
    assert resident_bytes(server) - before <= 32 * MEGABYTE
    # A hundredth of them may take up to 100 ms each; on average it is far less.
    assert (cpu_seconds(server) - cpu) / len(hostile) < 0.05
    assert sorted(benign)[len(benign) // 2] < 0.1


def test_a_body_of_150_megabytes_is_refused_as_it_comes(server: ServerProcess) -> None:
    before = resident_bytes(server)
    address = urlsplit(server.url)
    assert address.hostname is not None
    head = (
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n%b\r\n" % (MEGABYTE, b" " * MEGABYTE)
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as sent:
        sent.sendall(head.encode())
        try:
            for _ in range(BODY_BYTES // MEGABYTE):
                sent.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            # The server has answered and closed the connection meanwhile.
            pass
        answer = _read(sent)

    # Where the connection was reset, the answer may be lost with it.
    assert answer == "" or re.match(r"HTTP/1.1 413 ", answer)
    assert resident_bytes(server) - before <= 16 * MEGABYTE
    assert httpx2.get(f"{server.url}/health").status_code == 200


def _read(connection: socket.socket) -> str:
    try:
        return connection.recv(4096).decode("latin-1")
    except ConnectionResetError:
        return ""


def test_the_refusal_of_a_large_body_is_read_by_whoever_waits(
    server: ServerProcess, tmp_path: Path
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b" " * (2 * MEGABYTE))

    with body.open("rb") as content:
        response = httpx2.post(f"{server.url}/graphql", content=content)

    assert (response.status_code, response.json()["code"]) == (413, "BODY_TOO_LARGE")
