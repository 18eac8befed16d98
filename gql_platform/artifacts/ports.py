"""What artifacts need of a store."""

from collections.abc import Sequence
from typing import Protocol

from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.downloads.records import OpenFile


class ArtifactStore(Protocol):
    """Read the files of runs.

    Paths are checked before: they have no empty, ``.`` or ``..`` parts. What a link of the file
    system leads to outside of a run's files is not there, and neither is what is no file and no
    folder.

    No method raises for what does not exist. Each raises
    `gql_platform.errors.RegistryUnavailableError` if the store does not answer.
    """

    async def entries(self, folder: ArtifactRef, *, limit: int) -> Sequence[Artifact] | None:
        """Return what lies directly in a folder.

        Args:
            folder: Where.
            limit: At least 1.

        Returns:
            Up to so many entries by ascending path (code point order); None if there is no such
            folder. A run without files has an empty root.
        """
        ...

    async def artifact(self, ref: ArtifactRef) -> Artifact | None:
        """Return the file or folder at a place other than the root, or None."""
        ...

    async def open(self, ref: ArtifactRef) -> OpenFile | None:
        """Return a file ready to be sent, or None if there is no such file.

        It is not read into memory, however large it is. Whoever is returned it releases it.
        """
        ...

    async def content(self, ref: ArtifactRef, *, limit_bytes: int) -> bytes | None:
        """Return all of a small file; None if there is no such file, or it is larger."""
        ...
