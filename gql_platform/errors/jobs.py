"""What cannot be done with a job."""

from dataclasses import dataclass

from gql_platform.errors.availability import UnavailableError
from gql_platform.errors.input import InvalidInputError, NotFoundError
from gql_platform.errors.tree import PlatformError


@dataclass(eq=False)
class JobNotFoundError(NotFoundError):
    """There is no job {job_id!r}; list the jobs that there are, and take an id from there."""

    code = "JOB_NOT_FOUND"
    job_id: str


@dataclass(eq=False)
class JobFileNotFoundError(NotFoundError):
    """The job {job_id!r} has no file {name!r}, or no longer: files are kept while their job is."""

    code = "JOB_FILE_NOT_FOUND"
    job_id: str
    name: str


@dataclass(eq=False)
class JobFilterError(InvalidInputError):
    """{given!r} names no kind of job, or is one too many; write it like `registryExport`, and at
    most {maximum} of them.
    """

    code = "INVALID_JOB_FILTER"
    given: str
    maximum: int


@dataclass(eq=False)
class JobFinishedError(InvalidInputError):
    """The job {job_id!r} is finished and cannot be cancelled any more; read its state."""

    code = "JOB_FINISHED"
    job_id: str


@dataclass(eq=False)
class JobUnfinishedError(InvalidInputError):
    """The job {job_id!r} is {state} and cannot be repeated yet; wait for its end, or cancel it."""

    code = "JOB_UNFINISHED"
    job_id: str
    state: str


@dataclass(eq=False)
class JobPriorityError(InvalidInputError):
    """The priority {priority} is none; pass a whole number from 1 to {maximum}, where 1 is the most
    urgent.
    """

    code = "INVALID_JOB_PRIORITY"
    priority: int
    maximum: int


@dataclass(eq=False)
class JobsUnavailableError(UnavailableError):
    """This server keeps what is its own in memory, where no worker finds a job; start one with
    `gql-platform serve`, on a database that others can open.
    """

    code = "JOBS_UNAVAILABLE"


@dataclass(eq=False)
class WorkerProcessError(PlatformError):
    """The process that works on jobs ended with {reason}; the log has the cause."""

    code = "WORKER_PROCESS_FAILED"
    reason: str


@dataclass(eq=False)
class InvalidCronError(InvalidInputError):
    """The times {cron!r} are none, or never come; write five fields of cron: minute, hour, day of
    the month, month and day of the week, such as `30 2 * * mon-fri`.
    """

    code = "INVALID_CRON"
    cron: str


@dataclass(eq=False)
class InvalidTimeZoneError(InvalidInputError):
    """There is no time zone {time_zone!r}; name one as `Europe/Berlin` or `UTC`."""

    code = "INVALID_TIME_ZONE"
    time_zone: str


@dataclass(eq=False)
class TooManyExperimentsError(InvalidInputError):
    """{count} experiments are more than the {maximum} that an export can name; name none to export
    all of them.
    """

    code = "TOO_MANY_EXPERIMENTS"
    count: int
    maximum: int


@dataclass(eq=False)
class TooManySchedulesError(InvalidInputError):
    """There are {maximum} schedules, and no more can be made; delete one first."""

    code = "TOO_MANY_SCHEDULES"
    maximum: int


@dataclass(eq=False)
class ScheduleNotFoundError(NotFoundError):
    """There is no schedule {schedule_id!r}; `jobSchedules` lists those that there are."""

    code = "SCHEDULE_NOT_FOUND"
    schedule_id: str
