"""Files of runs, fetched from a real server."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx2
import psutil
import pytest
from mlflow import MlflowClient

from gql_platform.adapters.mlflow import embedded
from tests.e2e.server import ServerProcess, graphql, running_server

MEGABYTE = 1024 * 1024
LARGE_BYTES = 5 * 1024 * MEGABYTE
TAIL = b"the end"

LINK = """
    query ($run: String!, $path: String!) {
      run(by: {runId: $run}) { artifact(path: $path) { sizeBytes download { url } } }
    }
"""
KEY = {"API_SECRET_KEY": "0123456789abcdef"}
WITH_KEY = {"Authorization": f"Bearer {KEY['API_SECRET_KEY']}"}


@dataclass
class Served:
    """A server with a run that logged a large file.

    Attributes:
        server: The server.
        data_dir: Its folder.
        run_id: The run.
    """

    server: ServerProcess
    data_dir: Path
    run_id: str

    def link(self, path: str) -> str:
        """Return the address of a download."""
        found = graphql(self.server.url, LINK, run=self.run_id, path=path)["run"]["artifact"]
        return f"{self.server.url}{found['download']['url']}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, whose memory nobody else changes."""
    data_dir = tmp_path_factory.mktemp("data")
    with running_server(data_dir) as server:
        yield Served(server, data_dir, run_with_large_file(data_dir))


def run_with_large_file(data_dir: Path) -> str:
    """Log a file that is large and has few bytes on disk, and return the id of its run."""
    uri = f"sqlite:///{data_dir / 'mlflow.db'}"
    embedded.create_tables(uri, artifact_root=(data_dir / "artifacts").as_uri())
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    location = (data_dir / "artifacts" / "large").as_uri()
    run = client.create_run(client.create_experiment("large", artifact_location=location))
    folder = Path(str(run.info.artifact_uri).removeprefix("file://"))
    folder.mkdir(parents=True)
    with (folder / "large.bin").open("wb") as file:
        file.seek(LARGE_BYTES - len(TAIL))
        file.write(TAIL)
    (folder / "small.txt").write_text("small")
    return str(run.info.run_id)


def resident_bytes(served: Served) -> int:
    """Return how much memory the server has."""
    return int(psutil.Process(served.server.process.pid).memory_info().rss)


def test_a_large_file_is_never_in_memory(served: Served) -> None:
    """Its first 256 MiB pass through, others are answered meanwhile, and the memory stays."""
    with httpx2.Client(timeout=30) as client:
        client.get(served.link("small.txt"))
        before = peak = resident_bytes(served)
        slowest = 0.0
        with client.stream("GET", served.link("large.bin")) as response:
            assert response.headers["content-length"] == str(LARGE_BYTES)
            for _ in islice(response.iter_bytes(MEGABYTE), 0, 256, 8):
                began = time.perf_counter()
                assert httpx2.get(f"{served.server.url}/health/live").status_code == 200
                slowest = max(slowest, time.perf_counter() - began)
                peak = max(peak, resident_bytes(served))
    assert peak - before <= 32 * MEGABYTE
    assert slowest <= 1.0


def test_a_fetch_goes_on_where_it_broke_off(served: Served) -> None:
    """The end of a large file is there at once."""
    url = served.link("large.bin")
    start = LARGE_BYTES - len(TAIL)
    part = httpx2.get(url, headers={"Range": f"bytes={start}-"})
    assert (part.status_code, part.content) == (206, TAIL)
    assert httpx2.head(url).headers["content-length"] == str(LARGE_BYTES)


def test_no_log_shows_a_link(served: Served) -> None:
    """Whoever reads the log may not fetch what others may."""
    token = served.link("small.txt").rpartition("/")[2]
    response = httpx2.get(f"{served.server.url}/downloads/{token}")
    assert response.text == "small"
    served.server.wait_for(response.headers["x-request-id"])
    lines = "".join(served.server.lines)
    assert "/downloads/***" in lines
    assert token not in lines


def test_a_link_outlives_the_server_and_needs_no_key(served: Served) -> None:
    """Another server over the same database, whose callers need a key, opens it."""
    path = served.link("small.txt").removeprefix(served.server.url)
    with running_server(served.data_dir, "--workers", "2", environ=KEY) as other:
        for _ in range(4):
            assert httpx2.get(f"{other.url}{path}").text == "small"
        assert httpx2.get(f"{other.url}/models").status_code == 401
        assert httpx2.get(f"{other.url}/models", headers=WITH_KEY).status_code == 200
