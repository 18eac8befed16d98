"""The platform's database in memory."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from gql_platform.downloads.records import Secret
from gql_platform.errors import StoreUnavailableError
from gql_platform.events.ports import EventLog
from gql_platform.events.records import Event, EventFilter, EventSlice, NewEvent
from gql_platform.idempotency.ports import RequestKeys
from gql_platform.idempotency.records import KeptRequest, Result
from gql_platform.jobs.records import Job, LogLine
from gql_platform.news import News
from gql_platform.schedules.records import JobSchedule
from gql_platform.store import Store, Transaction
from gql_platform.webhooks.records import Webhook, WebhookDelivery


@dataclass(slots=True)
class Contents:
    """All that the database holds.

    Attributes:
        events: The events that there still are, in order.
        newest: The sequence of the newest that there has been.
        deleted_through: Events up to this one are deleted.
        requests: The requests that are kept, by scope and key.
        jobs: The jobs, by id.
        job_logs: What they have to say, by their ids.
        schedules: The schedules, by id.
        webhooks: Where events are sent to, by id.
        deliveries: The events on their way, by id.
        secrets: What all servers share, by name.
    """

    events: list[Event] = field(default_factory=list)
    newest: int = 0
    deleted_through: int = 0
    requests: dict[tuple[str, str], KeptRequest] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    job_logs: dict[str, tuple[LogLine, ...]] = field(default_factory=dict)
    schedules: dict[str, JobSchedule] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    deliveries: dict[str, WebhookDelivery] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)

    def copied(self) -> "Contents":
        """Return contents that can be changed without changing these."""
        return replace(
            self,
            events=copy(self.events),
            requests=copy(self.requests),
            jobs=copy(self.jobs),
            job_logs=copy(self.job_logs),
            schedules=copy(self.schedules),
            webhooks=copy(self.webhooks),
            deliveries=copy(self.deliveries),
            secrets=copy(self.secrets),
        )


class InMemoryTransaction(Transaction):
    """Changes of contents that nobody else sees yet."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.calls: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something when the changes are seen by all."""
        self.calls.append(call)


class InMemoryDatabase(Store):
    """Keep what the platform must not lose, as long as the object lives.

    Attributes:
        contents: What is committed.
        is_away: Whether to answer nothing, for tests of that.
    """

    def __init__(self) -> None:
        self.contents = Contents()
        self.is_away = False
        self._turn = asyncio.Lock()

    async def prepare(self) -> None:
        """Answer only; there are no tables.

        Raises:
            StoreUnavailableError: If it is away.
        """
        self.seen()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[InMemoryTransaction]:
        """Begin a transaction; the others wait.

        Raises:
            StoreUnavailableError: If it is away.
        """
        async with self._turn:
            transaction = InMemoryTransaction(self.seen().copied())
            yield transaction
            self.seen()
            self.contents = transaction.contents
        for call in transaction.calls:
            call()

    def seen(self) -> Contents:
        """Return what is committed.

        Raises:
            StoreUnavailableError: If it is away.
        """
        if self.is_away:
            raise StoreUnavailableError(uri="memory", reason="it is away")
        return self.contents

    async def close(self) -> None:
        """Do nothing; there are no connections."""


def contents_of(transaction: Transaction) -> Contents:
    """Return what a transaction of this database sees.

    Raises:
        TypeError: If another database began it.
    """
    if not isinstance(transaction, InMemoryTransaction):
        raise TypeError(f"a transaction of {type(transaction).__name__} is none of this database")
    return transaction.contents


class InMemoryEventLog(EventLog):
    """Keep events in a list.

    Args:
        database: Whose list.
    """

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database
        self._news = News()

    @property
    def news(self) -> News:
        """Tells whoever follows that there may be new events."""
        return self._news

    async def append(
        self, transaction: Transaction, events: Sequence[NewEvent], *, time: datetime
    ) -> tuple[Event, ...]:
        """Write events down behind all others, in the caller's transaction."""
        contents = contents_of(transaction)
        written = tuple(
            Event(sequence=sequence, id=str(uuid.uuid4()), time=time, **asdict(each))
            for sequence, each in enumerate(events, start=contents.newest + 1)
        )
        contents.events.extend(written)
        contents.newest += len(written)
        transaction.after_commit(self._news.tell)
        return written

    async def read(self, *, after: int, limit: int, chosen: EventFilter) -> EventSlice:
        """Return up to ``limit`` events behind a sequence."""
        contents = self._database.seen()
        begin = max(0, after - contents.deleted_through)
        rest = (each for each in contents.events[begin:] if chosen.matches(each))
        read = tuple(each for each, _ in zip(rest, range(limit), strict=False))
        through = read[-1].sequence if len(read) == limit else max(contents.newest, after)
        return EventSlice(read, through, contents.newest, contents.deleted_through)

    async def events_by_id(self, ids: Sequence[str]) -> Sequence[Event]:
        """Return those of these events that there still are, in any order."""
        return [each for each in self._database.seen().events if each.id in ids]

    async def delete(self, *, before: datetime, keep: int, limit: int) -> int:
        """Delete the oldest events."""
        async with self._database.begin() as transaction:
            contents = transaction.contents
            aged = [each.sequence for each in contents.events if each.time < before]
            last = max([*aged, contents.newest - keep])
            count = max(0, min(last - contents.deleted_through, limit))
            del contents.events[:count]
            contents.deleted_through += count
            return count

    async def watch(self) -> None:
        """Return: no other process writes."""


class InMemoryRequestKeys(RequestKeys):
    """Keep the keys of requests in a dictionary.

    Args:
        database: Whose dictionary.
    """

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database

    async def claim(
        self, transaction: Transaction, request: KeptRequest, *, now: datetime
    ) -> KeptRequest | None:
        """Keep a request, unless one with its key is kept already."""
        requests = contents_of(transaction).requests
        found = requests.get((request.scope, request.key))
        if found is not None and not found.may_be_replaced(request, now=now):
            return found
        requests[request.scope, request.key] = request
        return None

    async def prolong(self, request: KeptRequest, *, until: datetime) -> None:
        """Keep others from taking a request over, if the claim still holds."""
        async with self._database.begin() as transaction:
            self._change(transaction, request, replace(request, claimed_until=until))

    async def complete(
        self, transaction: Transaction, request: KeptRequest, result: Result
    ) -> bool:
        """Keep what a request came to, and return False if somebody else has taken it over."""
        return self._change(transaction, request, replace(request, result=result))

    async def release(self, request: KeptRequest) -> None:
        """Forget a request that came to nothing, if the claim still holds."""
        async with self._database.begin() as transaction:
            self._change(transaction, request, None)

    async def delete_expired(self, *, now: datetime) -> int:
        """Forget what has expired, and return how many there were."""
        async with self._database.begin() as transaction:
            requests = transaction.contents.requests
            expired = [place for place, each in requests.items() if each.expires_at <= now]
            for place in expired:
                del requests[place]
            return len(expired)

    def _change(
        self, transaction: Transaction, request: KeptRequest, changed: KeptRequest | None
    ) -> bool:
        """Put something in the place of a request that is at work, if the claim holds."""
        requests = contents_of(transaction).requests
        place = (request.scope, request.key)
        found = requests.get(place)
        if found is None or found.claim != request.claim or found.result is not None:
            return False
        if changed is None:
            del requests[place]
        else:
            requests[place] = changed
        return True
