"""What schedules need of a store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gql_platform.schedules.records import JobSchedule
from gql_platform.store import Transaction


class ScheduleStore(Protocol):
    """Keep schedules.

    Each method raises `gql_platform.errors.StoreUnavailableError` when the database does not
    answer.
    """

    async def put(self, transaction: Transaction, schedule: JobSchedule) -> None:
        """Keep a schedule, in the place of the one with its id if there is one."""
        ...

    async def locked(self, transaction: Transaction, schedule_id: str) -> JobSchedule | None:
        """Return a schedule that nobody else changes before the transaction ends."""
        ...

    async def delete(self, transaction: Transaction, schedule_id: str) -> bool:
        """Forget a schedule, and return False if there is none."""
        ...

    async def schedules(self) -> Sequence[JobSchedule]:
        """Return all schedules, in the order of their ids."""
        ...

    async def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return the ids of up to ``limit`` schedules whose time has come, the earliest first."""
        ...
