"""What MLflow does in its own way does not show."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.tracking._tracking_service import client as tracking_client

from gql_platform.adapters.mlflow import listing
from gql_platform.adapters.mlflow import runs as runs_module
from gql_platform.adapters.mlflow import store as store_module
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.runs import HISTORIES_AT_ONCE, MLflowRuns
from gql_platform.adapters.mlflow.store import FEW_NAMES, MLflowStore
from gql_platform.errors import RegistryUnavailableError
from gql_platform.registry.records import Alias, VersionRef
from gql_platform.tracking.records import Metric as MetricRecord
from gql_platform.tracking.records import MetricRef, RunState

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MLMODEL = """
flavors:
  python_function: {loader_module: mlflow.sklearn}
  sklearn: {}
model_size_bytes: 12
"""


@pytest.fixture
def store(client: Client) -> MLflowStore:
    """The store over an empty registry."""
    return MLflowStore(client)


def damage(folder: Path) -> None:
    """Overwrite a database."""
    for file in folder.glob("mlflow.db*"):
        file.write_bytes(b"damaged" * 4096)


def model_folder(folder: Path, *, text: str = MLMODEL) -> str:
    """Write the file that describes a model, and return where."""
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(text)
    return folder.as_uri()


class TestModels:
    async def test_more_than_a_page_of_mlflow(
        self, store: MLflowStore, opened: MlflowClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All models are found, however many pages MLflow gives them in."""
        monkeypatch.setattr(listing, "PAGE_SIZE", 3)
        names = [f"model {number}" for number in range(8)]
        for name in reversed(names):
            opened.create_registered_model(name)
        assert [model.name for model in await store.models(after=None, limit=100)] == names
        assert await store.model_count() == 8
        assert list(await store.models_named(names)) == names

    async def test_prompts_are_no_models(self, store: MLflowStore, opened: MlflowClient) -> None:
        """MLflow keeps prompts among its models; they cannot be served."""
        opened.register_prompt("greeting", "Hello {{ name }}")
        opened.create_registered_model("apple")
        assert [model.name for model in await store.models(after=None, limit=10)] == ["apple"]
        assert await store.model_count() == 1
        assert set(await store.models_named(["greeting", "apple"])) == {"apple"}
        assert set(await store.versions(["greeting", "apple"])) == {"apple"}

    @pytest.mark.parametrize("others", [0, FEW_NAMES])
    @pytest.mark.parametrize("name", ["it's", 'the "best"', 'it\'s "the" best', "back\\slash"])
    async def test_quotes_in_names(
        self, store: MLflowStore, opened: MlflowClient, name: str, others: int
    ) -> None:
        """No name breaks the filter that asks for its versions, nor finds those of another."""
        for known in ("it", "best", name):
            opened.create_registered_model(known)
            opened.create_model_version(known, "/nowhere")
        wanted = [name, *(f"unknown {number}" for number in range(others))]
        found = await store.versions(wanted)
        assert {key: [version.ref for version in found[key]] for key in found} == {
            name: [VersionRef(name, 1)]
        }

    async def test_alias_moves(self, store: MLflowStore, opened: MlflowClient) -> None:
        """Where an alias points is read anew each time."""
        opened.create_registered_model("apple")
        for number in ("1", "2"):
            opened.create_model_version("apple", "/nowhere")
            opened.set_registered_model_alias("apple", "champion", number)
            model = (await store.models_named(["apple"]))["apple"]
            assert model.aliases == (Alias("champion", int(number)),)
            newest = (await store.versions(["apple"]))["apple"][0]
            assert newest.aliases == ("champion",)


