"""Bringing the tables up to what the code knows, by one server while the others wait."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.database import check_revision
from gql_platform.adapters.sql.sqlite_file import PRAGMAS, write_ahead
from gql_platform.adapters.sql.tables import VERSION_TABLE

FOLDER = Path(__file__).with_name("migrations")

ADVISORY_LOCK = 0x67716C70
"""The number that every server of a fleet locks; any would do that nobody else uses."""

LOCK_SECONDS = 60
"""How long a server waits for another one that is at it."""


def upgrade(address: Address) -> None:
    """Bring the tables up to what the code knows, in one transaction.

    Args:
        address: The database, which is not in memory.

    Raises:
        DatabaseTooNewError: If a newer version of the platform has written them meanwhile.
    """
    if address.file is not None:
        write_ahead(address.file)
    engine = _engine(address)
    with engine.begin() as connection:
        if not address.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        check_revision(address, revision_of(connection))
        command.upgrade(alembic_config(connection), "head")


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables; None where there are none."""
    return MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()


def alembic_config(connection: Connection | None = None) -> Config:
    """Return what Alembic needs to know.

    Args:
        connection: Where it works, in a transaction that has begun.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _engine(address: Address) -> Engine:
    if not address.is_sqlite:
        options = f"-c lock_timeout={1000 * LOCK_SECONDS}"
        arguments = {"connect_timeout": 2, "options": options}
        return create_engine(address.url, poolclass=NullPool, connect_args=arguments)
    arguments = {"timeout": LOCK_SECONDS}
    engine = create_engine(address.url, poolclass=NullPool, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
