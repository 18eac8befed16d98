"""What downloads need: files of each kind, and a place for the key that signs."""

from typing import Protocol

from gql_platform.downloads.records import OpenFile, Secret


class DownloadSource(Protocol):
    """Open the files of one kind."""

    async def open(self, key: str) -> OpenFile:
        """Open the file that a key names; nothing waits on the event loop meanwhile.

        Args:
            key: As it was given when the link was made.

        Raises:
            NotFoundError: If it is not there, or no longer.
            UnavailableError: If what keeps it does not answer.
        """
        ...


class SecretStore(Protocol):
    """Keep secrets that all servers of a fleet share, and that outlive them."""

    async def shared(self, new: Secret) -> Secret:
        """Return the secret that is kept under a name.

        Where there is none yet, the new one is kept. Of several servers that come at once with one
        of their own, all are returned the same.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        ...
