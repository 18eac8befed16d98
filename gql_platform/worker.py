"""The process that works on jobs: it takes them, and ends in good order.

``python -m gql_platform.worker`` is the one that a server starts beside itself.
"""

import gc
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass

import structlog

from gql_platform.engines import open_worker
from gql_platform.errors import PlatformError
from gql_platform.observability import WorkerMetrics, configure_logging, look_once_how_to_log
from gql_platform.settings import Settings, load_settings

IDLE_SECONDS = 120.0
"""How long a worker that a server started waits for more to do."""

LOOK_EVERY_SECONDS = 0.25

STANDARD_INPUT = 0

USUAL_ROUNDS = (700, 10, 10)
"""When Python's garbage collector looks at each generation, unless it is told otherwise."""

PATIENCE_SECONDS = 25.0
"""How long jobs may take to end after the signal to stop; what is left goes on elsewhere."""

PATIENCE_BESIDE_A_SERVER_SECONDS = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """When a worker ends.

    Attributes:
        idle_seconds: After so long with nothing to do; None never.
        ends_with_input: Whether it ends when its standard input does.
        patience_seconds: How long its jobs may take to end then.
        metrics_port: Where Prometheus reads of its jobs; None nowhere.
    """

    idle_seconds: float | None = None
    ends_with_input: bool = False
    patience_seconds: float = PATIENCE_SECONDS
    metrics_port: int | None = None


BESIDE_A_SERVER = WorkerPlan(IDLE_SECONDS, True, PATIENCE_BESIDE_A_SERVER_SECONDS)


def run_worker(settings: Settings, plan: WorkerPlan, *, jobs_at_once: int) -> None:
    """Work on jobs until a signal, or whatever the plan says, ends the process.

    Raises:
        StoreAddressError: If an address of a store can never work.
        DataFolderError: If the folder cannot be made or written.
        DatabaseTooNewError: If a newer version of the platform has written the tables.
        StoreUnavailableError: If the database does not answer.
        MetricsPortError: If the metrics cannot be shown at their port.
    """
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    if plan.ends_with_input:
        threading.Thread(target=_wait_for_end_of_input, args=[stopped], daemon=True).start()
    metrics = WorkerMetrics()
    if plan.metrics_port is not None:
        log.info("metrics_shown", port=metrics.listen(settings.host, plan.metrics_port))
    worker = open_worker(settings, jobs_at_once=jobs_at_once, observer=metrics)
    worker.start()
    # The command line imports with fewer rounds of the collector; from here on, there is garbage.
    gc.freeze()
    gc.set_threshold(*USUAL_ROUNDS)
    log.info("worker_ready", worker=worker.name, jobs_at_once=jobs_at_once)
    idle_since = time.monotonic()
    # Not `stopped.wait`, during which a signal would find the lock taken that it needs to set it.
    while not stopped.is_set():
        time.sleep(LOOK_EVERY_SECONDS)
        if not worker.is_idle:
            idle_since = time.monotonic()
        elif plan.idle_seconds is not None and time.monotonic() - idle_since > plan.idle_seconds:
            break
    is_done = worker.stop(patience_seconds=plan.patience_seconds)
    log.info("worker_stopped", worker=worker.name, is_done=is_done)
    sys.stderr.flush()
    # Threads that wait for what will not come would keep the process; those that compute for it
    # end with it.
    os._exit(0)


def _wait_for_end_of_input(stopped: threading.Event) -> None:
    # Python cannot end while a thread reads from the file object of the standard input.
    while os.read(STANDARD_INPUT, 1024):
        pass
    stopped.set()


def main() -> None:
    """Work beside a server, with its settings, until it ends or there is nothing to do."""
    look_once_how_to_log()
    try:
        settings = load_settings()
        configure_logging(level=settings.log_level, log_format=settings.log_format)
        run_worker(settings, BESIDE_A_SERVER, jobs_at_once=max(settings.jobs_at_once, 1))
    except PlatformError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
