"""DBOS's queue, as a server sees it that runs no jobs itself."""

from collections.abc import Sequence

from dbos import DBOS, DBOSClient, EnqueueOptions
from sqlalchemy import Connection

from gql_platform.adapters.dbos.connection import (
    APPLICATION,
    APPLICATION_VERSION,
    QUEUE,
    SCHEMA,
    WORKFLOW,
    JsonSerializer,
    address_for_dbos,
    engine_for_threads,
)
from gql_platform.adapters.sql.address import Address
from gql_platform.jobs.records import Job


class Queue:
    """Put jobs into DBOS's queue; its tables are made where they are missing.

    Args:
        address: Where the queue is.
    """

    def __init__(self, address: Address) -> None:
        DBOS.migrate(address_for_dbos(address), schema=SCHEMA)
        self._engine = engine_for_threads(address)
        self._client = DBOSClient(
            system_database_engine=self._engine,
            dbos_system_schema=SCHEMA,
            serializer=JsonSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )

    def put(self, connection: Connection, job: Job) -> None:
        """Queue a job in the transaction of a connection."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": job.id,
            "app_version": APPLICATION_VERSION,
            "priority": job.priority,
        }
        self._client.enqueue_in_transaction(connection, options, job.id)

    def forget(self, job_ids: Sequence[str]) -> None:
        """Forget what DBOS keeps of finished jobs."""
        self._client.delete_workflows([*job_ids])

    def close(self) -> None:
        """Let go of all connections."""
        self._client.destroy()
        self._engine.dispose()
