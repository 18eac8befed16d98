"""Models that misbehave; the processes of the tests import them from here."""

import ctypes
import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gql_platform.serving.ports import Table, ValueOutput
from gql_platform.serving.records import NATIVE, Compilation, Task


class Summing:
    """Add up the columns, after doing what the test wants done."""

    task = Task.REGRESSION
    labels: tuple[str, ...] = ()
    takes_arrays = True
    compilation: Compilation = NATIVE

    def prepare(self) -> None:
        """Do nothing."""

    def predict(self, rows: Table) -> ValueOutput:
        """Return the sum of each row."""
        self.prepare()
        return ValueOutput(np.asarray(rows, dtype=np.float64).sum(axis=1))

    def close(self) -> None:
        """It holds nothing but memory."""


@dataclass
class Pausing(Summing):
    """Write its process's id to a named pipe, and wait until another can be read.

    Attributes:
        arrived: The pipe that it writes to.
        gate: The pipe that it reads from.
    """

    arrived: Path
    gate: Path

    def prepare(self) -> None:
        """Wait."""
        self.arrived.write_text(str(os.getpid()))
        self.gate.read_text()


@dataclass
class Dying(Summing):
    """Send a signal to its own process for as long as a file is there."""

    trigger: Path
    signal: int = signal.SIGKILL

    def prepare(self) -> None:
        """Die, or do not."""
        if self.trigger.exists():
            os.kill(os.getpid(), self.signal)


@dataclass
class Greedy(Summing):
    """Fill so much memory for as long as a file is there."""

    trigger: Path
    size_bytes: int

    def prepare(self) -> None:
        """Fill it."""
        if self.trigger.exists():
            np.ones(self.size_bytes, dtype=np.uint8)


class Stuck(Summing):
    """Keep the interpreter's lock for ever, after a word that it does."""

    def prepare(self) -> None:
        """Wait for a signal, in C, with the lock."""
        print("stuck", flush=True)
        ctypes.PyDLL(None).pause()


class ShapeError(ValueError, IndexError):
    """A library's own kind of ValueError."""


class OddError(Exception):
    """A library's own error."""


FAILURES: dict[str, Callable[[], BaseException]] = {
    "value": lambda: ValueError("too large for float32"),
    "key": lambda: KeyError("age"),
    "file": lambda: FileNotFoundError(errno.ENOENT, "no such file"),
    "values": lambda: ValueError("bad", [1]),
    "subclass": lambda: ShapeError("3 columns"),
    "odd": lambda: OddError("that is odd"),
    "exit": lambda: SystemExit(3),
    "group": lambda: ExceptionGroup("several", [ValueError("one")]),
}


@dataclass
class Raising(Summing):
    """Raise one of the failures."""

    failure: str

    def prepare(self) -> None:
        """Raise it."""
        failure = FAILURES[self.failure]()
        raise failure


@dataclass
class Environment(Summing):
    """Add the number that a variable of its environment holds; 0 when it is not there."""

    variable: str

    def predict(self, rows: Table) -> ValueOutput:
        """Return the number, for each row."""
        return ValueOutput(np.full(len(rows), float(os.environ.get(self.variable, "0"))))


class Unanswerable(Summing):
    """Answer with something that no other process can be given."""

    def predict(self, rows: Table) -> ValueOutput:
        """Return a function."""
        answer: Any = lambda: rows  # noqa: E731 - a named function could be handed over
        return answer  # type: ignore[no-any-return]


@dataclass
class Loading(Summing):
    """Call a function while it is loaded."""

    call: Callable[..., object]
    arguments: tuple[object, ...]

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Be loaded by the call."""
        return self.call, self.arguments


def fail_to_load(message: str) -> None:
    """Raise an error."""
    raise ValueError(message)


def wait_to_load(arrived: Path, gate: Path) -> Summing:
    """Return a model after the pause of `Pausing`."""
    Pausing(arrived, gate).prepare()
    return Summing()
