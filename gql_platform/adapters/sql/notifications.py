"""Hearing what the replicas of a fleet write into PostgreSQL."""

import asyncio

import psycopg
import structlog
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from gql_platform.adapters.sql.address import KEEPALIVES, Address
from gql_platform.adapters.sql.events import CHANNEL
from gql_platform.news import News

RETRY_SECONDS = 1.0

QUIET_SECONDS = 20.0
"""A connection that is silent for so long is asked whether it still lives."""

log = structlog.get_logger(__name__)


async def watch_postgresql(address: Address, news: News) -> None:
    """Tell the news whenever a replica has appended events, without end.

    While the database is away it is tried again, and what was written meanwhile is told then.
    """
    is_away = False
    while True:
        try:
            async with await _connection(address) as connection:
                await connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
                is_away = False
                news.tell()
                while True:
                    async for _ in connection.notifies(timeout=QUIET_SECONDS):
                        news.tell()
                    async with asyncio.timeout(QUIET_SECONDS):
                        await connection.execute("SELECT 1")
        except (psycopg.Error, OSError) as error:
            if not is_away:
                log.warning("events_not_watched", reason=str(error))
            is_away = True
        await asyncio.sleep(RETRY_SECONDS)


async def _connection(address: Address) -> psycopg.AsyncConnection[tuple[object, ...]]:
    uri = address.url.set(drivername="postgresql").render_as_string(hide_password=False)
    given = make_conninfo(
        uri, connect_timeout=2, application_name="gql-platform events", **KEEPALIVES
    )
    return await psycopg.AsyncConnection.connect(given, autocommit=True)
