"""The files of runs in MLflow: models, addresses, and what is left behind."""

import asyncio
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from mlflow import MlflowClient

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.local_folder import LocalFolder
from gql_platform.adapters.mlflow.place import Found, Place
from gql_platform.adapters.mlflow.run_artifacts import MLflowArtifacts
from gql_platform.adapters.mlflow.run_files import MODEL_SECONDS, RunFiles, home_of
from gql_platform.adapters.mlflow.run_places import Places, StorePlace
from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.errors import InvalidArtifactPathError, RegistryUnavailableError
from tests.artifact_server import PREFIX

pytestmark = pytest.mark.anyio

Served = tuple[ThreadingHTTPServer, Path]


class Logged:
    """A run that logs files and models into a folder."""

    def __init__(self, opened: MlflowClient, client: Client, uri: str, folder: Path) -> None:
        self._opened = opened
        self._folder = folder
        self._experiment = opened.create_experiment("files", artifact_location=folder.as_uri())
        self.run_id = str(opened.create_run(self._experiment).info.run_id)
        self.store = MLflowArtifacts(client, Places(uri, local_folders=None))

    def file(self, path: str, content: str) -> None:
        """Log a file to the run."""
        write(self._folder / self.run_id / "artifacts" / path, content)

    def model(self, name: str, files: dict[str, str], *, run_id: str | None = None) -> None:
        """Log a model."""
        model = self._opened.create_logged_model(
            self._experiment, name=name, source_run_id=run_id or self.run_id
        )
        for path, content in files.items():
            place = self._folder / "models" / model.model_id / "artifacts" / path
            write(place, content)

    def another_run(self) -> str:
        """Start another run, and return its id."""
        return str(self._opened.create_run(self._experiment).info.run_id)

    def ref(self, path: str) -> ArtifactRef:
        """Return a place among the files."""
        return ArtifactRef(self.run_id, path)

    async def listed(self, path: str = "") -> list[str] | None:
        """Return the paths that a folder lists."""
        found = await self.store.entries(self.ref(path), limit=100)
        return None if found is None else [each.path for each in found]

    async def text(self, path: str) -> bytes | None:
        """Return what stands in a file."""
        return await self.store.content(self.ref(path), limit_bytes=1000)


def write(file: Path, content: str) -> None:
    """Write a file, and the folders that it lies in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


@pytest.fixture
def logged(opened: MlflowClient, client: Client, uri: str, tmp_path: Path) -> Logged:
    """A run without files."""
    return Logged(opened, client, uri, tmp_path / "files")


class TestModels:
    async def test_model_is_a_folder_of_its_run(self, logged: Logged) -> None:
        """MLflow keeps its files elsewhere, and shows them there."""
        logged.file("notes.txt", "n")
        logged.model("model", {"MLmodel": "flavors:", "data/model.skops": "s"})
        assert await logged.listed() == ["model", "notes.txt"]
        assert await logged.listed("model") == ["model/MLmodel", "model/data"]
        assert await logged.listed("model/data") == ["model/data/model.skops"]
        assert await logged.listed("model/gone") is None
        assert await logged.text("model/MLmodel") == b"flavors:"
        assert await logged.store.artifact(logged.ref("model")) == Artifact(
            logged.run_id, "model", is_folder=True
        )
        assert await logged.store.open(logged.ref("model")) is None

    async def test_what_the_run_logged_goes_first(self, logged: Logged) -> None:
        """Both are listed together; of the same path, the run's own file counts."""
        logged.file("model/MLmodel", "own")
        logged.file("model/report.txt", "own")
        logged.model("model", {"MLmodel": "model's", "conda.yaml": "model's"})
        assert await logged.listed("model") == [
            "model/MLmodel",
            "model/conda.yaml",
            "model/report.txt",
        ]
        assert await logged.text("model/MLmodel") == b"own"
        assert await logged.text("model/conda.yaml") == b"model's"

    async def test_newest_of_a_name_counts(self, logged: Logged) -> None:
        """A run may log a model of the same name at each step."""
        logged.model("model", {"MLmodel": "old"})
        logged.model("model", {"MLmodel": "new"})
        assert await logged.listed() == ["model"]
        assert await logged.text("model/MLmodel") == b"new"

    def test_model_is_looked_for_once_in_a_while(
        self, logged: Logged, opened: MlflowClient, uri: str
    ) -> None:
        """A newer one of its name is found after some seconds, or by the list of the root."""
        home = home_of(opened, logged.run_id)
        assert home is not None
        now = [0.0]
        files = RunFiles(opened, Places(uri, local_folders=None), home, now=lambda: now[0])
        logged.model("model", {"old": ""})
        assert files.located("model/old") is not None
        logged.model("model", {"new": ""})
        assert files.located("model/new") is None
        now[0] += MODEL_SECONDS
        assert files.located("model/new") is not None
        logged.model("model", {"newest": ""})
        files.entries("", limit=1)
        assert files.located("model/newest") is not None

    async def test_models_of_other_runs_are_theirs(self, logged: Logged) -> None:
        """The name alone says nothing."""
        logged.model("model", {"MLmodel": "x"}, run_id=logged.another_run())
        assert await logged.listed() == []
        assert await logged.text("model/MLmodel") is None

    @pytest.mark.parametrize(
        "name",
        [
            "a' OR name = 'model",
            "model%",
            "x.y",
            'a"b',
            "a;b",
            "a--b",
            "a#b",
            "a`b",
            "a b",
            "é",
            "(",
        ],
    )
    async def test_no_name_gets_into_the_filter(self, logged: Logged, name: str) -> None:
        """What can be no model's name is not asked for."""
        logged.model("model", {"MLmodel": "x"})
        assert await logged.text(f"{name}/MLmodel") is None


