"""Links are made and opened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gql_platform.downloads.records import DownloadGrant, OpenFile, Secret
from gql_platform.downloads.service import Downloads
from gql_platform.errors import (
    DownloadExpiredError,
    InvalidDownloadError,
    PathNotFoundError,
    StoreUnavailableError,
)
from gql_platform.testing import InMemoryDatabase, InMemorySecretStore, InMemorySource

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)


class Clock:
    """A server with links, whose time is what the test says."""

    def __init__(self) -> None:
        self.now = NOON
        self.database = InMemoryDatabase()
        self.source = InMemorySource({"a": b"text"})
        self.downloads = self.another()

    def another(self, *kinds: str) -> Downloads:
        """Return what another server of the fleet would use."""
        return Downloads(
            InMemorySecretStore(self.database),
            dict.fromkeys(kinds or ("test",), self.source),
            now=lambda: self.now,
        )

    async def token(self, **more: timedelta) -> str:
        """Return the token of a link."""
        link = await self.downloads.url("test", "a", name="a.txt", **more)
        return link.url.removeprefix("/downloads/")


async def text_of(file: OpenFile) -> bytes:
    """Return what is sent."""
    assert not isinstance(file.content, Path)
    return b"".join([chunk async for chunk in file.content])


@pytest.fixture
def clock() -> Clock:
    """A server at noon."""
    return Clock()


class TestLinks:
    async def test_link_leads_to_the_file(self, clock: Clock) -> None:
        """It works for five minutes, in whole seconds."""
        link = await clock.downloads.url("test", "a", name="a.txt")
        grant, file = await clock.downloads.open(link.url.removeprefix("/downloads/"))
        end = datetime(2026, 1, 31, 12, 5, tzinfo=UTC)
        assert (link.expires_at, grant) == (end, DownloadGrant("test", "a", "a.txt", end))
        assert await text_of(file) == b"text"

    async def test_link_works_as_long_as_it_says(self, clock: Clock) -> None:
        """Whoever makes it may want another time."""
        token = await clock.token(expires_in=timedelta(seconds=30))
        clock.now += timedelta(seconds=29)
        await clock.downloads.open(token)
        clock.now += timedelta(seconds=1)
        with pytest.raises(DownloadExpiredError):
            await clock.downloads.open(token)

    async def test_another_server_opens_it(self, clock: Clock) -> None:
        """The servers of a fleet share the secret."""
        grant, _ = await clock.another().open(await clock.token())
        assert grant.key == "a"

    async def test_another_fleet_does_not(self, clock: Clock) -> None:
        """Each database has a secret of its own."""
        with pytest.raises(InvalidDownloadError):
            await Clock().downloads.open(await clock.token())

    async def test_kind_that_nobody_opens_is_refused(self, clock: Clock) -> None:
        """A server of another version may not know the kind; it makes no such links itself."""
        with pytest.raises(InvalidDownloadError):
            await clock.another("other").open(await clock.token())
        with pytest.raises(ValueError, match="kind 'other'"):
            await clock.downloads.url("other", "a", name="a")

    async def test_file_that_is_gone_says_so(self, clock: Clock) -> None:
        """The source tells what there is."""
        link = await clock.downloads.url("test", "gone", name="a")
        with pytest.raises(PathNotFoundError):
            await clock.downloads.open(link.url.removeprefix("/downloads/"))


class TestSecret:
    async def test_secret_is_made_once_of_random_bytes(self, clock: Clock) -> None:
        """It has 256 bits, and is kept in the database."""
        await clock.token()
        made = clock.database.contents.secrets["downloads"]
        assert made == Secret("downloads", made.value, NOON)
        assert len(bytes.fromhex(made.value)) == 32
        await clock.another().open(await clock.token())
        assert clock.database.contents.secrets == {"downloads": made}

    async def test_links_outlive_an_outage(self, clock: Clock) -> None:
        """Only the first link needs the database."""
        clock.database.is_away = True
        with pytest.raises(StoreUnavailableError):
            await clock.token()
        clock.database.is_away = False
        token = await clock.token()
        clock.database.is_away = True
        grant, _ = await clock.downloads.open(token)
        assert grant.key == "a"