class TestPackages:
    async def test_model_that_was_registered_anew_is_read_anew(
        self, store: MLflowStore, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """A deleted model leaves nothing behind for the next one of its name."""
        ref = VersionRef("iris", 1)
        sizes = []
        for name, text in (("old", MLMODEL), ("new", MLMODEL.replace("12", "34"))):
            opened.create_registered_model("iris")
            opened.create_model_version("iris", model_folder(tmp_path / name, text=text))
            await store.versions(["iris"])
            sizes.append((await store.packages([ref]))[ref].size_bytes)
            opened.delete_registered_model("iris")
        assert sizes == [12, 34]

    async def test_are_read_once(
        self, store: MLflowStore, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """Files never change, so that they are not read again, even when they are gone."""
        opened.create_registered_model("apple")
        opened.create_model_version("apple", model_folder(tmp_path / "model"))
        ref = VersionRef("apple", 1)
        first = await store.packages([ref])
        shutil.rmtree(tmp_path / "model")
        assert await store.packages([ref]) == first
        assert first[ref].size_bytes == 12

    async def test_those_used_last_are_remembered(
        self,
        store: MLflowStore,
        opened: MlflowClient,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Memory is bounded, and what is asked for most stays in it."""
        monkeypatch.setattr(store_module, "CACHED_PACKAGES", 2)
        opened.create_registered_model("apple")
        source = model_folder(tmp_path / "model")
        refs = [VersionRef("apple", number) for number in (1, 2, 3)]
        for _ in refs:
            opened.create_model_version("apple", source)
        for ref in (refs[0], refs[1], refs[0], refs[2]):
            assert set(await store.packages([ref])) == {ref}
        shutil.rmtree(tmp_path / "model")
        assert set(await store.packages(refs)) == {refs[0], refs[2]}

    async def test_files_that_come_late_are_found(
        self, store: MLflowStore, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """What could not be read is tried again, and the log says what was wrong."""
        opened.create_registered_model("apple")
        opened.create_model_version("apple", (tmp_path / "model").as_uri())
        ref = VersionRef("apple", 1)
        with structlog.testing.capture_logs() as logs:
            assert await store.packages([ref]) == {}
        assert [(line["event"], line["model"], line["log_level"]) for line in logs] == [
            ("package_not_read", "apple", "warning")
        ]
        model_folder(tmp_path / "model")
        assert set(await store.packages([ref])) == {ref}

    @pytest.mark.parametrize("text", ["", "flavors: [", "flavors: {sklearn: {}}\nsignature: 7"])
    async def test_broken_file_hides_only_itself(
        self, store: MLflowStore, opened: MlflowClient, tmp_path: Path, text: str
    ) -> None:
        """One file that nobody can read does not keep the others from being read."""
        opened.create_registered_model("apple")
        opened.create_model_version("apple", model_folder(tmp_path / "broken", text=text))
        opened.create_model_version("apple", model_folder(tmp_path / "model"))
        refs = [VersionRef("apple", 1), VersionRef("apple", 2)]
        with structlog.testing.capture_logs() as logs:
            assert set(await store.packages(refs)) == {refs[1]}
        assert [line["version"] for line in logs] == [1]

    async def test_copied_version(
        self, store: MLflowStore, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """A version that was copied to another name has the files of its origin."""
        opened.create_registered_model("apple")
        opened.create_model_version("apple", model_folder(tmp_path / "model"))
        opened.copy_model_version("models:/apple/1", "pear")
        ref = VersionRef("pear", 1)
        assert set(await store.packages([ref])) == {ref}


class TestMetricHistories:
    async def test_more_than_a_page_of_mlflow(
        self, store: MLflowStore, opened: MlflowClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All values are found, however many pages MLflow gives them in."""
        monkeypatch.setattr(tracking_client, "GET_METRIC_HISTORY_MAX_RESULTS", 3)
        run_id = opened.create_run("0").info.run_id
        opened.log_batch(run_id, metrics=[Metric("loss", step / 2, 0, step) for step in range(8)])
        ref = MetricRef(run_id, "loss")
        series = (await MLflowRuns(store.client).metric_histories([ref]))[ref]
        assert list(series.steps) == list(range(8))
        assert list(series.values) == [step / 2 for step in range(8)]

    async def test_more_metrics_than_threads(
        self, store: MLflowStore, opened: MlflowClient
    ) -> None:
        """Each metric has its own values, whichever thread reads it."""
        run_id = opened.create_run("0").info.run_id
        count = 2 * HISTORIES_AT_ONCE + 1
        opened.log_batch(run_id, metrics=[Metric(f"m{n}", n, 0, 0) for n in range(count)])
        refs = [MetricRef(run_id, f"m{n}") for n in range(count)]
        found = await MLflowRuns(store.client).metric_histories(refs)
        assert [list(found[ref].values) for ref in refs] == [[float(n)] for n in range(count)]

    async def test_deleted_run(self, store: MLflowStore, opened: MlflowClient) -> None:
        """A run that is deleted keeps its history, as long as the store has it."""
        run_id = opened.create_run("0").info.run_id
        opened.log_metric(run_id, "loss", 0.5)
        opened.delete_run(run_id)
        assert list(
            await MLflowRuns(store.client).metric_histories([MetricRef(run_id, "loss")])
        ) == [MetricRef(run_id, "loss")]

    async def test_store_that_breaks_while_it_is_used(
        self, store: MLflowStore, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """A damaged database is an outage, and not a metric that was never logged."""
        run_id = opened.create_run("0").info.run_id
        assert await MLflowRuns(store.client).metric_histories([MetricRef(run_id, "loss")]) == {}
        damage(tmp_path)
        with pytest.raises(RegistryUnavailableError):
            await MLflowRuns(store.client).metric_histories([MetricRef(run_id, "loss")])


class TestRuns:
    async def test_metric_shows_its_last_step(
        self, store: MLflowStore, opened: MlflowClient
    ) -> None:
        """Of a metric that was logged again and again, value and step are the last ones."""
        run_id = opened.create_run("0").info.run_id
        opened.log_batch(run_id, metrics=[Metric("loss", 1 / step, 0, step) for step in (1, 2, 4)])
        run = (await MLflowRuns(store.client).runs([run_id]))[run_id]
        assert run.metrics == (MetricRecord("loss", 0.25, 4),)

    async def test_more_than_one_search(
        self, store: MLflowStore, opened: MlflowClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Runs of several experiments are found, however many searches that takes."""
        monkeypatch.setattr(runs_module, "RUNS_PER_SEARCH", 2)
        other = opened.create_experiment("other")
        ids = [opened.create_run(place).info.run_id for place in ("0", other, "0", other, "0")]
        assert set(await MLflowRuns(store.client).runs(ids)) == set(ids)

    async def test_deleted_run_is_still_known(
        self, store: MLflowStore, opened: MlflowClient
    ) -> None:
        """A version that serves may come from a run that was tidied away."""
        run_id = opened.create_run("0").info.run_id
        opened.set_terminated(run_id, status="KILLED")
        opened.delete_run(run_id)
        assert (await MLflowRuns(store.client).runs([run_id]))[run_id].state is RunState.KILLED


class TestQuiet:
    def test_library_chatter_stays_out(self, tmp_path: Path) -> None:
        """Neither MLflow nor Alembic writes to the terminal while a new store is made."""
        script = """
import asyncio, sys
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.loader import MLflowModelLoader
from gql_platform.adapters.mlflow.store import MLflowStore
client = Client(tracking_uri=sys.argv[1], registry_uri=sys.argv[1], artifact_root="/nowhere")
MLflowModelLoader(MLflowStore(client))
print(asyncio.run(MLflowStore(client).model_count()))
"""
        finished = subprocess.run(
            [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'mlflow.db'}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (finished.stdout, finished.stderr, finished.returncode) == ("0\n", "", 0)


class TestOutage:
    async def test_store_that_breaks_while_it_is_used(
        self, store: MLflowStore, tmp_path: Path
    ) -> None:
        """A database that is damaged after the start is an outage, not an empty registry."""
        assert await store.model_count() == 0
        damage(tmp_path)
        with pytest.raises(RegistryUnavailableError):
            await store.models(after=None, limit=1)
        with pytest.raises(RegistryUnavailableError):
            await MLflowRuns(store.client).runs(["f" * 32])
