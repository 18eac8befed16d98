"""A worker: it takes jobs out of DBOS's queue, and sees each through in a process of its own."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import structlog
from dbos import DBOS, DBOSConfig
from sqlalchemy import Connection

from gql_platform.adapters.dbos.attempt import AttemptError, CancelledError, attempt
from gql_platform.adapters.dbos.connection import (
    APPLICATION,
    APPLICATION_VERSION,
    AWAY,
    QUEUE,
    SCHEMA,
    WORKFLOW,
    JsonSerializer,
    address_for_dbos,
    engine_for_threads,
)
from gql_platform.adapters.dbos.life import Life
from gql_platform.adapters.dbos.report import Report
from gql_platform.adapters.dbos.told import kept_text
from gql_platform.adapters.sql import jobs as rows
from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.events import append_events
from gql_platform.adapters.sql.outage import outages, reason_of
from gql_platform.adapters.sql.webhooks import put_deliveries
from gql_platform.adapters.sql.workers import SILENCE
from gql_platform.events.records import NewEvent
from gql_platform.jobs.ports import JobObserver
from gql_platform.jobs.records import (
    JOB_FINISHED,
    JOB_STARTED,
    SUBJECT,
    Job,
    JobKind,
    JobState,
    LogLevel,
    Note,
    Values,
)

T = TypeVar("T")

POLL_SECONDS = 0.5
"""How often an idle worker looks for jobs."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
"""The pauses between attempts to write while the database does not answer."""

LOST = 75
"""The exit status of a worker whose jobs go on elsewhere."""

log = structlog.get_logger(__name__)


def _die() -> NoReturn:
    """End the process, and with it those that compute for it."""
    os._exit(LOST)


