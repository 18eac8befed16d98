"""Jobs: what they do, how far they are, and how they end."""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.errors import InvalidCursorError
from gql_platform.paging import decode_cursor, page_size

JOB_QUEUED = "job.queued"
"""Somebody asked for a job."""

JOB_STARTED = "job.started"
"""A worker took a job, for the first time or after another worker's death."""

JOB_FINISHED = {
    "SUCCEEDED": "job.succeeded",
    "FAILED": "job.failed",
    "CANCELLED": "job.cancelled",
}
"""A job reached its last state, by that."""

JOB_FILES = "job"
"""The kind of the downloads that jobs make."""

SUBJECT = "Job"
"""The kind of what these events happen to."""

_NUMBER = re.compile(r"[0-9]{1,9}")

Values = Mapping[str, Any]
"""What a job is given, or comes to, as JSON knows it."""


class JobState(DescribedEnum):
    """How far a job is."""

    QUEUED = "QUEUED", "It waits for a worker."
    RUNNING = "RUNNING", "A worker is at it, or tries it again in a moment."
    SUCCEEDED = "SUCCEEDED", "It is done, and has a result."
    FAILED = "FAILED", "It failed as often as it is tried; its error says why."
    CANCELLED = "CANCELLED", "Somebody cancelled it before it was done."

    @property
    def is_final(self) -> bool:
        """Whether it stays like that."""
        return self not in UNFINISHED


class LogLevel(DescribedEnum):
    """How serious a line of a job's log is."""

    INFO = "INFO", "What goes as it should."
    WARNING = "WARNING", "What somebody should look at, although the job goes on."
    ERROR = "ERROR", "What made an attempt fail."


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
"""The states of jobs that are not done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work of a job is."""

    fraction: Annotated[float | None, Doc("How much is done, from 0 to 1; null if unknown.")] = None
    message: Annotated[str | None, Doc("What it is at.")] = None
    numbers: Annotated[Mapping[str, float], Doc("What it counts and measures.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True)
class Note:
    """What the work of a job has to say, for the job's log.

    Attributes:
        message: In words.
        level: How serious it is.
    """

    message: str
    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much there is to do, and how many see to it.

    Attributes:
        queued: How many jobs wait for a worker.
        running: How many a worker is at.
        waiting_since: When the oldest of those that wait was asked for; None when none waits.
        workers: How many workers live.
    """

    queued: int
    running: int
    waiting_since: datetime | None
    workers: int


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A part of the log of a job.

    Attributes:
        job_id: Whose.
        after: The number of the line to go on behind; 0 to begin with the first.
        limit: How many lines at most.
    """

    job_id: str
    after: int
    limit: int

    @classmethod
    def of_page(
        cls, job_id: str, *, first: int | None = None, after: str | None = None
    ) -> "LogRequest":
        """Return what to read for a page; one line more tells that the log goes on.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor of ours.
        """
        size = page_size(first)
        text = "0" if after is None else decode_cursor(after)
        if not _NUMBER.fullmatch(text):
            raise InvalidCursorError(cursor=after or "")
        return cls(job_id, after=int(text), limit=size + 1)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a job's log."""

    number: Annotated[int, Doc("Its place in the log, from 1.")]
    time: Annotated[datetime, Doc("When it was written.")]
    level: Annotated[LogLevel, Doc("How serious it is.")]
    message: Annotated[str, Doc("In words.")]


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that a job made."""

    job_id: Annotated[str, Doc("The id of the job.")]
    name: Annotated[str, Doc("What it is called; unique in its job.")]
    size_bytes: Annotated[int, Doc("How large it is.")]


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of long work."""

    id: Annotated[str, Doc("Its id; later jobs have greater ones.")]
    kind: Annotated[str, Doc("What it does.")]
    input: Annotated[Values, Doc("What it is given.")]
    created_by: Annotated[str, Doc("Who asked for it.")]
    created_at: Annotated[datetime, Doc("When that was.")]
    priority: Annotated[int, Doc("Of the jobs that wait, those with lower numbers go first.")]
    state: Annotated[JobState, Doc("How far it is.")] = JobState.QUEUED
    started_at: Annotated[datetime | None, Doc("When a worker first took it.")] = None
    finished_at: Annotated[datetime | None, Doc("When it reached its last state.")] = None
    failures: Annotated[int, Doc("How often it has failed so far.")] = 0
    progress: Annotated[Progress, Doc("How far its work is.")] = field(default_factory=Progress)
    result: Annotated[Values | None, Doc("What it came to; null until it succeeds.")] = None
    error: Annotated[str | None, Doc("Why it failed last; null if it never did.")] = None
    retry_of: Annotated[str | None, Doc("The job that it repeats; null if none.")] = None
    worker: Annotated[str | None, Doc("The worker that took it last; null before that.")] = None

    @property
    def duration_ms(self) -> float | None:
        """How long it took since a worker first took it, in milliseconds; None before its end."""
        if self.started_at is None or self.finished_at is None:
            return None
        # Two workers may have been at it, whose clocks differ.
        return max((self.finished_at - self.started_at).total_seconds() * 1000, 0.0)

    @property
    def files(self) -> tuple[JobFile, ...]:
        """The files that it made, as its result names them."""
        named = self.result.get("files", ()) if self.result is not None else ()
        return tuple(JobFile(self.id, each["name"], each["size_bytes"]) for each in named)


Running = Generator[Progress | Note, None, Values]
"""Work that has begun."""

Work = Callable[[str, Values], Running]
"""Takes a job's id and input, yields how far it is and what it has to say, and returns the result.

It can be pickled, for it runs in a process of its own. It may begin anew after the machine that it
ran on is gone, so that what it writes goes by the job's id.
"""


@dataclass(frozen=True, slots=True)
class JobKind:
    """Something that jobs can do.

    Attributes:
        name: What it is called.
        work: What does it.
        max_attempts: How often it is tried.
        backoff_seconds: How long to wait before the second attempt; twice as long before each
            further one.
        timeout_seconds: How long an attempt may take.
        memory_limit_mb: How much address space its process may take, in 2^20 bytes; None for any
            amount.
    """

    name: str
    work: Work
    max_attempts: int = 3
    backoff_seconds: float = 1.0
    timeout_seconds: float = 3600.0
    memory_limit_mb: int | None = None

    def pause_seconds(self, failures: int) -> float:
        """Return how long to wait after so many failures."""
        return float(self.backoff_seconds * 2 ** (failures - 1))


@dataclass(frozen=True, slots=True)
class WorkerLife:
    """A worker, as the others see it.

    Attributes:
        name: What tells it from all others; no two ever have the same.
        host: The machine that it runs on.
        pid: Its process there.
        started_at: When it began.
        seen_at: When it was last heard of.
        heir: The worker that goes on with its jobs; None while it lives.
    """

    name: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    heir: str | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are asked for.

    Attributes:
        kinds: Of these kinds; all when empty.
        states: In these states; all when empty.
    """

    kinds: tuple[str, ...] = ()
    states: tuple[JobState, ...] = ()

    def matches(self, job: Job) -> bool:
        """Return whether a job is asked for."""
        return (not self.kinds or job.kind in self.kinds) and (
            not self.states or job.state in self.states
        )
