"""A connection to MLflow's database that can change nothing."""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from gql_platform.adapters.mlflow.address import is_database
from gql_platform.adapters.mlflow.database.tables import KNOWN_REVISIONS, alembic_version
from gql_platform.adapters.mlflow.outage import outages
from gql_platform.adapters.mlflow.threads import Threads

T = TypeVar("T")

CONNECTIONS = 4
"""How many reads are at work at once; they spend much of their time in Python."""

BUSY_SECONDS = 1.5
"""How long a read waits for the lock of another program, or for a free connection."""

STATEMENT_SECONDS = 10
"""How long PostgreSQL works on one statement."""

READABLE = frozenset({"sqlite", "postgresql"})


log = structlog.get_logger(__name__)


class UnknownRevisionError(Exception):
    """The tables are of a revision that this reader does not know.

    Attributes:
        revision: It; None for a database without MLflow's tables.
    """

    def __init__(self, revision: str | None) -> None:
        super().__init__(revision)
        self.revision = revision


def is_readable(uri: str) -> bool:
    """Return whether a store is a database of a kind that is read directly."""
    if not is_database(uri):
        return False
    url = make_url(uri)
    is_in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    return url.get_backend_name() in READABLE and not is_in_memory


class MLflowDatabase:
    """Read MLflow's tables, each time in one transaction that sees one state of them.

    Each read looks at the tables' revision first. Where it is not a known one, something else is
    asked instead, and the log says so once for each revision.

    Args:
        uri: Where they are.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._threads = Threads()
        self._told: set[str] = set()

    async def read(self, work: Callable[[Connection], T], instead: Callable[[], Awaitable[T]]) -> T:
        """Return what a function reads, in a thread, or what is asked instead.

        Raises:
            RegistryUnavailableError: If the database does not answer.
        """
        try:
            return await self._threads.run(lambda: self._read(work))
        except UnknownRevisionError as error:
            self._tell(error.revision)
            return await instead()

    def read_here(self, work: Callable[[Connection], T], instead: Callable[[], T]) -> T:
        """Return the same, in the caller's own thread.

        Raises:
            RegistryUnavailableError: If the database does not answer.
        """
        try:
            return self._read(work)
        except UnknownRevisionError as error:
            self._tell(error.revision)
            return instead()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with outages(self.uri), self.engine.connect() as connection:
            revision = _revision_of(connection)
            if revision not in KNOWN_REVISIONS:
                raise UnknownRevisionError(revision)
            return work(connection)

    def _tell(self, revision: str | None) -> None:
        # A database without tables is a new one, in which MLflow's client makes them.
        if revision is not None and revision not in self._told:
            self._told.add(revision)
            log.warning(
                "mlflow_tables_not_read",
                reason="their revision is not known; MLflow's own client is asked instead",
                revision=revision,
                known=sorted(KNOWN_REVISIONS),
            )

    @cached_property
    def engine(self) -> Engine:
        """What gives connections; it connects when it is first used."""
        options: dict[str, Any] = {
            "pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": BUSY_SECONDS,
        }  # fmt: skip
        if make_url(self.uri).get_backend_name() == "sqlite":
            return _read_only_sqlite(
                create_engine(self.uri, connect_args={"timeout": BUSY_SECONDS}, **options)
            )
        milliseconds = 1000 * STATEMENT_SECONDS
        engine = create_engine(
            self.uri,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 2,
                "application_name": "gql-platform",
                "options": f"-c statement_timeout={milliseconds}",
            },
            **options,
        )
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _read_only_sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        # Python's driver would not begin a transaction before a write.
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables; None when they are not there."""
    try:
        found = connection.execute(select(alembic_version.c.version_num)).scalars().all()
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            return None
        raise
    return found[0] if len(found) == 1 else None
