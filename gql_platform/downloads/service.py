"""Links to files, and the files behind them."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from gql_platform.downloads.ports import DownloadSource, SecretStore
from gql_platform.downloads.records import Download, DownloadGrant, OpenFile, Secret
from gql_platform.downloads.signing import grant_of, token_of
from gql_platform.errors import InvalidDownloadError

PATH = "/downloads/"
"""Where the files are fetched from; the token follows."""

LIFETIME = timedelta(minutes=5)
"""How long a link works, where nobody wants another time."""

SECRET_NAME = "downloads"  # noqa: S105 - a name, and no secret
SECRET_BYTES = 32


class Downloads:
    """Make links to files that need no key, and open what they lead to.

    All servers of a fleet sign with the same secret, so that each opens the links of the others.

    Args:
        secret_store: Where the secret is kept.
        sources: What opens the files of each kind.
        now: Tells the time.
        random_bytes: Makes so many bytes that nobody can guess.
    """

    def __init__(
        self,
        secret_store: SecretStore,
        sources: Mapping[str, DownloadSource],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._secret_store = secret_store
        self._sources = sources
        self._now = now
        self._random_bytes = random_bytes
        self._key: bytes | None = None

    async def url(
        self, kind: str, key: str, *, name: str, expires_in: timedelta = LIFETIME
    ) -> Download:
        """Return a link to a file; whoever calls has seen that its reader may have it.

        Args:
            kind: What is fetched; there is a source for it.
            key: Which one of the kind.
            name: What the file is called where it is saved.
            expires_in: How long the link works, to the second.

        Raises:
            StoreUnavailableError: If the secret is needed first, and the database is away.
            ValueError: If there is no source for the kind, or the key is too long for a link.
        """
        if kind not in self._sources:
            raise ValueError(f"nothing opens downloads of the kind {kind!r}")
        expires_at = (self._now() + expires_in).replace(microsecond=0)
        grant = DownloadGrant(kind, key, name, expires_at)
        token = token_of(grant, key=await self._signing_key())
        return Download(PATH + token, expires_at)

    async def open(self, token: str) -> tuple[DownloadGrant, OpenFile]:
        """Return what a link permits, and the file that it leads to.

        The file is released by whoever is returned it.

        Raises:
            InvalidDownloadError: If no server of this fleet made the link.
            DownloadExpiredError: If its time is over.
            NotFoundError: If the file is not there any more.
            StoreUnavailableError: If the secret is needed first, and the database is away.
        """
        grant = grant_of(token, key=await self._signing_key(), now=self._now())
        source = self._sources.get(grant.kind)
        if source is None:
            # Another version of the platform made it, or one that was set up otherwise.
            raise InvalidDownloadError
        return grant, await source.open(grant.key)

    async def _signing_key(self) -> bytes:
        """Return what signs; once it is known, the database is not asked again."""
        if self._key is None:
            new = Secret(SECRET_NAME, self._random_bytes(SECRET_BYTES).hex(), self._now())
            self._key = bytes.fromhex((await self._secret_store.shared(new)).value)
        return self._key
