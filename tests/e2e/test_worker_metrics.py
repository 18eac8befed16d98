"""A worker that runs by itself shows Prometheus what it does."""

from pathlib import Path

import httpx2

from tests.e2e.server import running_worker


def test_metrics_of_a_worker(tmp_path: Path) -> None:
    with running_worker(tmp_path, "--metrics-port", "0") as worker:
        (shown,) = [each for each in worker.events() if each["event"] == "metrics_shown"]
        answer = httpx2.get(f"http://127.0.0.1:{shown['port']}/metrics")
    assert answer.status_code == 200
    assert "# TYPE gql_platform_job_attempt_duration_seconds histogram" in answer.text
    assert "process_resident_memory_bytes" in answer.text
