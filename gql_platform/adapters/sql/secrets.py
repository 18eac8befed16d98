"""Secrets in a table, the same for all servers that share the database."""

from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.session import Session
from gql_platform.adapters.sql.tables import secrets
from gql_platform.downloads.ports import SecretStore
from gql_platform.downloads.records import Secret


class SqlSecretStore(SecretStore):
    """Keep secrets in the platform's database.

    Args:
        database: Where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def shared(self, new: Secret) -> Secret:
        """Return the secret that is kept under a name, the new one where there is none yet."""
        # Nearly always it is there, and nobody who writes need be waited for.
        async with self._database.read() as session:
            found = await _kept(session, new.name)
        if found is not None:
            return found
        async with self._database.begin() as session:
            insert = sqlite.insert if session.dialect == "sqlite" else postgresql.insert
            # Whoever comes second waits here for the first one's commit, and then reads it.
            await session.execute(insert(secrets).values(asdict(new)).on_conflict_do_nothing())
            return await _kept(session, new.name) or new


async def _kept(session: Session, name: str) -> Secret | None:
    row = (await session.execute(select(secrets).where(secrets.c.name == name))).one_or_none()
    return None if row is None else Secret(**cast(dict[str, Any], row._mapping))  # noqa: SLF001 - a public name
