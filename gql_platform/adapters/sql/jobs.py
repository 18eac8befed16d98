"""Jobs in a table, for servers on their event loops and for workers in their threads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.engine import Row

from gql_platform.adapters.sql.tables import job_log, jobs
from gql_platform.jobs.records import (
    UNFINISHED,
    Job,
    JobFilter,
    JobState,
    LogLevel,
    LogLine,
    LogRequest,
    Note,
    Progress,
    Values,
)

MAX_LINES = 10_000
"""How long the log of a job can get."""

MAX_MESSAGE = 4_000
"""How many characters of a line are kept."""

FULL = "The log is full; what follows is not kept."


def insert_job(connection: Connection, job: Job) -> None:
    """Keep a new job."""
    connection.execute(insert(jobs).values(**asdict(job)))


def job_of(connection: Connection, job_id: str) -> Job | None:
    """Return a job; None when there is none of that id."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    return None if row is None else _job(row)


def jobs_by_id(connection: Connection, job_ids: Sequence[str]) -> Mapping[str, Job]:
    """Return the jobs of these ids that there are, by id."""
    found = connection.execute(select(jobs).where(jobs.c.id.in_(job_ids)))
    return {row.id: _job(row) for row in found}


def jobs_of(
    connection: Connection, *, chosen: JobFilter, after: str | None, limit: int
) -> Sequence[Job]:
    """Return jobs, the newest first."""
    asked = select(jobs).where(*_conditions(chosen)).order_by(jobs.c.id.desc()).limit(limit)
    if after is not None:
        asked = asked.where(jobs.c.id < after)
    return [_job(row) for row in connection.execute(asked)]


def begin_job(connection: Connection, job_id: str, *, worker: str, now: datetime) -> Job | None:
    """Say that a worker is at a job, and return it; None if it is finished.

    What another worker writes of it from then on does not count.
    """
    started = func.coalesce(jobs.c.started_at, now)
    changed = (
        update(jobs)
        .where(_is_unfinished(job_id))
        .values(state=JobState.RUNNING, started_at=started, worker=worker)
    )
    if not connection.execute(changed).rowcount:
        return None
    return job_of(connection, job_id)


def is_at_work(connection: Connection, job_id: str, *, worker: str) -> bool:
    """Return whether a job is unfinished and still that worker's."""
    asked = select(jobs.c.id).where(_is_unfinished(job_id, worker))
    return connection.execute(asked).first() is not None


def report_progress(
    connection: Connection, job_id: str, progress: Progress, *, worker: str
) -> None:
    """Say how far a job is."""
    changed = update(jobs).where(_is_unfinished(job_id, worker))
    connection.execute(changed.values(progress=asdict(progress)))


def report_failure(
    connection: Connection, job_id: str, *, worker: str, failures: int, error: str
) -> None:
    """Say that an attempt failed, and that there will be another."""
    changed = update(jobs).where(_is_unfinished(job_id, worker))
    connection.execute(changed.values(failures=failures, error=error))


def finish_job(
    connection: Connection,
    job_id: str,
    state: JobState,
    *,
    now: datetime,
    worker: str | None = None,
    result: Values | None = None,
) -> bool:
    """Give a job its last state, and return False if it has one, or is another worker's."""
    changed = (
        update(jobs)
        .where(_is_unfinished(job_id, worker))
        .values(state=state, finished_at=now, result=result)
    )
    return bool(connection.execute(changed).rowcount)


def write_log(
    connection: Connection, job_id: str, notes: Sequence[Note], *, worker: str, now: datetime
) -> None:
    """Add lines to the log of a job, up to as many as it may have.

    Whoever else writes to the same log waits, so that no two lines have one number.
    """
    mine = select(jobs.c.id).where(_is_unfinished(job_id, worker)).with_for_update()
    if connection.execute(mine).first() is None:
        return
    last = connection.execute(
        select(func.coalesce(func.max(job_log.c.number), 0)).where(job_log.c.job_id == job_id)
    ).scalar_one()
    lines = [
        LogLine(number, now, note.level, note.message[:MAX_MESSAGE])
        for number, note in enumerate(notes, start=last + 1)
        if number < MAX_LINES
    ]
    if last < MAX_LINES <= last + len(notes):
        lines.append(LogLine(MAX_LINES, now, LogLevel.WARNING, FULL))
    if lines:
        connection.execute(insert(job_log), [{"job_id": job_id, **asdict(each)} for each in lines])


def logs_of(
    connection: Connection, requests: Sequence[LogRequest]
) -> Mapping[LogRequest, Sequence[LogLine]]:
    """Return the parts of logs that are asked for, each in its order, in one statement.

    The lines of a job have all numbers from 1 on, so that a part is a range of them.
    """
    job_ids = defaultdict[tuple[int, int], list[str]](list)
    for request in requests:
        job_ids[request.after, request.limit].append(request.job_id)
    asked = [
        and_(job_log.c.job_id.in_(ids), job_log.c.number.between(after + 1, after + limit))
        for (after, limit), ids in job_ids.items()
    ]
    found: dict[str, list[LogLine]] = defaultdict(list)
    rows = select(job_log).where(or_(*asked)).order_by(job_log.c.job_id, job_log.c.number)
    for row in connection.execute(rows):
        line = LogLine(row.number, row.time, LogLevel[row.level], row.message)
        found[row.job_id].append(line)
    return {
        request: [
            line
            for line in found[request.job_id]
            if request.after < line.number <= request.after + request.limit
        ]
        for request in requests
    }


def finished_jobs(connection: Connection, *, before: datetime, limit: int) -> Sequence[str]:
    """Return the ids of jobs that were finished before."""
    found = connection.execute(
        select(jobs.c.id)
        .where(jobs.c.state.not_in(UNFINISHED), jobs.c.finished_at < before)
        .order_by(jobs.c.id)
        .limit(limit)
    )
    return [row.id for row in found]


def delete_jobs(connection: Connection, job_ids: Sequence[str]) -> None:
    """Forget jobs, with their logs."""
    connection.execute(delete(job_log).where(job_log.c.job_id.in_(job_ids)))
    connection.execute(delete(jobs).where(jobs.c.id.in_(job_ids)))


def _is_unfinished(job_id: str, worker: str | None = None) -> ColumnElement[bool]:
    is_open = and_(jobs.c.id == job_id, jobs.c.state.in_(UNFINISHED))
    return is_open if worker is None else and_(is_open, jobs.c.worker == worker)


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
