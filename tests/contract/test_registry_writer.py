"""What every writer of models does, whatever it writes to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from gql_platform.adapters.mlflow.registry_writer import MLflowRegistryWriter
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.errors import InvalidModelError, ModelFilesNotFoundError, RunNotFoundError
from gql_platform.model_changes.ports import RegistryWriter
from gql_platform.model_changes.records import Notes
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import Alias, Model, ModelVersion, Tag, VersionRef
from gql_platform.testing import InMemoryRegistryWriter, InMemoryStore
from tests.contract.conftest import new_store
from tests.contract.facts import PACKAGE
from tests.contract.mlflow_registry import client_of, logged_model, new_database, saved_model

pytestmark = pytest.mark.anyio

NOBODY = ["", "unknown", "f" * 32, "x' OR '1'='1", "ä"]


@dataclass(frozen=True)
class Written:
    """A writer, a reader of the same registry, and runs with the files of a model.

    Attributes:
        run_id: A run that has them in the folder `parts/tree` of its artifacts.
        logged_run_id: A run that has logged them as the model `tree`.
    """

    writer: RegistryWriter
    reader: RegistryStore
    run_id: str
    logged_run_id: str

    async def register(self, name: str, *, description: str | None = None) -> VersionRef:
        """Register a version."""
        number = await self.writer.create_version(
            name, run_id=self.run_id, path="parts/tree", description=description, tags={}
        )
        return VersionRef(name, number)

    async def model(self, name: str) -> Model:
        """Return a model as it is now."""
        return (await self.reader.models_named([name]))[name]

    async def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Return its versions, newest first."""
        return (await self.reader.versions([name]))[name]


STORES = [
    "in_memory",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("mlflow_sqlite", "mlflow_postgresql", "mlflow_server")
    ),
]


@pytest.fixture(scope="module", params=STORES)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Written]:
    """Each registry in turn; each test writes to models of its own."""
    if request.param == "in_memory":
        yield in_memory()
        return
    folder = tmp_path_factory.mktemp("models")
    with new_store(request, folder) as uri:
        yield mlflow(uri, folder)


def in_memory() -> Written:
    """Return the registry that tests of services use."""
    store = InMemoryStore()
    for run_id, path in (("folder", "parts/tree"), ("logged", "tree")):
        store.add_run(run_id)
        store.add_files(run_id, path, replace(PACKAGE, size_bytes=None))
    return Written(InMemoryRegistryWriter(store), store, "folder", "logged")


def mlflow(uri: str, folder: Path) -> Written:
    """Return MLflow's, with files in a folder, or with those that its server keeps."""
    opened = MlflowClient(tracking_uri=uri, registry_uri=uri)
    place = None if uri.startswith("http") else (folder / "artifacts").as_uri()
    experiment = opened.create_experiment("files", artifact_location=place)
    files = saved_model(folder / "model")
    runs = [str(opened.create_run(experiment).info.run_id) for _ in range(2)]
    opened.log_artifacts(runs[0], str(files), "parts/tree")
    logged_model(opened, experiment, runs[1], "tree", files)
    client = client_of(uri)
    return Written(MLflowRegistryWriter(client), MLflowStore(client), *runs)


