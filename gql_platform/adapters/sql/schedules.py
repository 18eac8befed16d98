"""Schedules in a table."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete, select
from sqlalchemy.engine import Row

from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.session import session_of
from gql_platform.adapters.sql.tables import job_schedules
from gql_platform.schedules.ports import ScheduleStore
from gql_platform.schedules.records import JobSchedule
from gql_platform.store import Transaction


class SqlScheduleStore(ScheduleStore):
    """Keep schedules in the platform's database.

    Args:
        database: Where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, transaction: Transaction, schedule: JobSchedule) -> None:
        """Keep a schedule, in the place of the one with its id if there is one."""
        await session_of(transaction).put(job_schedules, asdict(schedule))

    async def locked(self, transaction: Transaction, schedule_id: str) -> JobSchedule | None:
        """Return a schedule that nobody else changes before the transaction ends."""
        asked = select(job_schedules).where(job_schedules.c.id == schedule_id).with_for_update()
        row = (await session_of(transaction).execute(asked)).one_or_none()
        return None if row is None else _schedule(row)

    async def delete(self, transaction: Transaction, schedule_id: str) -> bool:
        """Forget a schedule, and return False if there is none."""
        statement = delete(job_schedules).where(job_schedules.c.id == schedule_id)
        return bool((await session_of(transaction).execute(statement)).rowcount)

    async def schedules(self) -> Sequence[JobSchedule]:
        """Return all schedules, in the order of their ids."""
        async with self._database.read() as session:
            found = await session.execute(select(job_schedules).order_by(job_schedules.c.id))
            return list(map(_schedule, found))

    async def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return the ids of up to ``limit`` schedules whose time has come, the earliest first."""
        next_at = job_schedules.c.next_at
        asked = select(job_schedules.c.id).where(next_at <= now).order_by(next_at).limit(limit)
        async with self._database.read() as session:
            return [row.id for row in await session.execute(asked)]


def _schedule(row: Row[Any]) -> JobSchedule:
    return JobSchedule(**cast(dict[str, Any], row._mapping))  # noqa: SLF001 - a public name
