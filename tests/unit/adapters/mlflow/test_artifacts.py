"""Files are found wherever a registry says that they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.artifacts import Artifacts, location_of
from gql_platform.adapters.mlflow.locations import ClientLocations
from gql_platform.adapters.mlflow.outage import is_unreachable
from gql_platform.registry.records import VersionRef

REF = VersionRef("apple", 1)


@dataclass(frozen=True)
class LoggedModel:
    """What MLflow knows of a model that was logged."""

    artifact_location: str


@dataclass(frozen=True)
class Opened:
    """The part of MLflow's client that tells where files are.

    Attributes:
        uris: Where the files of each version are.
        logged: Where those of each logged model are.
        tracking_uri: Where the client asks.
    """

    uris: Mapping[VersionRef, str]
    logged: Mapping[str, str]
    tracking_uri: str = "http://127.0.0.1:1"

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Return where a version is."""
        return self.uris[VersionRef(name, int(version))]

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Return where a logged model is."""
        return LoggedModel(self.logged[model_id])


def artifacts_at(uri: str, **more: Any) -> Artifacts:
    """Return the files of a version that are said to be somewhere."""
    opened = Opened({REF: uri} | more.pop("uris", {}), more.pop("logged", {}))
    location = location_of(ClientLocations(cast("MlflowClient", opened)), REF)
    return Artifacts(location, tracking_uri=opened.tracking_uri)


def no_folder() -> Path:
    """Fail, for local files are not copied."""
    raise AssertionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a model on this machine."""
    folder = tmp_path / "my model"
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}")
    return folder


class TestLocal:
    @pytest.mark.parametrize("written", [str, Path.as_uri], ids=["path", "uri"])
    def test_files_stay_where_they_are(self, folder: Path, written: Callable[[Path], str]) -> None:
        """A folder of this machine is used in place."""
        artifacts = artifacts_at(written(folder))
        assert artifacts.folder(no_folder) == folder
        assert artifacts.read("MLmodel") == b"flavors: {}"

    def test_addresses_of_mlflow_are_followed(self, folder: Path) -> None:
        """A version may be that of another model, and that one a model that a run logged."""
        artifacts = artifacts_at(
            "models:/origin/7",
            uris={VersionRef("origin", 7): "models:/m-0123"},
            logged={"m-0123": folder.as_uri()},
        )
        assert artifacts.folder(no_folder) == folder

    def test_missing_folder(self, folder: Path) -> None:
        """Files that are gone are missed by their place."""
        artifacts = artifacts_at(f"{folder}-gone")
        with pytest.raises(FileNotFoundError, match="my model-gone"):
            artifacts.folder(no_folder)
        with pytest.raises(MlflowException, match="No such artifact"):
            artifacts.read("MLmodel")

    @pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "code/../../secret"])
    def test_names_do_not_lead_out(self, folder: Path, name: str) -> None:
        """A model's file cannot name a file of the server as its example."""
        (folder.parent / "secret").write_text("s3cret")
        with pytest.raises(MlflowException, match="Invalid path"):
            artifacts_at(str(folder)).read(name)


class TestRemote:
    def test_files_are_downloaded(
        self, artifact_server: tuple[ThreadingHTTPServer, Path], tmp_path: Path
    ) -> None:
        """Files of a server are read one by one, or all fetched into a folder of ours."""
        server, remote = artifact_server
        (remote / "model" / "code").mkdir(parents=True)
        (remote / "model" / "MLmodel").write_text("flavors: {}")
        (remote / "model" / "code" / "own.py").write_text("x = 1")
        artifacts = artifacts_at(f"mlflow-artifacts://127.0.0.1:{server.server_port}/model")
        spare = tmp_path / "spare"
        spare.mkdir()
        assert artifacts.read("MLmodel") == b"flavors: {}"
        assert artifacts.folder(lambda: spare) == spare
        assert (spare / "MLmodel").read_text() == "flavors: {}"
        assert (spare / "code" / "own.py").read_text() == "x = 1"

    def test_missing_file_is_no_outage(
        self, artifact_server: tuple[ThreadingHTTPServer, Path]
    ) -> None:
        """A server that answers that there is no such file does answer."""
        server, _ = artifact_server
        artifacts = artifacts_at(f"mlflow-artifacts://127.0.0.1:{server.server_port}/model")
        with pytest.raises(MlflowException) as caught:
            artifacts.read("MLmodel")
        assert not is_unreachable(caught.value)

    def test_server_that_is_down_is_an_outage(self) -> None:
        """Files that cannot be reached now may be reachable later."""
        artifacts = artifacts_at("mlflow-artifacts://127.0.0.1:1/model")
        with pytest.raises(MlflowException) as caught:
            artifacts.read("MLmodel")
        assert is_unreachable(caught.value)
