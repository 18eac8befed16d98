"""The files of jobs, in any folder or object store that MLflow's artifact repositories know."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from gql_platform.downloads.records import OpenFile
from gql_platform.errors import JobFileNotFoundError

MEDIA_TYPES = {".zip": "application/zip"}

log = structlog.get_logger(__name__)


class ArtifactJobFiles:
    """Keep the files of jobs, and open them for downloads.

    A `gql_platform.jobs.ports.JobFiles` and a `gql_platform.downloads.ports.DownloadSource`.

    Args:
        uri: Where they are, such as ``file:///srv/exports`` or ``s3://bucket/exports``.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def put(self, job_id: str, file: Path) -> None:
        """Keep a file, in the place of the one with its name; for processes of jobs."""
        self._repository().log_artifact(str(file), job_id)

    async def open(self, key: str) -> OpenFile:
        """Open the file that a key names: the id of a job, a slash, and the file's name."""
        job_id, _, name = key.partition("/")
        return await asyncio.to_thread(self._opened, job_id, name)

    async def delete(self, job_ids: Sequence[str]) -> None:
        """Delete all files of these jobs; one that has none is no error."""
        await asyncio.to_thread(self._delete, job_ids)

    def _opened(self, job_id: str, name: str) -> OpenFile:
        repository = self._repository()
        media_type = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
        if isinstance(repository, LocalArtifactRepository):
            path = Path(repository.artifact_dir) / job_id / name
            if not path.is_file():
                raise JobFileNotFoundError(job_id=job_id, name=name)
            return OpenFile(path, media_type, path.stat().st_size)
        folder = tempfile.mkdtemp(prefix="gql-platform-")
        try:
            path = Path(repository.download_artifacts(f"{job_id}/{name}", folder))
        except Exception as error:
            # Each kind of store has a client with errors of its own.
            log.warning("job_file_not_read", job=job_id, name=name, reason=str(error))
            shutil.rmtree(folder, ignore_errors=True)
            raise JobFileNotFoundError(job_id=job_id, name=name) from error

        async def release() -> None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

        return OpenFile(path, media_type, path.stat().st_size, release)

    def _delete(self, job_ids: Sequence[str]) -> None:
        repository = self._repository()
        for job_id in job_ids:
            try:
                if repository.list_artifacts(job_id):
                    repository.delete_artifacts(job_id)
            except Exception as error:  # noqa: BLE001 - each kind of store has its own
                # They are in nobody's way, and jobs must be forgotten all the same.
                log.warning("job_files_left", job=job_id, reason=str(error))

    def _repository(self) -> ArtifactRepository:
        return get_artifact_repository(self._uri)
