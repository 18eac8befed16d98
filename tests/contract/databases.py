"""The databases that keep the platform's contracts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.events import SqlEventLog
from gql_platform.adapters.sql.idempotency import SqlRequestKeys
from gql_platform.adapters.sql.notifications import watch_postgresql
from gql_platform.adapters.sql.secrets import SqlSecretStore
from gql_platform.adapters.sql.upgrade import upgrade
from gql_platform.adapters.sql.watch import watch_sqlite
from gql_platform.adapters.sql.webhooks import SqlWebhookStore
from gql_platform.downloads.ports import SecretStore
from gql_platform.events.ports import EventLog
from gql_platform.idempotency.ports import RequestKeys
from gql_platform.store import Store
from gql_platform.testing import (
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryRequestKeys,
    InMemorySecretStore,
    InMemoryWebhookStore,
)
from tests.postgresql import PostgreSQL

SHARED = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
"""The databases that several processes can work on."""

DATABASES = ["in_memory", "sqlite_in_memory", *SHARED]


@dataclass(frozen=True)
class Kept:
    """A database with all that is kept in it.

    Attributes:
        store: The database.
        event_log: Its events.
        request_keys: Its keys of requests.
        webhooks: Its webhooks, which are the outbox of its events too.
        secrets: What its servers share.
        uri: Where it is; None for one that only this process has.
    """

    store: Store
    event_log: EventLog
    request_keys: RequestKeys
    webhooks: InMemoryWebhookStore | SqlWebhookStore
    secrets: SecretStore
    uri: str | None = None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server for all tests, each of which makes databases of its own."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture(params=DATABASES)
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    """Each database in turn, empty and with its tables."""
    if request.param == "in_memory":
        yield in_memory()
        return
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgresql").new_database()
    else:
        uri = "sqlite://" if request.param == "sqlite_in_memory" else f"sqlite:///{tmp_path}/p.db"
    opened = await opened_at(uri)
    yield opened
    await opened.store.close()


def in_memory() -> Kept:
    """Return the database of the package's own test doubles."""
    database = InMemoryDatabase()
    return Kept(
        database,
        InMemoryEventLog(database),
        InMemoryRequestKeys(database),
        InMemoryWebhookStore(database),
        InMemorySecretStore(database),
    )


async def opened_at(uri: str) -> Kept:
    """Return a database at an address, with its tables, as one replica sees it."""
    address = Address.parsed(uri)
    database = Database(address, upgrade=upgrade)
    await database.prepare()
    watch = watch_sqlite if address.is_sqlite else watch_postgresql
    shared = None if address.is_in_memory else uri
    keys = SqlRequestKeys(database)
    events = SqlEventLog(database, watch=watch)
    webhooks, secrets = SqlWebhookStore(database), SqlSecretStore(database)
    return Kept(database, events, keys, webhooks, secrets, shared)


@asynccontextmanager
async def replica_of(kept: Kept) -> AsyncIterator[Kept]:
    """Open the same database as another replica sees it."""
    assert kept.uri is not None
    opened = await opened_at(kept.uri)
    yield opened
    await opened.store.close()
