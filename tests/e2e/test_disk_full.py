"""A full disk and a locked file: what cannot be kept is refused, and nothing is lost."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.fleet import publish
from tests.e2e.server import ServerProcess, running_server

SIZE = "8m"
CHUNK = 1 << 20
REFUSED_WITHIN_SECONDS = 2.0
BACK_WITHIN_SECONDS = 10.0
LOCKED_SECONDS = 10.0
REFUSED = "STORE_UNAVAILABLE"

PROMOTE = """
    mutation ($alias: String!, $key: String!) {
      change: modelVersionPromote(
        input: {model: "diabetes", version: 1, alias: $alias, idempotencyKey: $key}
      ) { __typename ... on UserError { code } }
    }
"""
EXPORT = """
    mutation ($key: String!) {
      change: registryExport(input: {idempotencyKey: $key}) {
        __typename ... on UserError { code }
      }
    }
"""
TOLD = "{ events(first: 100) { nodes { type data } } jobs(first: 100) { nodes { state } } }"


@dataclass
class House:
    """A server, and the file in which it keeps its own tables.

    Attributes:
        server: The server, which runs no jobs.
        file: The file.
        row: What is predicted for.
        acknowledged: The aliases whose promotion was acknowledged.
    """

    server: ServerProcess
    file: Path
    row: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def ask(self, document: str, **variables: str) -> dict[str, Any]:
        """Return the answer to a document, errors included."""
        body = {"query": document, "variables": variables}
        answer = httpx2.post(f"{self.server.url}/graphql", json=body, timeout=30)
        found: dict[str, Any] = answer.json()
        return found

    def changed(self, document: str, **variables: str) -> str:
        """Ask for a change, and return what came of it: a type's name or an error's code."""
        answer = self.ask(document, **variables)
        if "errors" in answer:
            return str(answer["errors"][0]["extensions"]["code"])
        result = answer["data"]["change"]
        return str(result.get("code") or result["__typename"])

    def promote(self, alias: str) -> str:
        """Point an alias, under a key that is the same whenever this is called for it."""
        outcome = self.changed(PROMOTE, alias=alias, key=f"key of {alias}".replace(" ", "-"))
        if outcome == "DeploymentChange":
            self.acknowledged.append(alias)
        return outcome

    def refuses_in_time(self, alias: str) -> None:
        """Check that a promotion is refused, and soon."""
        began = time.monotonic()
        assert self.promote(alias) == REFUSED
        assert time.monotonic() - began < REFUSED_WITHIN_SECONDS

    def predict(self) -> float:
        """Return what the model answers to a row."""
        rows = {"inputs": [self.row]}
        answer = httpx2.post(f"{self.server.url}/predict/diabetes", json=rows, timeout=30)
        assert answer.status_code == 200, answer.text
        return float(answer.json()["predictions"][0]["value"])

    def is_back_in_time(self, alias: str) -> None:
        """Check that a promotion that was refused is made soon, by the same request."""
        ends_at = time.monotonic() + BACK_WITHIN_SECONDS
        while (outcome := self.promote(alias)) != "DeploymentChange":
            assert outcome == REFUSED
            assert time.monotonic() < ends_at, outcome
            time.sleep(0.1)

    def has_lost_nothing(self, *, jobs: int) -> None:
        """Check that the file is sound, and holds what was acknowledged, once."""
        assert self.server.process.poll() is None
        answer = self.ask(TOLD)["data"]
        nodes = answer["events"]["nodes"]
        aliases = [each["data"].get("alias") for each in nodes]
        assert [each for each in aliases if each is not None] == self.acknowledged
        queued = [each for each in nodes if each["type"] == "job.queued"]
        assert len(queued) == len(answer["jobs"]["nodes"]) == jobs
        with closing(sqlite3.connect(self.file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes, which only root can mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted, which takes root: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a model."""
    folder = tmp_path_factory.mktemp("published")
    publish(folder)
    return folder


@pytest.fixture
def house(published: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A server whose database is on the small disk, or beside the test's other files."""
    place = request.getfixturevalue("small_disk") if request.param == "small" else tmp_path
    file = Path(place) / "platform.db"
    environ = {
        "GQL_PLATFORM_DATABASE_URL": f"sqlite:///{file}",
        "GQL_PLATFORM_JOBS_AT_ONCE": "0",
    }
    with running_server(published, environ=environ) as server:
        house = House(server, file)
        about = httpx2.get(f"{server.url}/v2/models/diabetes", timeout=30).json()
        house.row = [0.01] * len(about["inputs"])
        yield house


def fill(folder: Path) -> Path:
    """Take all the room of a disk, and return the file that does."""
    file = folder / "ballast"
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        for size in (CHUNK, 1):
            with suppress(OSError):
                while ballast.write(b"x" * size):
                    pass
    assert shutil.disk_usage(folder).free == 0
    return file


@pytest.mark.parametrize("house", ["small"], indirect=True)
def test_full_disk_refuses_changes_until_there_is_room(house: House) -> None:
    assert house.promote("before") == "DeploymentChange"
    assert house.changed(EXPORT, key="before") == "JobChange"
    expected = house.predict()
    ballast = fill(house.file.parent)
    for _ in range(3):
        house.refuses_in_time("meanwhile")
        assert house.changed(EXPORT, key="meanwhile") == REFUSED
        assert house.predict() == pytest.approx(expected, rel=1e-6)
    # What was kept can still be read.
    house.has_lost_nothing(jobs=1)
    ballast.unlink()
    house.is_back_in_time("meanwhile")
    assert house.changed(EXPORT, key="meanwhile") == "JobChange"
    assert house.promote("after") == "DeploymentChange"
    house.has_lost_nothing(jobs=2)
    assert house.acknowledged == ["before", "meanwhile", "after"]


@pytest.mark.parametrize("house", ["large"], indirect=True)
def test_locked_file_refuses_changes_until_it_is_free(house: House) -> None:
    assert house.promote("before") == "DeploymentChange"
    expected = house.predict()
    with closing(sqlite3.connect(house.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends_at = time.monotonic() + LOCKED_SECONDS
        while time.monotonic() < ends_at:
            house.refuses_in_time("meanwhile")
            assert house.predict() == pytest.approx(expected, rel=1e-6)
        other.execute("ROLLBACK")
    house.is_back_in_time("meanwhile")
    house.has_lost_nothing(jobs=0)
    assert house.acknowledged == ["before", "meanwhile"]
