"""What an attempt tells, written down a few times a second at most."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from gql_platform.adapters.sql import jobs as rows
from gql_platform.jobs.records import Note, Progress

WRITE_EVERY_SECONDS = 0.25


@dataclass(slots=True)
class Report:
    """Take what an attempt tells, and write it down now and then.

    Attributes:
        job_id: The job.
        worker: Who is at it.
        write: Does something in a transaction, sooner or later.
    """

    job_id: str
    worker: str
    write: Callable[[Callable[[Connection], None]], None]
    _progress: Progress | None = field(default=None, init=False)
    _notes: list[Note] = field(default_factory=list, init=False)
    _written_at: float = field(default=-WRITE_EVERY_SECONDS, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _writing: threading.Lock = field(default_factory=threading.Lock, init=False)

    def take(self, told: Progress | Note) -> None:
        """Keep what the attempt tells, and write it down if the last time is long enough ago."""
        with self._turn:
            if isinstance(told, Progress):
                self._progress = told
            elif len(self._notes) < rows.MAX_LINES:
                self._notes.append(told)
        if time.monotonic() - self._written_at >= WRITE_EVERY_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write down what was told since the last time.

        One thread after another: a later progress must not be written before an earlier one, nor
        two lines with one number.
        """
        with self._writing:
            self._flush()

    def _flush(self) -> None:
        with self._turn:
            progress, notes = self._progress, self._notes
            self._progress, self._notes = None, []
            self._written_at = time.monotonic()
        if progress is None and not notes:
            return
        now = datetime.now(UTC)

        def written(connection: Connection) -> None:
            if progress is not None:
                rows.report_progress(connection, self.job_id, progress, worker=self.worker)
            if notes:
                rows.write_log(connection, self.job_id, notes, worker=self.worker, now=now)

        self.write(written)
