"""Webhooks and their deliveries in tables."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, cast

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.engine import Row

from gql_platform.adapters.sql.database import Database
from gql_platform.adapters.sql.session import session_of
from gql_platform.adapters.sql.tables import webhook_deliveries, webhooks
from gql_platform.events.ports import Outbox
from gql_platform.events.records import Event
from gql_platform.store import Transaction
from gql_platform.webhooks.ports import WebhookStore
from gql_platform.webhooks.records import DeliveryState, Webhook, WebhookDelivery, delivery_id_of

_webhooks, _deliveries = webhooks, webhook_deliveries


class SqlWebhookStore(WebhookStore, Outbox):
    """Keep webhooks in the platform's database.

    Args:
        database: Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, transaction: Transaction, events: Sequence[Event]) -> None:
        """Write down who is to get these events, in the transaction that they are written in."""
        await session_of(transaction).run(partial(put_deliveries, events=events))

    async def put_webhook(self, transaction: Transaction, webhook: Webhook) -> None:
        """Keep a webhook, in the place of the one with its id if there is one."""
        await session_of(transaction).put(_webhooks, asdict(webhook))

    async def locked(self, transaction: Transaction, webhook_id: str) -> Webhook | None:
        """Return a webhook that nobody else changes up to the end of the transaction."""
        # SQLite has one writer, and needs no lock.
        one = select(_webhooks).where(_webhooks.c.id == webhook_id).with_for_update()
        row = (await session_of(transaction).execute(one)).one_or_none()
        return None if row is None else _webhook(row)

    async def count(self, transaction: Transaction) -> int:
        """Return how many webhooks there are, those of the transaction included."""
        counted = select(func.count()).select_from(_webhooks)
        return int((await session_of(transaction).execute(counted)).scalar_one())

    async def delete_webhook(self, transaction: Transaction, webhook_id: str) -> bool:
        """Forget a webhook and its deliveries, and return False if there is none."""
        session = session_of(transaction)
        await session.execute(delete(_deliveries).where(_deliveries.c.webhook_id == webhook_id))
        found = await session.execute(delete(_webhooks).where(_webhooks.c.id == webhook_id))
        return bool(found.rowcount)

    async def webhook(self, webhook_id: str) -> Webhook | None:
        """Return a webhook, if there is one."""
        async with self._database.read() as session:
            found = await session.execute(select(_webhooks).where(_webhooks.c.id == webhook_id))
            row = found.one_or_none()
        return None if row is None else _webhook(row)

    async def webhooks(self, *, after: str, limit: int) -> Sequence[Webhook]:
        """Return up to ``limit`` webhooks behind an id, in the order of their ids."""
        behind = select(_webhooks).where(_webhooks.c.id > after)
        async with self._database.read() as session:
            found = await session.execute(behind.order_by(_webhooks.c.id).limit(limit))
            return list(map(_webhook, found))

    async def pause(self, webhook_id: str, *, until: datetime) -> None:
        """Leave a webhook alone for a while; whatever else was changed of it stays."""
        change = update(_webhooks).where(_webhooks.c.id == webhook_id)
        async with self._database.begin() as session:
            await session.execute(change.values(paused_until=until))

    async def disable(self, transaction: Transaction, webhook_id: str, *, because: str) -> bool:
        """Send a webhook nothing more, and return False if nothing was to be sent before."""
        change = update(_webhooks).where(_webhooks.c.id == webhook_id, _webhooks.c.is_enabled)
        values = change.values(is_enabled=False, disabled_because=because)
        return bool((await session_of(transaction).execute(values)).rowcount)

    async def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Return webhooks that something is due for, those first that wait longest."""
        # One look into an index for each webhook: what waits for one that is paused is not read.
        first_due = (
            select(func.min(_deliveries.c.next_attempt_at))
            .where(_deliveries.c.webhook_id == _webhooks.c.id)
            .where(_deliveries.c.state == DeliveryState.WAITING)
            .scalar_subquery()
        )
        paused_until = _webhooks.c.paused_until
        ready = (
            select(_webhooks.c.id, first_due.label("first_due"))
            .where(_webhooks.c.is_enabled, or_(paused_until.is_(None), paused_until <= now))
            .subquery()
        )
        statement = (
            select(ready.c.id)
            .where(ready.c.first_due <= now)
            .order_by(ready.c.first_due, ready.c.id)
            .limit(limit)
        )
        async with self._database.read() as session:
            return list((await session.execute(statement)).scalars())

    async def claim(
        self, webhook_id: str, *, lease: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Begin an attempt at up to ``limit`` deliveries that are due, the longest due first."""
        # SQLite has one writer and needs no lock; PostgreSQL passes over what others hold.
        chosen = (
            select(_deliveries.c.id)
            .where(_deliveries.c.webhook_id == webhook_id)
            .where(_deliveries.c.state == DeliveryState.WAITING)
            .where(_deliveries.c.next_attempt_at <= now)
            .order_by(_deliveries.c.next_attempt_at, _deliveries.c.event_sequence)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.begin() as session:
            ids = list((await session.execute(chosen)).scalars())
            found = await session.execute(
                update(_deliveries)
                .where(_deliveries.c.id.in_(ids))
                .values(attempts=_deliveries.c.attempts + 1, next_attempt_at=until, lease=lease)
                .returning(*_deliveries.c)
            )
            claimed = {row.id: _delivery(row) for row in found}
        return [claimed[each] for each in ids]

    async def record(self, deliveries: Sequence[WebhookDelivery], *, lease: str) -> int:
        """Keep what attempts came to, and return of how many."""
        count = 0
        async with self._database.begin() as session:
            for each in deliveries:
                change = (
                    update(_deliveries)
                    .where(_deliveries.c.id == each.id, _deliveries.c.lease == lease)
                    .values(
                        state=each.state,
                        next_attempt_at=each.next_attempt_at,
                        lease=None,
                        completed_at=each.completed_at,
                        status_code=each.status_code,
                        problem=each.problem,
                    )
                )
                count += (await session.execute(change)).rowcount
        return count

    async def redeliver(
        self, transaction: Transaction, delivery_id: str, *, now: datetime
    ) -> WebhookDelivery | None:
        """Make a delivery due once more, with all attempts before it; None if there is none."""
        found = await session_of(transaction).execute(
            update(_deliveries)
            .where(_deliveries.c.id == delivery_id)
            .values(
                state=DeliveryState.WAITING,
                attempts=0,
                next_attempt_at=now,
                lease=None,
                completed_at=None,
            )
            .returning(*_deliveries.c)
        )
        row = found.one_or_none()
        return None if row is None else _delivery(row)

    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Return up to ``limit`` deliveries of a webhook, newest first."""
        conditions = [_deliveries.c.webhook_id == webhook_id]
        if state is not None:
            conditions.append(_deliveries.c.state == state)
        if before is not None:
            conditions.append(_deliveries.c.event_sequence < before)
        statement = select(_deliveries).where(and_(*conditions))
        async with self._database.read() as session:
            found = await session.execute(
                statement.order_by(_deliveries.c.event_sequence.desc()).limit(limit)
            )
            return list(map(_delivery, found))

    async def deliveries_by_id(self, ids: Sequence[str]) -> Sequence[WebhookDelivery]:
        """Return those of these deliveries that there still are, in any order."""
        async with self._database.read() as session:
            found = await session.execute(select(_deliveries).where(_deliveries.c.id.in_(ids)))
            return list(map(_delivery, found))

    async def delete_completed(self, *, before: datetime, limit: int) -> int:
        """Forget deliveries that were completed before, and return how many; at most ``limit``."""
        count = 0
        async with self._database.begin() as session:
            gone = list((await session.execute(_forgotten_webhooks())).scalars())
            for condition in (
                _deliveries.c.completed_at < before,
                *(_deliveries.c.webhook_id == each for each in gone),
            ):
                chosen = select(_deliveries.c.id).where(condition).limit(limit - count)
                found = await session.execute(
                    delete(_deliveries).where(_deliveries.c.id.in_(chosen))
                )
                count += found.rowcount
        return count


def _forgotten_webhooks() -> Select[Any]:
    """Return the query for webhooks that have deliveries and are gone.

    It goes from one webhook's deliveries to those of the next in an index, and reads no others.
    """
    owners = select(func.min(_deliveries.c.webhook_id).label("id")).cte("owners", recursive=True)
    following = (
        select(func.min(_deliveries.c.webhook_id))
        .where(_deliveries.c.webhook_id > owners.c.id)
        .scalar_subquery()
    )
    owners = owners.union_all(select(following).where(owners.c.id.is_not(None)))
    return select(owners.c.id).where(
        owners.c.id.is_not(None), owners.c.id.not_in(select(_webhooks.c.id))
    )


def put_deliveries(connection: Connection, events: Sequence[Event]) -> None:
    """Write down who is to get these events, in the transaction of a connection."""
    found = connection.execute(select(_webhooks).where(_webhooks.c.is_enabled))
    asking = list(map(_webhook, found))
    rows = [
        _new_row(webhook, event) for event in events for webhook in asking if webhook.wants(event)
    ]
    if rows:
        connection.execute(insert(_deliveries), rows)


def _new_row(webhook: Webhook, event: Event) -> dict[str, Any]:
    return {
        "id": delivery_id_of(webhook.id, event.id),
        "webhook_id": webhook.id,
        "event_sequence": event.sequence,
        "event": {**asdict(event), "time": event.time.isoformat()},
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_attempt_at": event.time,
    }


def _webhook(row: Row[Any]) -> Webhook:
    values = cast(dict[str, Any], row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return Webhook(**{**values, "types": tuple(row.types)})


def _delivery(row: Row[Any]) -> WebhookDelivery:
    values = dict(cast(dict[str, Any], row._mapping))  # noqa: SLF001 - SQLAlchemy's public name
    del values["event_sequence"]
    event = Event(**{**row.event, "time": datetime.fromisoformat(row.event["time"])})
    state = DeliveryState.__members__.get(row.state, DeliveryState.UNKNOWN)
    return WebhookDelivery(**{**values, "event": event, "state": state})
