"""When jobs are started, and which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from gql_platform.doc import Doc

SCHEDULE_CREATED = "schedule.created"
SCHEDULE_UPDATED = "schedule.updated"
SCHEDULE_DELETED = "schedule.deleted"
"""Somebody made, changed or deleted a schedule."""

SCHEDULE_SKIPPED = "schedule.skipped"
"""A time came while the job of the time before was not done yet."""

SUBJECT = "JobSchedule"
"""The kind of what these events happen to."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times that come again and again.

    Attributes:
        cron: Five fields: minute, hour, day of the month, month, day of the week.
        time_zone: Whose clock they are read on, such as ``Europe/Berlin``.
    """

    cron: str
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class JobSchedule:
    """A job that is started again and again."""

    id: Annotated[str, Doc("Its own id, a UUID.")]
    kind: Annotated[str, Doc("What the jobs do.")]
    input: Annotated[Mapping[str, Any], Doc("What each of them is given.")]
    priority: Annotated[int, Doc("The jobs' priority; of those that wait, lower numbers go first.")]
    cron: Annotated[
        str,
        Doc(
            "When, in five fields: minute, hour, day of the month, month, day of the week; "
            "`30 2 * * *` is each day at half past two."
        ),
    ]
    time_zone: Annotated[str, Doc("Whose clock that is, such as `Europe/Berlin`.")]
    is_enabled: Annotated[bool, Doc("Whether jobs are started.")]
    next_at: Annotated[datetime | None, Doc("When the next one is started; null while none is.")]
    created_at: Annotated[datetime, Doc("When somebody made it.")]
    created_by: Annotated[str, Doc("Who that was; the jobs are theirs.")]
    last_job_id: Annotated[str | None, Doc("The job that was started last; null before.")] = None
