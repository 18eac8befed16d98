"""A server whose clock stands still, and that can die in the middle of a change."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gql_platform.events.service import Events
from gql_platform.idempotency.service import CLAIM, Idempotency
from gql_platform.journal.service import Journal
from gql_platform.registry.service import Registry
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.service import RunChanges
from gql_platform.testing import (
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryRequestKeys,
    InMemoryRunWriter,
    InMemoryStore,
)
from gql_platform.tracking.records import MetricRef, Run, RunState
from gql_platform.tracking.service import Tracking

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Server:
    """A server with a clock that stands still, and what it writes to."""

    def __init__(self) -> None:
        self.now = NOON
        self.store = InMemoryStore()
        self.database = InMemoryDatabase()
        self.events = Events(self.database, InMemoryEventLog(self.database))
        self.idempotency = Idempotency(
            self.database, InMemoryRequestKeys(self.database), now=lambda: self.now
        )
        self.changes = self.served_by(InMemoryRunWriter(self.store))
        self.store.add_run("r", state=RunState.RUNNING, params={"C": "1"})

    def served_by(self, writer: RunWriter | None) -> RunChanges:
        """Return what changes runs by another writer."""
        tracking = Tracking(self.store, Registry(self.store))
        journal = Journal(self.events, self.idempotency)
        return RunChanges(writer, tracking, journal, now=lambda: self.now)

    async def run(self, run_id: str = "r") -> Run:
        """Return a run as it is now."""
        return (await self.store.runs([run_id]))[run_id]

    def told(self) -> list[tuple[str, str, str, Mapping[str, Any]]]:
        """Return type, subject, actor and data of each event."""
        return [
            (each.type, f"{each.subject_kind}:{each.subject_id}", each.actor, dict(each.data))
            for each in self.database.contents.events
        ]

    async def values(self, key: str, run_id: str = "r") -> list[float]:
        """Return all logged values of a metric."""
        found = await self.store.metric_histories([MetricRef(run_id, key)])
        return list(found[MetricRef(run_id, key)].values)

    async def dies_in(self, change: Callable[[], Any]) -> None:
        """Make a change whose server is gone when it is to be written down."""
        begin = self.database.begin
        beginnings = 0

        def begin_once() -> Any:
            nonlocal beginnings
            beginnings += 1
            # The first transaction claims the key, and the next one would write it all down.
            if beginnings > 1:
                raise DeadError
            return begin()

        self.database.begin = begin_once  # type: ignore[method-assign]
        with pytest.raises(DeadError):
            await change()
        self.database.begin = begin  # type: ignore[method-assign]
        self.now += 2 * CLAIM


class DeadError(Exception):
    """The server is gone."""
