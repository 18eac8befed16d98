"""What every store of the files of runs does, whatever it is made of."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from gql_platform.adapters.mlflow.run_artifacts import MLflowArtifacts
from gql_platform.adapters.mlflow.run_places import Places
from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.downloads.records import OpenFile
from gql_platform.testing import InMemoryArtifacts
from tests.artifact_server import PREFIX, artifact_server_of
from tests.contract.mlflow_registry import client_of, new_database, new_server

pytestmark = pytest.mark.anyio

FILES = {
    "Zeit.txt": b"late",
    "größe.txt": "Größe\n".encode(),
    "notes.txt": b"Hello\n",
    "plots/deep/er.csv": b"a,b\n1,2\n",
    "plots/loss.png": b"\x89PNG\r\n\x1a\n",
    "plots-2.txt": b"",
}

LOGGED: tuple[Mapping[str, bytes], ...] = (FILES, {}, {"kept.txt": b"kept"})
"""What the three runs logged."""


@dataclass(frozen=True)
class Filled:
    """A store of files.

    Attributes:
        store: It.
        run_id: The run that logged them.
        bare: A run that logged nothing.
        deleted: A run that logged one and was deleted.
    """

    store: ArtifactStore
    run_id: str
    bare: str
    deleted: str

    def ref(self, path: str) -> ArtifactRef:
        """Return a place among the files."""
        return ArtifactRef(self.run_id, path)


@pytest.fixture(
    scope="module",
    params=[
        "in_memory",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("disk", "http", "mlflow_server")),
    ],
)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """Each store in turn, with the same files."""
    if request.param == "in_memory":
        yield in_memory()
        return
    folder = tmp_path_factory.mktemp("artifacts")
    with ExitStack() as stack:
        if request.param == "mlflow_server":
            yield sent_to(stack.enter_context(new_server(folder)), folder)
            return
        location = (folder / "files").as_uri()
        if request.param == "http":
            server = stack.enter_context(artifact_server_of(folder / "files"))
            location = f"http://127.0.0.1:{server.server_port}{PREFIX}/below"
        yield in_mlflow(folder, location)


def in_memory() -> Filled:
    """Return the store of the package's own test doubles."""
    store = InMemoryArtifacts()
    for path, content in FILES.items():
        store.add("full", path, content)
    store.add_run("bare")
    store.add("deleted", "kept.txt", b"kept")
    return Filled(store, "full", "bare", "deleted")


def in_mlflow(folder: Path, location: str) -> Filled:
    """Return MLflow's store, with its files at some address."""
    uri = new_database(folder)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    run_ids = new_runs(client, location)
    for run_id, files in zip(run_ids, LOGGED, strict=True):
        below = folder / "files" / ("below" if location.startswith("http") else "")
        write(below / run_id / "artifacts", files)
    client.delete_run(run_ids[2])
    return Filled(store_at(uri), *run_ids)


def sent_to(uri: str, folder: Path) -> Filled:
    """Return a server of MLflow, to which its client sent the files."""
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    run_ids = new_runs(client, None)
    for run_id, files in zip(run_ids, LOGGED, strict=True):
        write(folder / run_id, files)
        client.log_artifacts(run_id, str(folder / run_id))
    client.delete_run(run_ids[2])
    return Filled(store_at(uri), *run_ids)


