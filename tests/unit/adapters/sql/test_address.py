"""Addresses of databases: which are taken, and what is shown of them."""

from pathlib import Path

import pytest

from gql_platform.adapters.sql.address import ACCEPTED, Address
from gql_platform.errors import StoreAddressError


@pytest.mark.parametrize(
    ("uri", "driver", "file", "is_in_memory"),
    [
        ("sqlite:////srv/p.db", "sqlite+aiosqlite:////srv/p.db", Path("/srv/p.db"), False),
        ("sqlite:///p.db", "sqlite+aiosqlite:///p.db", Path("p.db"), False),
        ("sqlite://", "sqlite+aiosqlite://", None, True),
        ("sqlite:///:memory:", "sqlite+aiosqlite:///%3Amemory%3A", None, True),
        ("postgresql://db/x", "postgresql+psycopg://db/x", None, False),
        ("postgres://db/x", "postgresql+psycopg://db/x", None, False),
        ("postgresql+psycopg://db/x", "postgresql+psycopg://db/x", None, False),
    ],
)
def test_addresses_are_taken(
    uri: str, driver: str, file: Path | None, *, is_in_memory: bool
) -> None:
    """Each spelling of the two databases is understood."""
    address = Address.parsed(uri)
    assert (str(address.driver), address.file) == (driver, file)
    assert address.is_in_memory is is_in_memory


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("", "no address of a database"),
        ("/srv/p.db", "no address of a database"),
        ("mysql://me:secret@db/x", "databases of this kind"),
        ("postgresql+asyncpg://me:secret@db/x", "databases of this kind"),
        ("sqlite:///file:p.db?uri=true", "names no file"),
    ],
)
def test_other_addresses_are_refused(uri: str, problem: str) -> None:
    """The setting is named, with what it takes and without the password."""
    with pytest.raises(StoreAddressError) as refused:
        Address.parsed(uri, setting="GQL_PLATFORM_DATABASE_URL")
    assert problem in refused.value.problem
    assert (refused.value.setting, refused.value.accepted) == (
        "GQL_PLATFORM_DATABASE_URL",
        ACCEPTED,
    )
    assert "secret" not in str(refused.value)


def test_password_is_not_shown() -> None:
    """An operator sees where the database is, and nothing that opens it."""
    address = Address.parsed("postgresql://me:secret@db:5432/x?sslpassword=secret")
    assert address.shown == "postgresql+psycopg://***@db:5432/x"
