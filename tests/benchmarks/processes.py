"""Processes to be measured, and what they have used."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.benchmarks.plan import ROOT
from tests.e2e.server import running_server


@dataclass(frozen=True, slots=True)
class Listening:
    """A process that answers HTTP on a port of this machine."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Start:
    """What a start of the server cost until it was ready.

    Attributes:
        cpu_seconds: User and system time of the process, and of children that it waited for.
        resident_mb: Resident memory, in 10^6 bytes.
        wall_seconds: The time that passed.
        written: The lines that it wrote to standard error meanwhile.
    """

    cpu_seconds: float
    resident_mb: float
    wall_seconds: float
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product(Listening):
    """A running ``gql-platform serve --demo``."""

    start: Start


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that all threads of a process have used so far."""
    if sys.platform != "linux":
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    # This is the clock that clock_getcpuclockid(3) names: it counts nanoseconds, where /proc and
    # so psutil count ticks of 10 milliseconds.
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def running_product(data_dir: Path, *, environ: dict[str, str] | None = None) -> Iterator[Product]:
    """Run ``gql-platform serve --demo``, with its settings as they come, until it is ready.

    Args:
        data_dir: The data folder with the demo models.
        environ: Further variables of its environment.
    """
    began = time.perf_counter()
    with running_server(data_dir, "--demo", environ=environ) as server:
        wall_seconds = time.perf_counter() - began
        process = psutil.Process(server.process.pid)
        resident = process.memory_info().rss
        times = process.cpu_times()
        port = urlsplit(server.url).port
        assert port is not None
        start = Start(
            cpu_seconds=times.user + times.system + times.children_user + times.children_system,
            resident_mb=resident / 1e6,
            wall_seconds=wall_seconds,
            written=tuple(server.lines),
        )
        yield Product(process.pid, port, start)


@contextmanager
def running_peers(data_dir: Path) -> Iterator[Listening]:
    """Run the applications of `tests.benchmarks.peers`; the first request waits for the model.

    Args:
        data_dir: The data folder with the demo models.
    """
    command = [sys.executable, "-m", "tests.benchmarks.peers", str(data_dir)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = process.stdout.readline()
        assert port, "the peers ended before they listened"
        yield Listening(process.pid, int(port))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
