"""How DBOS gets to the platform's database, and what it writes there."""

import json
import logging
from typing import Any

from dbos import Serializer
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from gql_platform.adapters.sql.address import KEEPALIVES, Address
from gql_platform.adapters.sql.sqlite_file import PRAGMAS

APPLICATION = "gql-platform"

APPLICATION_VERSION = "1"
"""Of the queued work, not of the package: a new one when old work cannot go on in new code."""

SCHEMA = "platform_dbos"
"""Where DBOS's tables are on PostgreSQL; on SQLite they lie beside the platform's."""

QUEUE = "jobs"
WORKFLOW = "job"

BUSY_SECONDS = 30.0
"""How long a worker waits for others that write; nobody waits for its answer."""

AWAY = (OperationalError, InterfaceError, InternalError, NoConnectionError)
"""What is raised while the database does not answer, or takes no writes."""

# It tells of each of its tables, and of what it thinks of SQLite.
logging.getLogger("dbos").setLevel(logging.ERROR)


class JsonSerializer(Serializer):
    """Write what DBOS keeps as JSON, so that reading it runs no code."""

    def serialize(self, data: Any) -> str:
        """Return plain values as text, and others as what they look like."""
        return json.dumps(data, default=str)

    def deserialize(self, serialized_data: str) -> Any:
        """Return the values."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """The name of the format in DBOS's tables."""
        return "gql_platform_json"


def address_for_dbos(address: Address) -> str:
    """Return the address as DBOS reads it, password included."""
    url = address.url if address.is_sqlite else address.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def engine_for_threads(address: Address) -> Engine:
    """Return what gives threads connections to the database."""
    if not address.is_sqlite:
        arguments = {"connect_timeout": 2, "application_name": "gql-platform-jobs", **KEEPALIVES}
        return create_engine(address.url, pool_pre_ping=True, connect_args=arguments)
    engine = create_engine(address.url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        # The writer's lock is taken at once: DBOS reads before it writes.
        connection.isolation_level = "IMMEDIATE"
        for pragma in PRAGMAS:
            connection.execute(pragma)

    return engine
