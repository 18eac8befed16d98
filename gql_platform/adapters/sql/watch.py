"""Noticing what other processes write into a SQLite file."""

import asyncio
import sqlite3
from contextlib import closing

import structlog

from gql_platform.adapters.sql.address import Address
from gql_platform.news import News

LOOK_EVERY_SECONDS = 0.05
"""How often a file is looked at; a look reads shared memory and takes microseconds."""

RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def watch_sqlite(address: Address, news: News) -> None:
    """Tell the news whenever a connection has written to the file, without end."""
    if address.file is None:
        return
    is_away = False
    while True:
        try:
            with closing(sqlite3.connect(address.file, timeout=0)) as connection:
                seen = None
                while True:
                    # SQLite changes the number whenever another connection commits.
                    (found,) = connection.execute("PRAGMA data_version").fetchone()
                    if found != seen:
                        seen = found
                        news.tell()
                    is_away = False
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
        except sqlite3.Error as error:
            if not is_away:
                log.warning("events_not_watched", reason=str(error))
            is_away = True
        await asyncio.sleep(RETRY_SECONDS)
