"""The keys of requests in a table."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.session import session_of
from gql_platform.adapters.sql.tables import idempotency_keys as keys
from gql_platform.idempotency.ports import RequestKeys
from gql_platform.idempotency.records import KeptRequest, Result
from gql_platform.store import Transaction


class SqlRequestKeys(RequestKeys):
    """Keep the keys of requests in the platform's database.

    Args:
        database: Where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, transaction: Transaction, request: KeptRequest, *, now: datetime
    ) -> KeptRequest | None:
        """Keep a request, unless one with its key is kept already."""
        session = session_of(transaction)
        insert = sqlite.insert if session.dialect == "sqlite" else postgresql.insert
        # Whoever comes second waits here for the first one's commit.
        put = insert(keys).values(asdict(request)).on_conflict_do_nothing().returning(keys.c.key)
        if (await session.execute(put)).first() is not None:
            return None
        row = (
            await session.execute(select(keys).where(_is(request)).with_for_update())
        ).one_or_none()
        if row is None:
            # It was released in between.
            return await self.claim(transaction, request, now=now)
        found = KeptRequest(**cast(dict[str, Any], row._mapping))  # noqa: SLF001 - a public name
        if not found.may_be_replaced(request, now=now):
            return found
        await session.execute(update(keys).where(_is(request)).values(asdict(request)))
        return None

    async def prolong(self, request: KeptRequest, *, until: datetime) -> None:
        """Keep others from taking a request over, if the claim still holds."""
        async with self._database.begin() as session:
            await session.execute(
                update(keys).where(_is_claimed(request)).values(claimed_until=until)
            )

    async def complete(
        self, transaction: Transaction, request: KeptRequest, result: Result
    ) -> bool:
        """Keep what a request came to, and return False if somebody else has taken it over."""
        change = update(keys).where(_is_claimed(request)).values(result=result)
        return bool((await session_of(transaction).execute(change)).rowcount)

    async def release(self, request: KeptRequest) -> None:
        """Forget a request that came to nothing, if the claim still holds."""
        async with self._database.begin() as session:
            await session.execute(delete(keys).where(_is_claimed(request)))

    async def delete_expired(self, *, now: datetime) -> int:
        """Forget what has expired, and return how many there were."""
        async with self._database.begin() as session:
            found = await session.execute(delete(keys).where(keys.c.expires_at <= now))
        return int(found.rowcount)


def _is(request: KeptRequest) -> ColumnElement[bool]:
    return and_(keys.c.scope == request.scope, keys.c.key == request.key)


def _is_claimed(request: KeptRequest) -> ColumnElement[bool]:
    return and_(_is(request), keys.c.claim == request.claim, keys.c.result.is_(None))
