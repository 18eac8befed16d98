"""Jobs in a table, for servers on their event loops and for workers in their threads."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update
from sqlalchemy.engine import Row

from gql_platform.adapters.sql.tables import jobs
from gql_platform.jobs.records import UNFINISHED, Job, JobFilter, JobState, Progress, Values


def insert_job(connection: Connection, job: Job) -> None:
    """Keep a new job."""
    connection.execute(insert(jobs).values(**asdict(job)))


def job_of(connection: Connection, job_id: str) -> Job | None:
    """Return a job; None when there is none of that id."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    return None if row is None else _job(row)


def jobs_of(
    connection: Connection, *, chosen: JobFilter, after: str | None, limit: int
) -> Sequence[Job]:
    """Return jobs, the newest first."""
    asked = select(jobs).where(*_conditions(chosen)).order_by(jobs.c.id.desc()).limit(limit)
    if after is not None:
        asked = asked.where(jobs.c.id < after)
    return [_job(row) for row in connection.execute(asked)]


def begin_job(connection: Connection, job_id: str, *, now: datetime) -> Job | None:
    """Say that a worker is at a job, and return it; None if it is finished."""
    started = func.coalesce(jobs.c.started_at, now)
    changed = (
        update(jobs)
        .where(_is_unfinished(job_id))
        .values(state=JobState.RUNNING, started_at=started)
    )
    if not connection.execute(changed).rowcount:
        return None
    return job_of(connection, job_id)


def report_progress(connection: Connection, job_id: str, progress: Progress) -> None:
    """Say how far a job is."""
    connection.execute(update(jobs).where(_is_unfinished(job_id)).values(progress=asdict(progress)))


def report_failure(connection: Connection, job_id: str, *, failures: int, error: str) -> None:
    """Say that an attempt failed, and that there will be another."""
    connection.execute(
        update(jobs).where(_is_unfinished(job_id)).values(failures=failures, error=error)
    )


def finish_job(
    connection: Connection,
    job_id: str,
    state: JobState,
    *,
    now: datetime,
    result: Values | None = None,
) -> bool:
    """Give a job its last state, and return False if it has one."""
    changed = (
        update(jobs)
        .where(_is_unfinished(job_id))
        .values(state=state, finished_at=now, result=result)
    )
    return bool(connection.execute(changed).rowcount)


def _is_unfinished(job_id: str) -> ColumnElement[bool]:
    return and_(jobs.c.id == job_id, jobs.c.state.in_(UNFINISHED))


def _conditions(chosen: JobFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.kinds:
        found.append(jobs.c.kind.in_(chosen.kinds))
    if chosen.states:
        found.append(jobs.c.state.in_(chosen.states))
    return found


def _job(row: Row[Any]) -> Job:
    values = cast(dict[str, Any], dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name
    values["state"] = JobState[values["state"]]
    values["progress"] = Progress(**values["progress"])
    return Job(**values)
