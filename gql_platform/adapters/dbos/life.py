"""The life of a worker, as it lets the others see it, and its care for those that died."""

import os
import socket
import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from gql_platform.adapters.dbos.connection import AWAY
from gql_platform.adapters.sql import workers as rows
from gql_platform.adapters.sql.outage import reason_of
from gql_platform.jobs.records import WorkerLife

BEAT_EVERY_SECONDS = 2.0

ENDING_SECONDS = 5.0
"""How long to wait for a beat that waits for the database itself."""

log = structlog.get_logger(__name__)


class Life:
    """Say again and again that a worker lives, and take over from those that say so no longer.

    Args:
        engine: Gives connections to the database.
        name: What tells the worker from all others.
        take_over: Queues again what a dead worker was at, and returns how much that is.
        resume_dropped: Queues again what was given to this worker and never begun.
        on_lost: Called when others took this one for dead and go on with its jobs.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        take_over: Callable[[str], int],
        resume_dropped: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._name = name
        self._take_over = take_over
        self._resume_dropped = resume_dropped
        self._on_lost = on_lost
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="life-of-worker", daemon=True)
        self._trusts_silence_at = 0.0
        self._beaten_at = 0.0

    def announce(self) -> None:
        """Let the others know of the worker, before it is given anything that they would miss."""
        with self._engine.begin() as connection:
            now = rows.database_now(connection)
            life = WorkerLife(self._name, socket.gethostname()[:255], os.getpid(), now, now)
            rows.add_worker(connection, life)
        self._beaten_at = time.time()

    def begin(self) -> None:
        """Begin to beat, and to look after the others, in a thread."""
        self._thread.start()

    def end(self) -> None:
        """Let the others know that it is over, so that they go on with what is left at once."""
        self._ended.set()
        self._thread.join(ENDING_SECONDS)
        try:
            with self._engine.begin() as connection:
                rows.leave(connection, self._name)
        except AWAY as error:
            # They find out by its silence.
            log.warning("worker_not_seen", worker=self._name, reason=reason_of(error))

    def _run(self) -> None:
        while True:
            try:
                if not self._beat():
                    log.error("worker_lost", worker=self._name)
                    self._on_lost()
                    return
                if time.monotonic() >= self._trusts_silence_at:
                    self._look_after_others()
                self._resume_dropped()
            except AWAY as error:
                # The others could not say that they live either.
                self._distrust_silence()
                log.warning("worker_not_seen", worker=self._name, reason=reason_of(error))
            except Exception:
                # A worker without a life would be taken for dead while it works.
                log.exception("worker_not_seen", worker=self._name)
            if self._ended.wait(BEAT_EVERY_SECONDS):
                return

    def _beat(self) -> bool:
        lives, gap_seconds = self._beaten()
        if lives and gap_seconds > rows.SILENCE.total_seconds() / 2:
            # The machine slept or the file was locked, so that the others were as silent; and what
            # was written is the time before the wait.
            self._distrust_silence()
            lives, _ = self._beaten()
        return lives

    def _beaten(self) -> tuple[bool, float]:
        """Say that the worker lives, and return whether it does, and how long it said nothing."""
        with self._engine.begin() as connection:
            lives = rows.beat(connection, self._name, now=rows.database_now(connection))
        before, self._beaten_at = self._beaten_at, time.time()
        return lives, self._beaten_at - before

    def _distrust_silence(self) -> None:
        """Take nobody for dead before all have had the time to say that they live."""
        self._trusts_silence_at = time.monotonic() + rows.SILENCE.total_seconds()

    def _look_after_others(self) -> None:
        with self._engine.connect() as connection:
            silent = rows.silent_workers(connection, now=rows.database_now(connection))
        for name in silent:
            if name != self._name and self._is_heir_of(name):
                count = self._take_over(name)
                log.warning("worker_taken_over", worker=self._name, dead=name, jobs=count)
                with self._engine.begin() as connection:
                    rows.forget(connection, name)

    def _is_heir_of(self, name: str) -> bool:
        with self._engine.begin() as connection:
            now = rows.database_now(connection)
            return rows.claim(connection, name, heir=self._name, now=now)