class TestCreateVersion:
    async def test_model_is_made_with_its_first_version(self, written: Written) -> None:
        """The version has its description, its tags and its run from the beginning."""
        number = await written.writer.create_version(
            "new one",
            run_id=written.run_id,
            path="parts/tree",
            description="The first.",
            tags={"team": "é", "gql_platform.request": "x"},
        )
        (version,) = await written.versions("new one")
        assert (number, version.version, version.run_id) == (1, 1, written.run_id)
        assert (version.description, version.aliases) == ("The first.", ())
        assert version.tags == (Tag("gql_platform.request", "x"), Tag("team", "é"))
        assert (await written.model("new one")).aliases == ()

    async def test_next_version_has_the_next_number(self, written: Written) -> None:
        """The first one stays as it is."""
        first = await written.register("numbers", description="One.")
        second = await written.register("numbers")
        versions = await written.versions("numbers")
        assert [each.ref for each in versions] == [second, first]
        assert [each.description for each in versions] == [None, "One."]

    async def test_files_of_both_kinds_are_read(self, written: Written) -> None:
        """A folder of the run's artifacts and a logged model are registered alike."""
        ref = await written.register("files")
        number = await written.writer.create_version(
            "files", run_id=written.logged_run_id, path="tree", description=None, tags={}
        )
        other = VersionRef("files", number)
        packages = await written.reader.packages([ref, other])
        assert [replace(packages[each], size_bytes=None) for each in (ref, other)] == [PACKAGE] * 2

    @pytest.mark.parametrize("path", ["none", "parts", "parts/tree/MLmodel", "o'clock", "%"])
    async def test_files_must_be_there(self, written: Written, path: str) -> None:
        """A path without a model is refused, and no model is made for it."""
        with pytest.raises(ModelFilesNotFoundError):
            await written.writer.create_version(
                "nothing", run_id=written.run_id, path=path, description=None, tags={}
            )
        assert dict(await written.reader.models_named(["nothing"])) == {}

    @pytest.mark.parametrize("run_id", NOBODY)
    async def test_run_must_be_there(self, written: Written, run_id: str) -> None:
        """Text that is no run's id is refused by name."""
        with pytest.raises(RunNotFoundError):
            await written.writer.create_version(
                "nothing", run_id=run_id, path="tree", description=None, tags={}
            )
        assert dict(await written.reader.models_named(["nothing"])) == {}


class TestDeleteVersion:
    async def test_version_goes_with_its_aliases(self, written: Written) -> None:
        """The others stay, and the number is not used again."""
        first, second = [await written.register("shrinking") for _ in range(2)]
        await written.reader.point_alias(second, "champion")
        await written.reader.point_alias(first, "best")
        await written.writer.delete_version(second)
        assert [each.ref for each in await written.versions("shrinking")] == [first]
        assert (await written.model("shrinking")).aliases == (Alias("best", 1),)
        assert (await written.register("shrinking")).version == 3

    async def test_last_version_leaves_the_model(self, written: Written) -> None:
        """A model without versions is a model."""
        await written.writer.delete_version(await written.register("emptied"))
        assert await written.versions("emptied") == ()
        assert (await written.model("emptied")).name == "emptied"


class TestAliases:
    async def test_alias_is_taken_away(self, written: Written) -> None:
        """The others stay, and one that is not there is left alone."""
        ref = await written.register("named")
        for alias in ("staging", "best"):
            await written.reader.point_alias(ref, alias)
        for _ in range(2):
            await written.writer.remove_alias("named", "staging")
        assert (await written.model("named")).aliases == (Alias("best", 1),)


class TestNotes:
    async def test_model_is_described_and_tagged(self, written: Written) -> None:
        """What is left out stays, and a tag that is not there may be taken away."""
        await written.register("told")
        first = Notes("What for?\né", [Tag("a", "1"), Tag("b", "2")])
        await written.writer.write_on_model("told", first)
        await written.writer.write_on_model("told", Notes(None, [Tag("a", "")], ["b", "none"]))
        model = await written.model("told")
        assert (model.description, model.tags) == ("What for?\né", (Tag("a", ""),))
        await written.writer.write_on_model("told", Notes(""))
        assert (await written.model("told")).description is None

    async def test_version_is_described_and_tagged(self, written: Written) -> None:
        """Its model and the other versions are left alone."""
        first, second = [await written.register("noted") for _ in range(2)]
        notes = Notes("Better.", [Tag("a", "1"), Tag("b", "x" * 5_000)])
        await written.writer.write_on_version(second, notes)
        await written.writer.write_on_version(second, Notes(None, [], ["a", "none"]))
        versions = await written.versions("noted")
        assert [(each.ref, each.description, each.tags) for each in versions] == [
            (second, "Better.", (Tag("b", "x" * 5_000),)),
            (first, None, ()),
        ]
        await written.writer.write_on_version(second, Notes(""))
        assert (await written.versions("noted"))[0].description is None
        assert (await written.model("noted")).tags == ()


@pytest.mark.slow
async def test_what_mlflow_refuses_is_an_error_of_the_model(tmp_path: Path) -> None:
    """Its words are the problem."""
    written = mlflow(new_database(tmp_path), tmp_path)
    with pytest.raises(InvalidModelError) as refused:
        await written.register("a/b")
    assert refused.value.name == "a/b"
    assert "Names cannot contain" in refused.value.problem
