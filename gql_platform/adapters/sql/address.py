"""Where the platform's database is: a SQLite file, SQLite in memory, or PostgreSQL."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from gql_platform.adapters.sql.sqlite_file import database_file
from gql_platform.errors import StoreAddressError

ACCEPTED = "an address such as sqlite:////srv/platform.db or postgresql://user:password@host/name"

_POSTGRESQL = frozenset({"postgres", "postgresql", "postgresql+psycopg"})


KEEPALIVES = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Seconds, seconds, probes and milliseconds until a PostgreSQL counts as away whose machine is gone
without a word: about ten seconds instead of two hours.
"""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a database.

    Attributes:
        url: What the operator gave.
        file: The file of SQLite; None for other databases, and for SQLite in memory.
    """

    url: URL
    file: Path | None

    @classmethod
    def parsed(cls, uri: str, *, setting: str = "the database's address") -> Self:
        """Return an address that could work.

        Args:
            uri: The address as text.
            setting: The setting that names it, for the error.

        Raises:
            StoreAddressError: If it is none, or of a database that the platform does not use.
        """
        try:
            url = make_url(uri)
            file = database_file(uri)
        except (ArgumentError, ValueError) as error:
            raise _refused(uri, setting, "it is no address of a database") from error
        if url.drivername in _POSTGRESQL and not _is_installed("psycopg"):
            problem = 'its driver is not installed; `pip install "gql-platform[postgresql]"`'
            raise _refused(uri, setting, problem)
        if url.drivername in _POSTGRESQL:
            return cls(url.set(drivername="postgresql+psycopg"), None)
        if url.drivername != "sqlite":
            raise _refused(uri, setting, "the platform keeps nothing in databases of this kind")
        if file is None and url.database not in (None, "", ":memory:"):
            raise _refused(uri, setting, "it names no file")
        return cls(url, file)

    def check_shared(self, *, setting: str) -> None:
        """Let a database pass that several processes can open.

        Args:
            setting: The setting that names it, for the error.

        Raises:
            StoreAddressError: If it is in the memory of one.
        """
        if self.is_in_memory:
            raise _refused(str(self.url), setting, "no other process can open a database in memory")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self.url.drivername == "sqlite"

    @property
    def is_in_memory(self) -> bool:
        """Whether it ends with the process."""
        return self.is_sqlite and self.file is None

    @property
    def driver(self) -> URL:
        """The address with the driver that works on an event loop."""
        return self.url.set(drivername="sqlite+aiosqlite") if self.is_sqlite else self.url

    @property
    def shown(self) -> str:
        """The address without user, password and query."""
        return re.sub(r"(?<=://)[^/@]*@", "***@", str(self.url)).partition("?")[0]


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _refused(uri: str, setting: str, problem: str) -> StoreAddressError:
    shown = re.sub(r"(?<=://).*@", "***@", uri).partition("?")[0]
    return StoreAddressError(setting=setting, uri=shown, problem=problem, accepted=ACCEPTED)