class TestPlaces:
    def test_folder_is_read_anywhere_for_a_database(self, uri: str, tmp_path: Path) -> None:
        """Whoever writes to the database has the run of the machine."""
        assert isinstance(Places(uri, local_folders=None).at(tmp_path.as_uri()), LocalFolder)

    def test_server_may_name_allowed_folders_only(self, tmp_path: Path) -> None:
        """Else whoever makes an experiment could read any file of the machine."""
        allowed = tmp_path / "allowed"
        places = Places("http://127.0.0.1:1", local_folders=[allowed])
        (tmp_path / "out").mkdir()
        allowed.mkdir()
        (allowed / "link").symlink_to(tmp_path / "out")
        assert isinstance(places.at((allowed / "1").as_uri()), LocalFolder)
        assert isinstance(places.at(str(allowed)), LocalFolder)
        for uri in ("file:///", "/etc", "file:///etc", f"{allowed}/../out", f"{allowed}/link",
                    f"{allowed}-2"):  # fmt: skip
            assert places.at(uri) is None
        assert Places("http://127.0.0.1:1", local_folders=[]).at(allowed.as_uri()) is None

    def test_proxied_files_come_from_the_server(self, artifact_server: Served) -> None:
        """Addresses of the kind `mlflow-artifacts:` are below that of the server of runs."""
        server, folder = artifact_server
        write(folder / "1" / "run" / "artifacts" / "a" / "b.txt", "text")
        address = f"http://127.0.0.1:{server.server_port}"
        place = Places(address, local_folders=[]).at("mlflow-artifacts:/1/run/artifacts")
        assert place is not None
        assert place.entries("", limit=9) == [Found("a", is_folder=True)]
        assert place.find("a/b.txt") == Found("a/b.txt", is_folder=False, size_bytes=4)
        fetched = place.file("a/b.txt", lambda: folder)
        assert fetched is not None
        assert fetched.read_text() == "text"

    def test_file_that_went_meanwhile_is_not_there(self, artifact_server: Served) -> None:
        """The answer 404 is no outage."""
        server, folder = artifact_server
        address = f"http://127.0.0.1:{server.server_port}{PREFIX}/x"
        place = Places("http://127.0.0.1:1", local_folders=[]).at(address)
        assert place is not None
        assert place.file("gone.txt", lambda: folder) is None

    @pytest.mark.parametrize("path", ["a#b.txt", "a?b.txt", "a%2eb.txt"])
    def test_paths_that_an_address_cannot_hold_are_refused(
        self, artifact_server: Served, path: str
    ) -> None:
        """MLflow would fetch another file."""
        server, folder = artifact_server
        address = f"http://127.0.0.1:{server.server_port}{PREFIX}"
        place = Places("http://127.0.0.1:1", local_folders=[]).at(address)
        assert place is not None
        with pytest.raises(InvalidArtifactPathError):
            place.file(path, lambda: folder)

    def test_store_cannot_list_what_lies_elsewhere(self) -> None:
        """Whatever it says, only what lies directly in the folder is taken."""
        place = StorePlace(cast(Any, Liar()))
        assert place.entries("a", limit=9) == [Found("a/good", is_folder=False, size_bytes=1)]


