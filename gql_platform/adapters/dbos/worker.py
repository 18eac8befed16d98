"""A worker: it takes jobs out of DBOS's queue, and sees each through in a process of its own."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from dbos import DBOS, DBOSConfig
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from gql_platform.adapters.dbos.attempt import AttemptError, CancelledError, attempt
from gql_platform.adapters.dbos.connection import (
    APPLICATION,
    APPLICATION_VERSION,
    QUEUE,
    SCHEMA,
    WORKFLOW,
    JsonSerializer,
    address_for_dbos,
    engine_for_threads,
)
from gql_platform.adapters.sql import jobs as rows
from gql_platform.adapters.sql.address import Address
from gql_platform.jobs.records import Job, JobKind, JobState, Progress

T = TypeVar("T")

POLL_SECONDS = 0.5
"""How often an idle worker looks for jobs."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
"""The pauses between attempts to write while the database does not answer."""

log = structlog.get_logger(__name__)


class Worker:
    """Run jobs; a process has one worker at most, for DBOS has one state in it.

    Args:
        address: The platform's database, with its tables.
        kinds: What it can do.
        name: What tells it from other workers; started anew under the same name, it goes on with
            what it was at.
        jobs_at_once: How many jobs it runs side by side.
    """

    def __init__(
        self, address: Address, kinds: Sequence[JobKind], *, name: str, jobs_at_once: int = 1
    ) -> None:
        self._address = address
        self._kinds = {kind.name: kind for kind in kinds}
        self._name = name
        self._jobs_at_once = jobs_at_once
        self._engine = engine_for_threads(address)

    def start(self) -> None:
        """Begin to take jobs, in threads; the caller goes on."""
        DBOS.migrate(address_for_dbos(self._address), schema=SCHEMA)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": address_for_dbos(self._address),
            "system_database_engine": self._engine,
            "dbos_system_schema": SCHEMA,
            "application_version": APPLICATION_VERSION,
            "executor_id": self._name,
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
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._jobs_at_once,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def stop(self, *, patience_seconds: int = 30) -> None:
        """Take no more jobs, and let go once those that run are done."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience_seconds)
        self._engine.dispose()

    def take_over(self, name: str) -> int:
        """Queue again what a worker was at that is dead for sure, and return how much that is."""
        left = DBOS.list_workflows(
            status="PENDING", executor_id=name, load_input=False, load_output=False
        )
        for workflow in left:
            DBOS.resume_workflow(workflow.workflow_id, queue_name=QUEUE)
        return len(left)

    def wait(self, job_id: str) -> None:
        """Return once some worker is done with a job."""
        DBOS.retrieve_workflow(job_id).get_result()

    def _run(self, job_id: str) -> None:
        """See a job through; called again, after a worker's death, it begins the work anew."""
        job = self._write(lambda found: rows.begin_job(found, job_id, now=datetime.now(UTC)))
        if job is None:
            return
        kind = self._kinds.get(job.kind)
        if kind is None:
            self._fail(job_id, job.failures + 1, f"no worker here knows the kind {job.kind!r}.")
            return
        failures = job.failures
        while not self._is_done(job, kind, failures):
            failures += 1
            if failures < kind.max_attempts:
                time.sleep(kind.pause_seconds(failures))

    def _is_done(self, job: Job, kind: JobKind, failures: int) -> bool:
        """Try once, and return whether there is nothing more to try."""
        try:
            result = attempt(
                kind,
                job.input,
                on_progress=lambda progress: self._report(job.id, progress),
                is_cancelled=lambda: self._is_finished(job.id),
            )
        except CancelledError:
            log.info("job_cancelled", job=job.id, kind=job.kind)
            return True
        except AttemptError as error:
            return self._has_failed(job, kind, failures + 1, str(error))
        now = datetime.now(UTC)
        state = JobState.SUCCEEDED
        self._write(lambda found: rows.finish_job(found, job.id, state, now=now, result=result))
        return True

    def _has_failed(self, job: Job, kind: JobKind, failures: int, error: str) -> bool:
        log.warning("job_failed", job=job.id, kind=job.kind, failures=failures, reason=error)
        if failures >= kind.max_attempts:
            self._fail(job.id, failures, error)
            return True
        self._write(
            lambda found: rows.report_failure(found, job.id, failures=failures, error=error)
        )
        return self._is_finished(job.id)

    def _fail(self, job_id: str, failures: int, error: str) -> None:
        def write(found: Connection) -> None:
            rows.report_failure(found, job_id, failures=failures, error=error)
            rows.finish_job(found, job_id, JobState.FAILED, now=datetime.now(UTC))

        self._write(write)

    def _report(self, job_id: str, progress: Progress) -> None:
        self._write(lambda found: rows.report_progress(found, job_id, progress))

    def _is_finished(self, job_id: str) -> bool:
        with self._engine.connect() as connection:
            job = rows.job_of(connection, job_id)
        return job is None or job.state.is_final

    def _write(self, work: Callable[[Connection], T]) -> T:
        """Write something, as soon as the database answers: a job that ends must not seem to run.

        What is written can be written twice, where nobody knows whether the first time counted.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except (OperationalError, InterfaceError) as error:
                log.warning("job_not_written", reason=str(error.orig))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
