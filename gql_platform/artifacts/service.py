"""The use cases of artifacts."""

import base64
from datetime import timedelta

from gql_platform.artifacts.paths import checked_file, checked_path, is_nameable
from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.records import Artifact, ArtifactFolder, ArtifactRef
from gql_platform.artifacts.source import KIND
from gql_platform.downloads.records import Download
from gql_platform.downloads.service import LIFETIME, Downloads
from gql_platform.errors import PageSizeError

MAX_ENTRIES = 1000
"""How many entries of a folder are returned at once."""

MAX_TEXT_BYTES = 64 * 1024
MAX_IMAGE_BYTES = 256 * 1024
"""How large a file may be to stand in an answer itself; whatever is larger is downloaded."""

SIGNATURES = {
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
}
"""What files of the kinds of images that are shown begin with; SVG can hold scripts."""


class Artifacts:
    """Read the files of runs.

    Args:
        store: Where they are.
        downloads: What makes links to them.
        link_lifetime: How long a link works.
    """

    def __init__(
        self, store: ArtifactStore, downloads: Downloads, *, link_lifetime: timedelta = LIFETIME
    ) -> None:
        self._store = store
        self._downloads = downloads
        self._link_lifetime = link_lifetime

    async def folder(self, run_id: str, path: str, *, first: int) -> ArtifactFolder | None:
        """Return the first entries of a folder; None if there is no such folder.

        Args:
            run_id: Whose.
            path: Which; "" is the root.
            first: How many entries at most.

        Raises:
            InvalidArtifactPathError: If the path can be no folder of a run.
            PageSizeError: If so many are never returned.
            RegistryUnavailableError: If the store does not answer.
        """
        if not 1 <= first <= MAX_ENTRIES:
            raise PageSizeError(first=first, maximum=MAX_ENTRIES)
        ref = ArtifactRef(run_id, checked_path(path))
        found = await self._store.entries(ref, limit=first + 1)
        if found is None:
            return None
        # What no path can name could not be asked for afterwards.
        entries = tuple(each for each in found[:first] if is_nameable(each.path))
        return ArtifactFolder(path, entries, truncated=len(found) > first)

    async def children(self, artifact: Artifact, *, first: int) -> ArtifactFolder | None:
        """Return the first entries of an artifact that is a folder; None for a file.

        Raises:
            PageSizeError: If so many are never returned.
            RegistryUnavailableError: If the store does not answer.
        """
        if not artifact.is_folder:
            return None
        return await self.folder(artifact.run_id, artifact.path, first=first)

    async def artifact(self, run_id: str, path: str) -> Artifact | None:
        """Return a file or folder of a run, or None.

        Raises:
            InvalidArtifactPathError: If the path can be no file of a run.
            RegistryUnavailableError: If the store does not answer.
        """
        return await self._store.artifact(ArtifactRef(run_id, checked_file(path)))

    async def download(self, artifact: Artifact) -> Download | None:
        """Return a link to a file; None for a folder.

        Raises:
            StoreUnavailableError: If the first link is made, and the database is away.
        """
        if artifact.is_folder:
            return None
        return await self._downloads.url(
            KIND, artifact.ref.key, name=artifact.name, expires_in=self._link_lifetime
        )

    async def text(self, artifact: Artifact) -> str | None:
        """Return what stands in a small file of text; None for any other.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        if not artifact.is_text:
            return None
        content = await self._content(artifact, MAX_TEXT_BYTES)
        try:
            return None if content is None else content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    async def data_uri(self, artifact: Artifact) -> str | None:
        """Return a small image as a page can show it; None for any other file.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        signatures = SIGNATURES.get(artifact.media_type)
        content = await self._content(artifact, MAX_IMAGE_BYTES) if signatures else None
        # A name says nothing about what is in a file.
        if content is None or not signatures or not content.startswith(signatures):
            return None
        return f"data:{artifact.media_type};base64,{base64.b64encode(content).decode('ascii')}"

    async def _content(self, artifact: Artifact, limit_bytes: int) -> bytes | None:
        if artifact.size_bytes is None or artifact.size_bytes > limit_bytes:
            return None
        return await self._store.content(artifact.ref, limit_bytes=limit_bytes)
