"""The files of runs, for links that lead to them."""

from gql_platform.artifacts.paths import checked_file
from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.artifacts.records import ArtifactRef
from gql_platform.downloads.records import OpenFile
from gql_platform.errors import ArtifactNotFoundError

KIND = "artifact"
"""What such a link says that it leads to."""


class ArtifactSource:
    """Open the files of runs; a `DownloadSource`.

    Args:
        store: Where they are.
    """

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    async def open(self, key: str) -> OpenFile:
        """Open the file that a key names.

        Raises:
            ArtifactNotFoundError: If it is not there, or no longer.
            RegistryUnavailableError: If the store does not answer.
        """
        ref = ArtifactRef.of_key(key)
        checked_file(ref.path)
        found = await self._store.open(ref)
        if found is None:
            raise ArtifactNotFoundError(run_id=ref.run_id, path=ref.path)
        return found
