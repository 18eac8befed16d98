"""Where the files of a run are: in a folder of this machine, or in a store of artifacts."""

import posixpath
from collections.abc import Callable, Sequence
from pathlib import Path

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from requests import HTTPError

from gql_platform.adapters.mlflow.local_folder import LocalFolder
from gql_platform.adapters.mlflow.place import Found, Place
from gql_platform.errors import InvalidArtifactPathError

_ABSENT_CODES = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


class StorePlace(Place):
    """A store of artifacts that MLflow knows how to reach.

    Args:
        repository: What reaches it.
    """

    def __init__(self, repository: ArtifactRepository) -> None:
        self._repository = repository

    def entries(self, path: str, *, limit: int) -> list[Found] | None:
        """Return up to ``limit`` entries of a folder.

        MLflow lists a file, and what is not there, as it lists a folder without entries.
        """
        found = self._listed(path)
        if not found and path:
            itself = self.find(path)
            return [] if itself is not None and itself.is_folder else None
        return found[:limit]

    def find(self, path: str) -> Found | None:
        """Return a file or folder, as the folder that it lies in lists it."""
        listed = self._listed(posixpath.dirname(path))
        return next((each for each in listed if each.path == path), None)

    def file(self, path: str, make_folder: Callable[[], Path]) -> Path | None:
        """Download a file, and return where it is.

        Raises:
            InvalidArtifactPathError: If the store cannot be asked for such a path.
        """
        if isinstance(self._repository, HttpArtifactRepository) and set("#?%") & set(path):
            # MLflow would ask for what stands before it.
            problem = "the server of artifacts takes no '#', '?' or '%'"
            raise InvalidArtifactPathError(path=path, problem=problem)
        place = make_folder() / "file"
        # The public way lists the folder once more, and downloads in threads that the process
        # would wait for at its end. This method is what each kind of store must have.
        try:
            self._repository._download_file(path, str(place))  # noqa: SLF001
        except (MlflowException, HTTPError) as error:
            if _says_absent(error):
                return None
            raise
        return place

    def _listed(self, path: str) -> list[Found]:
        try:
            infos = self._repository.list_artifacts(path or None)
        except (MlflowException, HTTPError) as error:
            if _says_absent(error):
                return []
            raise
        found = [
            Found(each.path, bool(each.is_dir), self._size_of(each))
            for each in infos
            # A store must not show what lies elsewhere; some list a folder within itself.
            if posixpath.dirname(each.path) == path and posixpath.basename(each.path)
        ]
        return sorted(found, key=lambda each: each.path)

    def _size_of(self, info: FileInfo) -> int | None:
        if info.is_dir:
            return None
        # A server of MLflow leaves the size of an empty file out.
        is_served = isinstance(self._repository, HttpArtifactRepository)
        return info.file_size or 0 if is_served else info.file_size


def _says_absent(error: MlflowException | HTTPError) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in _ABSENT_CODES
    return error.response is not None and error.response.status_code in (400, 404)


class Places:
    """Find the place that an address of MLflow's stands for.

    Args:
        tracking_uri: Where MLflow keeps runs.
        local_folders: Where files of this machine may lie; None lets them lie anywhere.
    """

    def __init__(self, tracking_uri: str, *, local_folders: Sequence[Path] | None) -> None:
        self._tracking_uri = tracking_uri
        self._local_folders = (
            None if local_folders is None else [each.resolve() for each in local_folders]
        )

    def at(self, uri: str) -> Place | None:
        """Return the place; None for a folder of this machine that is not to be read."""
        repository = get_artifact_repository(uri, tracking_uri=self._tracking_uri)
        if not isinstance(repository, LocalArtifactRepository):
            return StorePlace(repository)
        folder = Path(repository.artifact_dir).resolve()
        allowed = self._local_folders
        if allowed is not None and not any(folder.is_relative_to(each) for each in allowed):
            return None
        return LocalFolder(folder)
