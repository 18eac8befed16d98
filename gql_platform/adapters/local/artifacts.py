"""No files of runs: models in files have no runs."""

from collections.abc import Sequence

from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.downloads.records import OpenFile


class NoArtifacts:
    """Find nothing; an `ArtifactStore`."""

    async def entries(self, folder: ArtifactRef, *, limit: int) -> Sequence[Artifact] | None:
        """Return nothing: there is no run of any id."""
        del folder, limit
        return None

    async def artifact(self, ref: ArtifactRef) -> Artifact | None:
        """Return nothing."""
        del ref
        return None

    async def open(self, ref: ArtifactRef) -> OpenFile | None:
        """Return nothing."""
        del ref
        return None

    async def content(self, ref: ArtifactRef, *, limit_bytes: int) -> bytes | None:
        """Return nothing."""
        del ref, limit_bytes
        return None
