"""The files of registered versions, wherever they are kept."""

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from gql_platform.adapters.mlflow.locations import Locations
from gql_platform.registry.records import VersionRef

_MODELS_URI = re.compile(r"models:/+(?P<name>[^/]+)(/(?P<version>\d+))?")


def location_of(locations: Locations, ref: VersionRef) -> str:
    """Return where the files of a version are.

    MLflow's own resolution of its addresses asks the process's global store, which is not the one
    that this server was told to use.

    Raises:
        MlflowException: If there is no such version, or no logged model behind it.
        LookupError: As well.
    """
    uri = locations.of_version(ref.model, ref.version)
    while link := _MODELS_URI.fullmatch(uri):
        name, number = link["name"], link["version"]
        uri = locations.of_version(name, int(number)) if number else locations.of_logged_model(name)
    return uri


class Artifacts:
    """The files of one version.

    Args:
        uri: Where they are.
        tracking_uri: Where MLflow keeps runs, whose files a server of MLflow may send.
    """

    def __init__(self, uri: str, *, tracking_uri: str) -> None:
        self._repository: ArtifactRepository = get_artifact_repository(
            uri, tracking_uri=tracking_uri
        )

    def read(self, name: str) -> bytes:
        """Return the content of one file.

        Args:
            name: Its path below the version's folder.
        """
        if isinstance(self._repository, LocalArtifactRepository):
            return Path(self._repository.download_artifacts(name)).read_bytes()
        with TemporaryDirectory(prefix="gql-platform-") as folder:
            return Path(self._repository.download_artifacts(name, folder)).read_bytes()

    def folder(self, make_folder: Callable[[], Path]) -> Path:
        """Return a local folder with all files: where they are, if that is a local folder.

        Args:
            make_folder: Returns an empty folder to download them to otherwise.

        Raises:
            FileNotFoundError: If there are none.
        """
        if not isinstance(self._repository, LocalArtifactRepository):
            return Path(self._repository.download_artifacts("", str(make_folder())))
        folder = Path(self._repository.artifact_dir)
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder}.")
        return folder
