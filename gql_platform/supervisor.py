"""Several server processes behind one port, kept alive by one that does nothing else."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

import structlog
from prometheus_client.multiprocess import mark_process_dead

from gql_platform.errors import WorkersError
from gql_platform.observability import METRICS_FOLDER
from gql_platform.server import LISTENER, SHUTDOWN_SECONDS, listen, url_of, welcome
from gql_platform.settings import Settings, environment_name

POLL_SECONDS = 0.2
FIRST_SECONDS = 300.0
"""How long the first worker may take to be ready, with demo models to train."""

SHORT_LIFE_SECONDS = 5.0
MAX_SHORT_LIVES = 5
"""A worker that ends so often, each time soon after its start, is not started again."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Worker:
    """A place for a worker.

    Attributes:
        options: The options of the command line that are its own.
        process: What runs in it now.
        started: The clock when that began.
        short_lives: How many times in a row it ended soon after its start.
    """

    options: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    short_lives: int = 0


def run_workers(settings: Settings, command: Sequence[str], *, count: int) -> None:
    """Keep several servers alive until a signal ends this process.

    The first one prepares the stores, and the demo models if they are asked for; when it is
    ready, the others follow. One that dies is started anew.

    Args:
        settings: The settings that all of them have.
        command: The arguments of `gql-platform` that start one of them.
        count: How many.

    Raises:
        PortInUseError: If another program has the port.
        WorkersError: If the workers do not stay alive.
    """
    settings.check_access()
    with (
        TemporaryDirectory(prefix="gql-platform-metrics-") as folder,
        listen(settings.host, settings.port) as listener,
        _signals() as stopped,
    ):
        listener.set_inheritable(True)
        sys.stderr.write(welcome(url_of(settings.host, listener.getsockname()[1])))
        sys.stderr.flush()
        _Supervisor(command, listener, folder, stopped).run(count, with_demo=settings.demo)


class _Supervisor:
    """Start workers, and start them again.

    Args:
        command: The arguments that start one.
        listener: The socket that all of them accept connections from.
        folder: Where they count together.
        stopped: Holds the signal that ends all, once it came.
    """

    def __init__(
        self, command: Sequence[str], listener: socket.socket, folder: str, stopped: list[int]
    ) -> None:
        self._command = command
        self._listener = listener
        self._folder = folder
        self._stopped = stopped
        self._workers: list[_Worker] = []

    def run(self, count: int, *, with_demo: bool) -> None:
        """Keep so many workers alive until a signal comes."""
        try:
            self._start(["--demo"] if with_demo else [])
            self._wait_for_first()
            for _ in range(count - 1):
                self._start([])
            while not self._stopped:
                time.sleep(POLL_SECONDS)
                self._look_after()
        finally:
            self._end()

    def _start(self, options: Sequence[str]) -> None:
        self._workers.append(_Worker(options, self._popen(options), time.monotonic()))

    def _popen(self, options: Sequence[str]) -> subprocess.Popen[bytes]:
        descriptor = self._listener.fileno()
        environ = os.environ | {
            LISTENER: str(descriptor),
            METRICS_FOLDER: self._folder,
            # Only the first worker trains the demo models, by its own option.
            environment_name("demo"): "",
        }
        return subprocess.Popen(  # noqa: S603 - it is our own command
            [sys.executable, "-m", "gql_platform", *self._command, *options],
            env=environ,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
        )

    def _wait_for_first(self) -> None:
        """Return when the first worker is ready, or a signal came."""
        name, port = self._listener.getsockname()[:2]
        host = str(name)
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - to reach it
        shown = f"[{reached}]" if ":" in reached else reached
        ends_at = time.monotonic() + FIRST_SECONDS
        while not self._stopped and time.monotonic() < ends_at:
            if self._workers[0].process.poll() is not None:
                raise WorkersError(reason="the first of them ended before it was ready")
            with (
                suppress(URLError, OSError),
                urlopen(f"http://{shown}:{port}/health/ready", timeout=5),
            ):
                return
            time.sleep(POLL_SECONDS)
        if not self._stopped:
            raise WorkersError(reason=f"the first was not ready within {FIRST_SECONDS:.0f} s")

    def _look_after(self) -> None:
        """Start anew what has ended."""
        for worker in self._workers:
            status = worker.process.poll()
            if status is None or self._stopped:
                continue
            mark_process_dead(worker.process.pid, self._folder)  # type: ignore[no-untyped-call]
            lived = time.monotonic() - worker.started
            worker.short_lives = worker.short_lives + 1 if lived < SHORT_LIFE_SECONDS else 0
            log.error("worker_died", pid=worker.process.pid, status=status)
            if worker.short_lives >= MAX_SHORT_LIVES:
                raise WorkersError(reason="one of them ends again and again; its log says why")
            worker.process, worker.started = self._popen([]), time.monotonic()

    def _end(self) -> None:
        for worker in self._workers:
            with suppress(ProcessLookupError):
                worker.process.terminate()
        ends_at = time.monotonic() + SHUTDOWN_SECONDS + 10
        for worker in self._workers:
            try:
                worker.process.wait(timeout=max(ends_at - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect the signals that end the process, in place of being ended by them."""
    stopped: list[int] = []

    def take(number: int, _: FrameType | None) -> None:
        stopped.append(number)

    before = {each: signal.signal(each, take) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