def new_runs(client: MlflowClient, location: str | None) -> list[str]:
    """Make a run for all files, one for none and one that is to be deleted."""
    experiment = client.create_experiment("files", artifact_location=location)
    return [str(client.create_run(experiment).info.run_id) for _ in LOGGED]


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder."""
    folder.mkdir(parents=True)
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def store_at(uri: str) -> MLflowArtifacts:
    """Return what reads the files of runs at a URI."""
    return MLflowArtifacts(client_of(uri), Places(uri, local_folders=None))


async def sent(file: OpenFile | None) -> bytes:
    """Return what is sent of a file, and let go of it."""
    assert file is not None
    if isinstance(file.content, Path):
        content = file.content.read_bytes()
    else:
        content = b"".join([chunk async for chunk in file.content])
    await file.release()
    assert file.size_bytes == len(content)
    return content


class TestEntries:
    async def test_root_is_listed_by_name(self, filled: Filled) -> None:
        """In the order of code points, with the sizes of files."""
        found = await filled.store.entries(filled.ref(""), limit=10)
        run_id = filled.run_id
        assert found is not None
        assert list(found) == [
            Artifact(run_id, "Zeit.txt", is_folder=False, size_bytes=4),
            Artifact(run_id, "größe.txt", is_folder=False, size_bytes=8),
            Artifact(run_id, "notes.txt", is_folder=False, size_bytes=6),
            Artifact(run_id, "plots", is_folder=True),
            Artifact(run_id, "plots-2.txt", is_folder=False, size_bytes=0),
        ]

    async def test_folder_has_whole_paths(self, filled: Filled) -> None:
        """What lies deeper is not listed, only the folder that it lies in."""
        found = await filled.store.entries(filled.ref("plots"), limit=10)
        assert found is not None
        assert [(each.path, each.name, each.is_folder) for each in found] == [
            ("plots/deep", "deep", True),
            ("plots/loss.png", "loss.png", False),
        ]

    async def test_no_more_than_asked_for(self, filled: Filled) -> None:
        """The first ones are returned."""
        found = await filled.store.entries(filled.ref(""), limit=2)
        assert found is not None
        assert [each.path for each in found] == ["Zeit.txt", "größe.txt"]

    @pytest.mark.parametrize("path", ["gone", "notes.txt", "plots/gone", "notes.txt/a"])
    async def test_what_is_no_folder_has_none(self, filled: Filled, path: str) -> None:
        """A file has no entries either."""
        assert await filled.store.entries(filled.ref(path), limit=10) is None

    async def test_run_without_files_is_empty(self, filled: Filled) -> None:
        """Its root is there all the same."""
        assert await filled.store.entries(ArtifactRef(filled.bare, ""), limit=10) == []

    async def test_unknown_run_has_nothing(self, filled: Filled) -> None:
        """Whether or not there could be such a run."""
        for run_id in ("f" * 32, "", "a'b", "../x"):
            ref = ArtifactRef(run_id, "notes.txt")
            assert await filled.store.entries(ArtifactRef(run_id, ""), limit=10) is None
            assert await filled.store.artifact(ref) is None
            assert await filled.store.open(ref) is None
            assert await filled.store.content(ref, limit_bytes=10) is None

    async def test_deleted_run_keeps_its_files(self, filled: Filled) -> None:
        """It may be restored, and until then is shown as deleted."""
        found = await filled.store.entries(ArtifactRef(filled.deleted, ""), limit=10)
        assert found is not None
        assert [each.path for each in found] == ["kept.txt"]


class TestArtifact:
    async def test_file_and_folder_are_found(self, filled: Filled) -> None:
        """As the folder that they lie in lists them."""
        assert await filled.store.artifact(filled.ref("plots/deep/er.csv")) == Artifact(
            filled.run_id, "plots/deep/er.csv", is_folder=False, size_bytes=8
        )
        assert await filled.store.artifact(filled.ref("plots/deep")) == Artifact(
            filled.run_id, "plots/deep", is_folder=True
        )

    @pytest.mark.parametrize("path", ["gone", "plots/gone.txt", "notes.txt/a", "x" * 255])
    async def test_nothing_is_nothing(self, filled: Filled, path: str) -> None:
        """Also where a file stands in the way."""
        assert await filled.store.artifact(filled.ref(path)) is None


class TestFiles:
    @pytest.mark.parametrize("path", FILES)
    async def test_file_is_sent_as_it_is(self, filled: Filled, path: str) -> None:
        """Byte for byte, with its size."""
        assert await sent(await filled.store.open(filled.ref(path))) == FILES[path]

    async def test_kind_goes_by_the_name(self, filled: Filled) -> None:
        """The store knows nothing better."""
        file = await filled.store.open(filled.ref("plots/loss.png"))
        assert file is not None
        assert file.media_type == "image/png"
        await sent(file)

    @pytest.mark.parametrize("path", ["gone", "plots", "plots/deep"])
    async def test_only_files_are_sent(self, filled: Filled, path: str) -> None:
        """No folder is, and nothing that is not there."""
        assert await filled.store.open(filled.ref(path)) is None
        assert await filled.store.content(filled.ref(path), limit_bytes=10) is None

    async def test_small_file_is_read(self, filled: Filled) -> None:
        """Up to the limit, and not in part beyond it."""
        ref = filled.ref("notes.txt")
        assert await filled.store.content(ref, limit_bytes=6) == b"Hello\n"
        assert await filled.store.content(ref, limit_bytes=5) is None
        assert await filled.store.content(filled.ref("plots-2.txt"), limit_bytes=1) == b""