class Worker:
    """Run jobs; a process has one worker at most, for DBOS has one state in it.

    Args:
        address: The platform's database, with its tables.
        kinds: What it can do.
        name: What tells it from all other workers that there ever were.
        jobs_at_once: How many jobs it runs side by side.
        observer: Learns of the attempts.
        begins_within_seconds: How long it may take from DBOS's giving it a job to its beginning.
        on_lost: Called when others took this worker for dead, and go on with its jobs.

    Attributes:
        name: What jobs and events call it.
    """

    def __init__(
        self,
        address: Address,
        kinds: Sequence[JobKind],
        *,
        name: str,
        jobs_at_once: int = 1,
        observer: JobObserver | None = None,
        begins_within_seconds: float = SILENCE.total_seconds(),
        on_lost: Callable[[], None] = _die,
    ) -> None:
        self._address = address
        self._kinds = {kind.name: kind for kind in kinds}
        self.name = name
        self._jobs_at_once = jobs_at_once
        self._observer = observer
        self._engine = engine_for_threads(address)
        self._begins_within_seconds = begins_within_seconds
        self._life = Life(
            self._engine,
            name,
            take_over=self.take_over,
            resume_dropped=self.resume_dropped,
            on_lost=on_lost,
        )
        self._turn = threading.Condition()
        self._running: set[str] = set()
        self._waiting_since: Mapping[str, float] = {}
        self._is_stopping = False

    def start(self) -> None:
        """Begin to take jobs, in threads; the caller goes on.

        Raises:
            StoreUnavailableError: If the database does not answer.
        """
        with outages(self._address):
            self._start()

    def _start(self) -> None:
        DBOS.migrate(address_for_dbos(self._address), schema=SCHEMA)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": address_for_dbos(self._address),
            "system_database_engine": self._engine,
            "dbos_system_schema": SCHEMA,
            "application_version": APPLICATION_VERSION,
            "executor_id": self.name,
            "serializer": JsonSerializer(),
            "run_migrations": False,
            "enable_otlp": False,
            "log_level": "WARNING",
        }
        DBOS(config=config)

        # DBOS writes into what it is given, which a method does not allow.
        def run(job_id: str) -> None:
            self._run(job_id)

        DBOS.workflow(name=WORKFLOW)(run)
        DBOS.listen_queues([QUEUE])
        # DBOS gives it jobs as soon as it is launched.
        self._life.announce()
        DBOS.launch()
        self._life.begin()
        found = DBOS.retrieve_queue(QUEUE)
        if found is not None and found.worker_concurrency != self._jobs_at_once:
            # DBOS keeps it in the database, for all workers.
            log.warning("jobs_at_once_changed", worker=self.name, jobs_at_once=self._jobs_at_once)
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._jobs_at_once,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def stop(self, *, patience_seconds: float = 30.0) -> bool:
        """Take no more jobs, and let go once those that run are done.

        Returns:
            Whether they were done in time. If not, the process has to end: the jobs go on in
            another worker, which sees at once that this one is gone.
        """
        with self._turn:
            self._is_stopping = True
            is_done = self._turn.wait_for(lambda: not self._running, timeout=patience_seconds)
        self._life.end()
        if is_done:
            DBOS.destroy(destroy_registry=True)
            self._engine.dispose()
        return is_done

    @property
    def is_idle(self) -> bool:
        """Whether it runs no job."""
        with self._turn:
            return not self._running

    def take_over(self, name: str) -> int:
        """Queue again what a worker was at that is dead for sure, and return how much that is."""
        left = DBOS.list_workflows(
            status="PENDING", executor_id=name, load_input=False, load_output=False
        )
        for workflow in left:
            DBOS.resume_workflow(workflow.workflow_id, queue_name=QUEUE)
        return len(left)

    def resume_dropped(self) -> None:
        """Queue again what DBOS gave to this worker, and nobody here begins.

        When the database goes away at that moment, nobody does as long as the worker lives; and
        one that stops begins nothing more, so that others are to have it at once.
        """
        with self._turn:
            patience_seconds = 0.0 if self._is_stopping else self._begins_within_seconds
            running = set(self._running)
        given = DBOS.list_workflows(
            status="PENDING", executor_id=self.name, load_input=False, load_output=False
        )
        now, before = time.monotonic(), self._waiting_since
        self._waiting_since = {
            each.workflow_id: before.get(each.workflow_id, now)
            for each in given
            if each.workflow_id not in running
        }
        for job_id, since in self._waiting_since.items():
            if now - since >= patience_seconds:
                log.warning("job_resumed", worker=self.name, job=job_id)
                DBOS.resume_workflow(job_id, queue_name=QUEUE)

    def wait(self, job_id: str) -> None:
        """Return once some worker is done with a job."""
        DBOS.retrieve_workflow(job_id).get_result()

    def _run(self, job_id: str) -> None:
        """See a job through; called again, after a worker's death, it begins the work anew."""
        with self._turn:
            # Once this worker stops, the job stays its own until another one takes that over.
            # One that was queued again while it runs here waits, and finds that it is done.
            self._turn.wait_for(lambda: not self._is_stopping and job_id not in self._running)
            self._running.add(job_id)
        try:
            self._see_through(job_id)
        finally:
            with self._turn:
                self._running.remove(job_id)
                self._turn.notify_all()

    def _see_through(self, job_id: str) -> None:
        job = self._write(lambda found: self._begun(found, job_id))
        if job is None:
            return
        kind = self._kinds.get(job.kind)
        if kind is None:
            reason = f"no worker here knows the kind {job.kind!r}."
            self._end(job, JobState.FAILED, failures=job.failures + 1, error=reason)
            return
        try:
            self._try_until_done(job, kind)
        except Exception as error:
            # Nobody would end the job, which would seem to run for ever.
            log.exception("job_broken", job=job.id, kind=job.kind)
            reason = f"the worker could not go on: {kept_text(repr(error))}"
            self._end(job, JobState.FAILED, failures=job.failures + 1, error=reason)

    def _try_until_done(self, job: Job, kind: JobKind) -> None:
        failures = job.failures
        while not self._is_done(job, kind, failures):
            failures += 1
            time.sleep(kind.pause_seconds(failures))

    def _is_done(self, job: Job, kind: JobKind, failures: int) -> bool:
        """Try once, and return whether there is nothing more to try."""
        report = Report(job.id, self.name, self._write)

        def is_cancelled() -> bool:
            report.flush()
            return not self._is_at_work(job.id)

        begun = time.monotonic()
        try:
            result = attempt(kind, job, on_told=report.take, is_cancelled=is_cancelled)
        except CancelledError:
            self._count(job, "cancelled", begun)
            log.info("job_cancelled", job=job.id, kind=job.kind)
            return True
        except AttemptError as error:
            self._count(job, "failed", begun)
            report.take(Note(str(error), LogLevel.ERROR))
            report.flush()
            return self._has_failed(job, kind, failures + 1, str(error))
        self._count(job, "succeeded", begun)
        report.flush()
        self._end(job, JobState.SUCCEEDED, result=result)
        return True

    def _count(self, job: Job, outcome: str, begun: float) -> None:
        if self._observer is not None:
            seconds = time.monotonic() - begun
            self._observer.attempt_finished(kind=job.kind, outcome=outcome, seconds=seconds)

    def _has_failed(self, job: Job, kind: JobKind, failures: int, error: str) -> bool:
        log.warning("job_failed", job=job.id, kind=job.kind, failures=failures, reason=error)
        if failures >= kind.max_attempts:
            self._end(job, JobState.FAILED, failures=failures, error=error)
            return True
        worker = self.name
        self._write(
            lambda found: rows.report_failure(
                found, job.id, worker=worker, failures=failures, error=error
            )
        )
        return not self._is_at_work(job.id)

    def _begun(self, connection: Connection, job_id: str) -> Job | None:
        now = datetime.now(UTC)
        job = rows.begin_job(connection, job_id, worker=self.name, now=now)
        if job is not None:
            self._tell(connection, job, JOB_STARTED, {}, now=now)
        return job

    def _end(
        self,
        job: Job,
        state: JobState,
        *,
        result: Values | None = None,
        failures: int = 0,
        error: str | None = None,
    ) -> None:
        def write(connection: Connection) -> None:
            now = datetime.now(UTC)
            if error is not None:
                rows.report_failure(
                    connection, job.id, worker=self.name, failures=failures, error=error
                )
            if rows.finish_job(connection, job.id, state, now=now, worker=self.name, result=result):
                data = {} if error is None else {"error": error}
                self._tell(connection, job, JOB_FINISHED[state.name], data, now=now)

        self._write(write)

    def _tell(
        self, connection: Connection, job: Job, type_: str, data: Values, *, now: datetime
    ) -> None:
        """Write down what happened to a job, as the last act of a transaction."""
        details = {"kind": job.kind, "worker": self.name, **data}
        event = NewEvent(type_, SUBJECT, job.id, job.created_by, details)
        put_deliveries(connection, append_events(connection, [event], time=now))

    def _is_at_work(self, job_id: str) -> bool:
        return self._write(lambda found: rows.is_at_work(found, job_id, worker=self.name))

    def _write(self, work: Callable[[Connection], T]) -> T:
        """Do something in a transaction, as soon as the database answers.

        A job that ends must not seem to run. What is written can be written twice, where nobody
        knows whether the first time counted.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except AWAY as error:
                log.warning("job_not_written", reason=reason_of(error))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
