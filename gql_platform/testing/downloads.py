"""Secrets and files of downloads in memory."""

from collections.abc import AsyncIterator, Mapping

from gql_platform.downloads.ports import DownloadSource, SecretStore
from gql_platform.downloads.records import BINARY, OpenFile, Secret
from gql_platform.errors import PathNotFoundError
from gql_platform.testing.database import InMemoryDatabase


class InMemorySecretStore(SecretStore):
    """Keep secrets in a dictionary.

    Args:
        database: Whose dictionary.
    """

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database

    async def shared(self, new: Secret) -> Secret:
        """Return the secret that is kept under a name, the new one where there is none yet."""
        async with self._database.begin() as transaction:
            return transaction.contents.secrets.setdefault(new.name, new)


class InMemorySource(DownloadSource):
    """Give files out of a dictionary, in chunks.

    Args:
        files: The bytes of each, by key.
        media_type: What kind of files they are.
        chunk_bytes: How many bytes are given at once.

    Attributes:
        released: The keys of the files that were let go of, in order.
    """

    def __init__(
        self, files: Mapping[str, bytes], *, media_type: str = BINARY, chunk_bytes: int = 1024
    ) -> None:
        self._files = files
        self._media_type = media_type
        self._chunk_bytes = chunk_bytes
        self.released: list[str] = []

    async def open(self, key: str) -> OpenFile:
        """Return the file of a key.

        Raises:
            PathNotFoundError: If there is none.
        """
        if key not in self._files:
            raise PathNotFoundError(path=key)
        content = self._files[key]

        async def release() -> None:
            self.released.append(key)

        return OpenFile(self._chunks(content), self._media_type, len(content), release)

    async def _chunks(self, content: bytes) -> AsyncIterator[bytes]:
        for begin in range(0, len(content), self._chunk_bytes):
            yield content[begin : begin + self._chunk_bytes]
