"""What all servers of a fleet share is the same for each, on every database."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.adapters.sql.tables import secrets
from gql_platform.downloads.records import Secret
from gql_platform.downloads.service import Downloads
from gql_platform.testing import InMemorySource
from tests.contract.databases import SHARED, Kept, replica_of

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def secret_of(value: str, *, name: str = "test", hours: int = 0) -> Secret:
    """Return a secret that a server made up."""
    return Secret(name, value, NOON + timedelta(hours=hours))


class TestSecretStore:
    async def test_first_one_is_kept(self, kept: Kept) -> None:
        """Whoever comes later is returned what the first one brought, with its time."""
        first = secret_of("first")
        assert await kept.secrets.shared(first) == first
        assert await kept.secrets.shared(secret_of("second", hours=1)) == first

    async def test_names_are_apart(self, kept: Kept) -> None:
        """Each name has a secret of its own."""
        for name in ("one", "other"):
            assert await kept.secrets.shared(secret_of(name, name=name)) == secret_of(
                name, name=name
            )

    async def test_of_many_at_once_one_wins(self, kept: Kept) -> None:
        """Servers that start together agree."""
        calls = (kept.secrets.shared(secret_of(str(number))) for number in range(50))
        assert len(set(await asyncio.gather(*calls))) == 1

    @pytest.mark.parametrize("kept", SHARED, indirect=True)
    async def test_replicas_agree(self, kept: Kept) -> None:
        """Other servers get the same, at once and when they start later."""
        async with replica_of(kept) as other:
            stores = (kept.secrets, other.secrets) * 10
            calls = (store.shared(secret_of(str(n))) for n, store in enumerate(stores))
            (agreed,) = set(await asyncio.gather(*calls))
        async with replica_of(kept) as later:
            assert await later.secrets.shared(secret_of("late")) == agreed

    def test_columns_are_called_like_attributes(self) -> None:
        """The table's columns are the record's attributes."""
        assert [each.name for each in secrets.columns] == [
            each.name for each in dataclasses.fields(Secret)
        ]


@pytest.mark.parametrize("kept", SHARED, indirect=True)
async def test_a_link_of_one_replica_is_opened_by_another(kept: Kept) -> None:
    """All servers of a fleet sign with the same secret, also after a restart."""
    source = InMemorySource({"a": b"text"})
    async with replica_of(kept) as other:
        link = await Downloads(kept.secrets, {"test": source}).url("test", "a", name="a.txt")
        token = link.url.removeprefix("/downloads/")
        grant, _ = await Downloads(other.secrets, {"test": source}).open(token)
    assert (grant.kind, grant.key, grant.name) == ("test", "a", "a.txt")
