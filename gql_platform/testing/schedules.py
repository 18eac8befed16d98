"""Schedules in memory."""

from collections.abc import Sequence
from datetime import datetime

from gql_platform.schedules.ports import ScheduleStore
from gql_platform.schedules.records import JobSchedule
from gql_platform.store import Transaction
from gql_platform.testing.database import InMemoryDatabase, contents_of


class InMemoryScheduleStore(ScheduleStore):
    """Keep schedules in a dictionary.

    Args:
        database: Whose dictionary.
    """

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database

    async def put(self, transaction: Transaction, schedule: JobSchedule) -> None:
        """Keep a schedule, in the place of the one with its id if there is one."""
        contents_of(transaction).schedules[schedule.id] = schedule

    async def locked(self, transaction: Transaction, schedule_id: str) -> JobSchedule | None:
        """Return a schedule; transactions come one after the other."""
        return contents_of(transaction).schedules.get(schedule_id)

    async def delete(self, transaction: Transaction, schedule_id: str) -> bool:
        """Forget a schedule, and return False if there is none."""
        return contents_of(transaction).schedules.pop(schedule_id, None) is not None

    async def schedules(self) -> Sequence[JobSchedule]:
        """Return all schedules, in the order of their ids."""
        found = self._database.seen().schedules
        return [found[each] for each in sorted(found)]

    async def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return the ids of up to ``limit`` schedules whose time has come, the earliest first."""
        due = [
            (each.next_at, each.id)
            for each in self._database.seen().schedules.values()
            if each.next_at is not None and each.next_at <= now
        ]
        return [schedule_id for _, schedule_id in sorted(due)][:limit]
