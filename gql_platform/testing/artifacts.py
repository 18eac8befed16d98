"""The files of runs in memory."""

from collections.abc import AsyncIterator, Sequence

from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.downloads.records import OpenFile
from gql_platform.errors import RegistryUnavailableError

CHUNK_BYTES = 64 * 1024


class InMemoryArtifacts(ArtifactStore):
    """Keep the files of runs in a dictionary; folders are what paths have in common.

    Attributes:
        is_available: Whether it answers; set it to False to play a store that is down.
    """

    def __init__(self) -> None:
        self.is_available = True
        self._files: dict[str, dict[str, bytes]] = {}

    def add_run(self, run_id: str) -> None:
        """Know a run, which has no files yet."""
        self._files.setdefault(run_id, {})

    def add(self, run_id: str, path: str, content: bytes) -> None:
        """Log a file to a run, which is known from now on."""
        self.add_run(run_id)
        self._files[run_id][path] = content

    def remove(self, run_id: str) -> None:
        """Forget a run and its files."""
        del self._files[run_id]

    async def entries(self, folder: ArtifactRef, *, limit: int) -> Sequence[Artifact] | None:
        """Return what lies directly in a folder."""
        files = self._seen(folder.run_id)
        prefix = f"{folder.path}/" if folder.path else ""
        below = [path.removeprefix(prefix) for path in files or () if path.startswith(prefix)]
        if files is None or (folder.path and not below):
            return None
        names = sorted({path.partition("/")[0] for path in below})[:limit]
        found = [await self.artifact(ArtifactRef(folder.run_id, prefix + each)) for each in names]
        return [each for each in found if each is not None]

    async def artifact(self, ref: ArtifactRef) -> Artifact | None:
        """Return the file or folder at a place, or None."""
        files = self._seen(ref.run_id) or {}
        if ref.path in files:
            size_bytes = len(files[ref.path])
            return Artifact(ref.run_id, ref.path, is_folder=False, size_bytes=size_bytes)
        if any(path.startswith(f"{ref.path}/") for path in files):
            return Artifact(ref.run_id, ref.path, is_folder=True)
        return None

    async def open(self, ref: ArtifactRef) -> OpenFile | None:
        """Return a file ready to be sent."""
        found = await self.artifact(ref)
        if found is None or found.is_folder:
            return None
        content = self._files[ref.run_id][ref.path]
        return OpenFile(_chunks(content), found.media_type, len(content))

    async def content(self, ref: ArtifactRef, *, limit_bytes: int) -> bytes | None:
        """Return all of a small file."""
        content = (self._seen(ref.run_id) or {}).get(ref.path)
        return None if content is None or len(content) > limit_bytes else content

    def _seen(self, run_id: str) -> dict[str, bytes] | None:
        if not self.is_available:
            raise RegistryUnavailableError(uri="memory:", reason="it is switched off.")
        return self._files.get(run_id)


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), CHUNK_BYTES):
        yield content[begin : begin + CHUNK_BYTES]
