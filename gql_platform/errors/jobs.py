"""What cannot be done with a job."""

from dataclasses import dataclass

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
class WorkerProcessError(PlatformError):
    """The process that works on jobs ended with {reason}; the log has the cause."""

    code = "WORKER_PROCESS_FAILED"
    reason: str
