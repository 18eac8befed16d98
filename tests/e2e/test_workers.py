"""Several server processes behind one port."""

import os
import re
import signal
from pathlib import Path

import httpx2
import psutil

from tests.e2e.server import starting_server

ROWS = [[13.2, 1.8, 2.4, 15.6, 127, 2.8, 3.1, 0.28, 2.3, 5.6, 1.04, 3.9, 1065]]
REQUESTS = 40


def test_workers_share_a_port_count_together_and_are_started_anew(tmp_path: Path) -> None:
    with starting_server(tmp_path, "--demo", "--workers", "2") as server:
        for _ in range(2):
            server.wait_for(r'"event":"ready"')
        supervisor = psutil.Process(server.process.pid)
        before = {child.pid for child in supervisor.children()}
        assert len(before) == 2

        _predict(server.url, REQUESTS)
        assert _answered(server.url) == REQUESTS

        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        server.wait_for(r'"event":"worker_died"')
        server.wait_for(r'"event":"ready"')
        after = {child.pid for child in supervisor.children()}
        assert len(after) == 2
        assert killed not in after

        # What the dead worker counted is not lost.
        _predict(server.url, REQUESTS)
        assert _answered(server.url) == 2 * REQUESTS
    assert server.process.returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in after)


def _predict(url: str, times: int) -> None:
    """Predict, each time over a connection of its own, so that all workers take part."""
    for _ in range(times):
        response = httpx2.post(f"{url}/predict/wine", json={"inputs": ROWS})
        assert response.status_code == 200


def _answered(url: str) -> int:
    text = httpx2.get(f"{url}/metrics").text
    name = r"gql_platform_prediction_duration_seconds_count\{model=\"wine\"\}"
    found = re.search(rf"^{name} ([0-9.]+)$", text, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))
