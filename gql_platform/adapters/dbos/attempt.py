"""One attempt at a job, in a process of its own."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gql_platform.adapters.dbos.told import (
    UntellableError,
    kept_note,
    kept_progress,
    kept_result,
    kept_text,
)
from gql_platform.adapters.isolation.channel import decoded, encoded
from gql_platform.adapters.isolation.child import Child, Plan, StartError
from gql_platform.adapters.isolation.raised import Raised
from gql_platform.jobs.records import Job, JobKind, Note, Progress, Running, Values, Work

LOOK_EVERY_SECONDS = 0.5
"""How often to look whether a job is cancelled while its process computes."""

START_SECONDS = 60.0

log = structlog.get_logger(__name__)


class AttemptError(Exception):
    """An attempt failed; the message says why."""


class CancelledError(Exception):
    """A job is cancelled, and its process is killed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of the work.

    Attributes:
        result: What it came to.
    """

    result: Values


@dataclass(slots=True)
class Steps:
    """The work of a job as its process does it: up to the next progress at each request.

    Attributes:
        work: The work.
        job_id: Whose.
        given: What it is given.
    """

    work: Work
    job_id: str
    given: Values
    _running: Running | None = field(default=None, init=False)

    def predict(self, _: object, /) -> Progress | Note | Finished:
        """Go on with the work until it tells something, or ends."""
        if self._running is None:
            self._running = self.work(self.job_id, self.given)
        try:
            return next(self._running)
        except StopIteration as end:
            return Finished(end.value)


def attempt(
    kind: JobKind,
    job: Job,
    *,
    on_told: Callable[[Progress | Note], None],
    is_cancelled: Callable[[], bool],
) -> Values:
    """Do the work of a job in a process of its own, and return the result.

    Args:
        kind: The work and its limits.
        job: What it is given.
        on_told: Called with all that it tells.
        is_cancelled: Asked from another thread, twice a second.

    Raises:
        AttemptError: If the work fails, dies, or takes too long.
        CancelledError: If the job was cancelled meanwhile.
    """
    deadline = time.monotonic() + kind.timeout_seconds
    steps = encoded(Steps(kind.work, job.id, job.input))
    plan = Plan(steps, kind.memory_limit_mb, min(START_SECONDS, kind.timeout_seconds))
    try:
        child = plan.start()
    except StartError as error:
        raise AttemptError(kept_text(str(error))) from error
    ended, cancelled = threading.Event(), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY_SECONDS):
            try:
                is_over = is_cancelled()
            except Exception:
                # Without this thread, nothing would end the process of a cancelled job.
                log.exception("job_not_watched", job=job.id)
                continue
            if is_over:
                cancelled.set()
                child.hang_up()
                return

    watcher = threading.Thread(target=watch, name=f"watch-of-{child.pid}", daemon=True)
    watcher.start()
    try:
        return _result(child, kind, deadline, on_told)
    except (EOFError, OSError) as error:
        if cancelled.is_set():
            raise CancelledError from error
        raise AttemptError(f"its process died ({child.death()}).") from error
    finally:
        ended.set()
        # It is not to go on while the other thread waits for the database.
        child.kill()
        watcher.join()


def _result(
    child: Child, kind: JobKind, deadline: float, on_told: Callable[[Progress | Note], None]
) -> Values:
    request = encoded(None)
    while True:
        left = deadline - time.monotonic()
        try:
            answer = decoded(child.ask(request, timeout_seconds=left))
        except TimeoutError as error:
            reason = f"it took longer than {kind.timeout_seconds:g} s; its process was killed."
            raise AttemptError(reason) from error
        if isinstance(answer, Raised):
            raise AttemptError(kept_text(answer.shown)) from answer.as_error()
        try:
            if isinstance(answer, Finished):
                return kept_result(answer.result)
            told = _kept(answer)
        except UntellableError as error:
            raise AttemptError(str(error)) from error
        on_told(told)


def _kept(told: object) -> Progress | Note:
    if isinstance(told, Progress):
        return kept_progress(told)
    if isinstance(told, Note):
        return kept_note(told)
    raise UntellableError(f"it told a {type(told).__name__} instead of its progress.")
