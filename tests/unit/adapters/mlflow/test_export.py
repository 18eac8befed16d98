"""The registry and its runs come out as tables that hold all of them."""

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import fastparquet
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from gql_platform.adapters.mlflow import embedded
from gql_platform.adapters.mlflow.export import FILE, RegistryExport
from gql_platform.adapters.mlflow.job_files import ArtifactJobFiles
from gql_platform.errors import JobFileNotFoundError
from gql_platform.jobs.records import Note, Progress

pytestmark = pytest.mark.anyio

EVERYTHING = {"experiments": [], "has_histories": False}


@pytest.fixture
def registry(tmp_path: Path) -> MlflowClient:
    """A store with two experiments, three runs and a model."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    embedded.create_tables(uri, artifact_root=(tmp_path / "artifacts").as_uri())
    client = MlflowClient(uri, uri)
    run_ids = []
    for name, runs in (("first", 2), ("second", 1)):
        experiment = client.create_experiment(name)
        for number in range(runs):
            run = client.create_run(experiment, run_name=f"{name}-{number}", start_time=number)
            metrics = [Metric("loss", step / 2, 0, step) for step in range(3)]
            client.log_batch(run.info.run_id, metrics, [Param("depth", str(number))])
            client.log_metric(run.info.run_id, "odd", math.nan, step=7)
            client.set_terminated(run.info.run_id, end_time=1000)
            run_ids.append(run.info.run_id)
    client.create_registered_model("wine", {"owner": "cellar"}, "Which grape?")
    client.create_model_version("wine", "file:///nowhere", run_ids[-1])
    client.set_registered_model_alias("wine", "champion", "1")
    return client


def exported(client: MlflowClient, folder: Path, **given: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return what an export tells, and its result."""
    uri = client.tracking_uri
    work = RegistryExport(uri, uri, folder.as_uri())("job", EVERYTHING | given)
    told = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            return told, dict(end.value)


def tables_in(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of an export."""
    found = {}
    with zipfile.ZipFile(folder / "job" / FILE) as packed:
        for name in packed.namelist():
            if name.endswith(".parquet"):
                content = io.BytesIO(packed.read(name))
                found[name.removesuffix(".parquet")] = fastparquet.ParquetFile(content).to_pandas()
        about = json.loads(packed.read("export.json"))
    assert about["rows"] == {name: len(table) for name, table in found.items()}
    return found


def test_all_is_there(registry: MlflowClient, tmp_path: Path) -> None:
    """Models, versions, experiments, runs, params and last metrics; NaN stays NaN."""
    told, result = exported(registry, tmp_path / "files")
    tables = tables_in(tmp_path / "files")
    assert result["rows"] == {
        "models": 1,
        "versions": 1,
        "experiments": 3,
        "runs": 3,
        "params": 3,
        "metrics": 6,
        "datasets": 0,
    }
    (file,) = result["files"]
    assert file == {"name": FILE, "size_bytes": (tmp_path / "files/job" / FILE).stat().st_size}
    (model,) = tables["models"].to_dict("records")
    assert (model["name"], model["description"]) == ("wine", "Which grape?")
    assert (model["tags"], model["aliases"]) == ({"owner": "cellar"}, {"champion": 1})
    (version,) = tables["versions"].to_dict("records")
    assert (version["model"], version["version"], version["aliases"]) == ("wine", 1, ["champion"])
    assert version["run_id"] in set(tables["runs"]["run_id"])
    assert sorted(tables["runs"]["name"]) == ["first-0", "first-1", "second-0"]
    assert set(tables["runs"]["state"]) == {"FINISHED"}
    metrics = tables["metrics"].set_index(["run_id", "key"])
    assert set(metrics.xs("loss", level="key")["value"]) == {1.0}
    assert metrics.xs("odd", level="key")["value"].isna().all()
    assert set(metrics.xs("odd", level="key")["step"]) == {7}
    assert told[-1] == Progress(message="packing", numbers=result["rows"])
    assert [each.message for each in told if isinstance(each, Note)] == [
        "Default is read",
        "first is read",
        "second is read",
    ]


def test_histories_of_one_experiment(registry: MlflowClient, tmp_path: Path) -> None:
    """Only the runs of the experiments that were asked for, with all values of their metrics."""
    _, result = exported(registry, tmp_path / "files", experiments=["second"], has_histories=True)
    tables = tables_in(tmp_path / "files")
    assert tables["runs"]["name"].tolist() == ["second-0"]
    histories = tables["metric_histories"]
    losses = histories[histories["key"] == "loss"]
    assert losses["value"].tolist() == [0.0, 0.5, 1.0]
    assert losses["step"].tolist() == [0, 1, 2]
    assert result["rows"]["metric_histories"] == 4


def test_an_experiment_that_is_none(registry: MlflowClient, tmp_path: Path) -> None:
    """An export of what is not there says so, and leaves no file."""
    with pytest.raises(ValueError, match="there is no experiment 'third' any more"):
        exported(registry, tmp_path / "files", experiments=["third"])
    assert not (tmp_path / "files").exists()


def test_it_can_begin_anew(registry: MlflowClient, tmp_path: Path) -> None:
    """A second run of a job replaces what the first one left."""
    exported(registry, tmp_path / "files")
    registry.create_registered_model("beer")
    _, result = exported(registry, tmp_path / "files")
    assert result["rows"]["models"] == 2
    assert [each.name for each in (tmp_path / "files/job").iterdir()] == [FILE]


async def test_files_are_opened_and_deleted(tmp_path: Path) -> None:
    """A job's file is opened by its name, until it is deleted."""
    files = ArtifactJobFiles((tmp_path / "files").as_uri())
    (made := tmp_path / "table.zip").write_bytes(b"1234567")
    files.put("a", made)
    opened = await files.open("a/table.zip")
    assert isinstance(opened.content, Path)
    assert opened.content.read_bytes() == b"1234567"
    assert (opened.media_type, opened.size_bytes) == ("application/zip", 7)
    await files.delete(["a", "never"])
    with pytest.raises(JobFileNotFoundError):
        await files.open("a/table.zip")


class _Refusing(ArtifactRepository):  # type: ignore[misc] # MLflow has no types
    """A store whose client has errors of its own."""

    def list_artifacts(self, path: str | None = None) -> list[Any]:
        raise RuntimeError(f"no list of {path}")

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        raise RuntimeError(f"no {remote_file_path} to {local_path}")

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        raise RuntimeError(f"no {local_file} at {artifact_path}")

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        raise RuntimeError(f"no {local_dir} at {artifact_path}")


class _RefusedFiles(ArtifactJobFiles):
    """Files in such a store."""

    def _repository(self) -> ArtifactRepository:
        return _Refusing("refusing://")


async def test_any_store_may_refuse() -> None:
    """Whatever its client raises, a file is missing, and the other jobs are forgotten."""
    files = _RefusedFiles("refusing://")
    with pytest.raises(JobFileNotFoundError):
        await files.open("a/table.zip")
    await files.delete(["a", "b"])
