"""Workers in a table: each says that it lives, and the others see when it does not."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, select, update

from gql_platform.adapters.sql.tables import jobs, workers
from gql_platform.jobs.records import UNFINISHED, Backlog, JobState, WorkerLife

SILENCE = timedelta(seconds=10)
"""A worker that is not heard of for so long counts as dead."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def database_now(connection: Connection) -> datetime:
    """Return the time by the one clock that all workers share."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found


def add_worker(connection: Connection, life: WorkerLife) -> None:
    """Let the others know of a new worker."""
    connection.execute(insert(workers).values(asdict(life)))


def beat(connection: Connection, name: str, *, now: datetime) -> bool:
    """Say that a worker lives, and return False if another one has its jobs already."""
    changed = update(workers).where(workers.c.name == name, workers.c.heir.is_(None))
    return bool(connection.execute(changed.values(seen_at=now)).rowcount)


def leave(connection: Connection, name: str) -> None:
    """Say that a worker lives no longer, so that its jobs go on elsewhere at once."""
    connection.execute(update(workers).where(workers.c.name == name).values(seen_at=_LONG_AGO))


def silent_workers(connection: Connection, *, now: datetime) -> Sequence[str]:
    """Return the workers that count as dead."""
    found = connection.execute(select(workers.c.name).where(workers.c.seen_at < now - SILENCE))
    return [row.name for row in found]


def claim(connection: Connection, name: str, *, heir: str, now: datetime) -> bool:
    """Become the heir of a dead worker, and return False if it lives or another one is that.

    An heir that dies itself, before it has forgotten the dead one, gets an heir in turn.
    """
    changed = (
        update(workers)
        .where(workers.c.name == name, workers.c.seen_at < now - SILENCE)
        .values(heir=heir, seen_at=now)
    )
    return bool(connection.execute(changed).rowcount)


def forget(connection: Connection, name: str) -> None:
    """Forget a worker that has left nothing."""
    connection.execute(delete(workers).where(workers.c.name == name))


def are_jobs_alone(connection: Connection) -> bool:
    """Return whether there are jobs to do and no worker that lives."""
    asked = select(
        and_(
            exists(select(jobs.c.id).where(jobs.c.state.in_(UNFINISHED))),
            ~exists(select(workers.c.name).where(_is_alive(connection))),
        )
    )
    return bool(connection.execute(asked).scalar_one())


def backlog(connection: Connection) -> Backlog:
    """Return how much there is to do, and how many workers live."""
    counted = select(jobs.c.state, func.count(), func.min(jobs.c.created_at))
    by_state = {
        JobState[state]: (count, oldest)
        for state, count, oldest in connection.execute(
            counted.where(jobs.c.state.in_(UNFINISHED)).group_by(jobs.c.state)
        )
    }
    queued, waiting_since = by_state.get(JobState.QUEUED, (0, None))
    running, _ = by_state.get(JobState.RUNNING, (0, None))
    living = select(func.count()).select_from(workers).where(_is_alive(connection))
    return Backlog(queued, running, waiting_since, connection.execute(living).scalar_one())


def _is_alive(connection: Connection) -> ColumnElement[bool]:
    heard_of = workers.c.seen_at >= database_now(connection) - SILENCE
    return and_(heard_of, workers.c.heir.is_(None))