class Liar:
    """A store that lists more than it was asked for."""

    def list_artifacts(self, path: str | None = None) -> list["Listed"]:
        """List files everywhere."""
        del path
        paths = ("a/good", "../out", "/etc/passwd", "a/b/c", "a", "a/", "b/good")
        return [Listed(each) for each in paths]


@dataclass
class Listed:
    """What MLflow calls a file."""

    path: str
    is_dir: bool = False
    file_size: int = 1


class TestTemporaryFiles:
    @pytest.fixture
    def remote(
        self, opened: MlflowClient, client: Client, uri: str, artifact_server: Served
    ) -> tuple[MLflowArtifacts, ArtifactRef]:
        """A store on a server, with one file."""
        server, folder = artifact_server
        location = f"http://127.0.0.1:{server.server_port}{PREFIX}"
        experiment = opened.create_experiment("remote", artifact_location=location)
        run_id = str(opened.create_run(experiment).info.run_id)
        write(folder / run_id / "artifacts" / "a.txt", "text")
        store = MLflowArtifacts(client, Places(uri, local_folders=None))
        return store, ArtifactRef(run_id, "a.txt")

    @pytest.fixture(autouse=True)
    def temporary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Where temporary folders are made."""
        folder = tmp_path / "temporary"
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        return folder

    async def test_nothing_is_left_after_sending(
        self, remote: tuple[MLflowArtifacts, ArtifactRef], temporary: Path
    ) -> None:
        """The file is there while it is sent, and its folder goes with it."""
        store, ref = remote
        file = await store.open(ref)
        assert file is not None
        assert isinstance(file.content, Path)
        assert file.content.read_text() == "text"
        assert left_in(temporary) == 1
        await file.release()
        assert left_in(temporary) == 0

    async def test_nothing_is_left_of_what_was_only_read(
        self, remote: tuple[MLflowArtifacts, ArtifactRef], temporary: Path
    ) -> None:
        """Neither of a small file, nor of one that is not there."""
        store, ref = remote
        assert await store.content(ref, limit_bytes=10) == b"text"
        assert await store.open(ArtifactRef(ref.run_id, "gone")) is None
        assert left_in(temporary) == 0

    async def test_nothing_is_left_when_nobody_waits(
        self, logged: Logged, client: Client, temporary: Path
    ) -> None:
        """A download whose request was ended deletes what it wrote."""
        place = SlowPlace()
        store = MLflowArtifacts(client, SlowPlaces(place))
        task = asyncio.create_task(store.open(logged.ref("a.txt")))
        await asyncio.to_thread(place.begun.wait)
        assert left_in(temporary) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        place.go_on.set()
        for thread in threading.enumerate():
            if thread.name == "mlflow":
                await asyncio.to_thread(thread.join)
        assert left_in(temporary) == 0

    async def test_outage_is_told_and_leaves_nothing(
        self, remote: tuple[MLflowArtifacts, ArtifactRef], artifact_server: Served, temporary: Path
    ) -> None:
        """A store that does not answer is no file that is not there."""
        store, ref = remote
        assert await store.artifact(ref) is not None
        artifact_server[0].shutdown()
        artifact_server[0].server_close()
        with pytest.raises(RegistryUnavailableError):
            await store.open(ref)
        assert left_in(temporary) == 0


class SlowPlace(Place):
    """A place with one file, whose download waits.

    Attributes:
        begun: Set when the download has begun.
        go_on: Lets it go on.
    """

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def entries(self, path: str, *, limit: int) -> list[Found] | None:
        """Return nothing."""
        del path, limit
        return None

    def find(self, path: str) -> Found | None:
        """Return the file."""
        return Found(path, is_folder=False)

    def file(self, path: str, make_folder: Callable[[], Path]) -> Path | None:
        """Wait, and write the file."""
        folder = make_folder()
        self.begun.set()
        self.go_on.wait()
        write(folder / path, "late")
        return folder / path


class SlowPlaces(Places):
    """Wherever it is, it is the slow place."""

    def __init__(self, place: SlowPlace) -> None:
        super().__init__("sqlite://", local_folders=None)
        self._place = place

    def at(self, uri: str) -> Place | None:
        """Return it."""
        del uri
        return self._place


def left_in(folder: Path) -> int:
    """Return how many entries a folder has."""
    return len(list(folder.iterdir()))
