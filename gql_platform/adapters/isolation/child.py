"""The server's hold on a process that computes for it."""

import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from subprocess import DEVNULL, Popen, TimeoutExpired

from gql_platform.adapters.isolation.channel import Channel, decoded
from gql_platform.adapters.isolation.raised import Raised

COMMAND = (
    sys.executable,
    # The folders to import from are the server's; the working directory is none of them.
    *("-P", "-X", "faulthandler", "-m", "gql_platform.adapters.isolation.process"),
)

ENDING_SECONDS = 2.0
"""How long a process may take to end by itself."""

_ONE_THREAD = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)
"""What keeps libraries from starting a thread for each core in each process."""

_KEPT_BACK = ("API_SECRET_KEY", "api_secret_key")
"""What a process has no use for that answers no requests."""


class StartError(Exception):
    """A process did not get as far as to compute; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to start a process.

    Attributes:
        model: The predictor, encoded.
        memory_limit_mb: How much address space it may use; None for any amount.
        timeout_seconds: How long it may take until it is ready.
    """

    model: bytes = field(repr=False)
    memory_limit_mb: int | None
    timeout_seconds: float

    def start(self) -> "Child":
        """Return a process that has loaded the model.

        Raises:
            StartError: If it does not start, or cannot load the model.
        """
        child = self._launched()
        try:
            self._hand_over(child)
        except BaseException:
            child.kill()
            raise
        return child

    def _launched(self) -> "Child":
        ours, theirs = socket.socketpair()
        watched, held = os.pipe()
        limit_bytes = (self.memory_limit_mb or 0) << 20
        try:
            process = Popen(  # noqa: S603 - the command is ours
                [*COMMAND, str(theirs.fileno()), str(watched), str(limit_bytes)],
                stdin=DEVNULL,
                pass_fds=(theirs.fileno(), watched),
                env=_environment(),
            )
        except (OSError, ValueError) as error:
            ours.close()
            os.close(held)
            raise StartError(f"its process did not start: {error}.") from error
        finally:
            theirs.close()
            os.close(watched)
        return Child(process, Channel(ours), held)

    def _hand_over(self, child: "Child") -> None:
        try:
            message = child.ask(self.model, timeout_seconds=self.timeout_seconds)
        except TimeoutError as error:
            reason = f"its process was not ready within {self.timeout_seconds:g} s."
            raise StartError(reason) from error
        except (EOFError, OSError) as error:
            reason = f"its process died while it loaded the model ({child.death()})."
            raise StartError(reason) from error
        answer = decoded(message)
        if isinstance(answer, Raised):
            raise StartError(f"its process cannot load it: {answer.shown}") from answer.as_error()


class Child:
    """A process that computes.

    Args:
        process: The process.
        channel: What it reads requests from, and writes answers to.
        lifeline: A descriptor whose end it does not survive.
    """

    def __init__(self, process: "Popen[bytes]", channel: Channel, lifeline: int) -> None:
        self._process = process
        self._channel = channel
        self._lifeline: int | None = lifeline
        self._letting_go = threading.Lock()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def ask(self, request: bytes, *, timeout_seconds: float | None) -> bytearray:
        """Return the answer to a request; the caller lets nobody else ask meanwhile.

        Raises:
            TimeoutError: If there is none in time; the process is of no use from then on.
            EOFError: If the process died.
            OSError: If the process died.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._channel.send(request, deadline=deadline)
        return self._channel.receive(deadline=deadline)

    def wait_for_end(self) -> None:
        """Return when the process has ended, by itself or not; whoever asks how still learns it."""
        if self._process.returncode is not None:
            return
        try:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            # Somebody else has asked how it ended.
            return

    def hang_up(self) -> None:
        """Let it end when it has nothing to compute, and whoever waits for it see the end."""
        self._channel.shut_down()

    def death(self) -> str:
        """Return how a process died whose channel has ended, in words; none is left of it."""
        try:
            self._process.wait(ENDING_SECONDS)
        except TimeoutExpired:
            self._process.kill()
        status = self._process.wait()
        self._let_go()
        if status >= 0:
            return f"exit status {status}"
        try:
            return signal.Signals(-status).name
        except ValueError:
            # The signals between the first and the last of the real-time ones have no names.
            return f"signal {-status}"

    def end(self) -> None:
        """Hang up, wait until it has ended, and kill it when that takes too long."""
        self.hang_up()
        self.death()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self.death()

    def _let_go(self) -> None:
        with self._letting_go:
            self._channel.close()
            if self._lifeline is not None:
                os.close(self._lifeline)
                self._lifeline = None


def _environment() -> dict[str, str]:
    """Return the server's environment, with its folders to import from, and one thread each."""
    folders = os.pathsep.join(folder or os.curdir for folder in sys.path)
    child = {**dict.fromkeys(_ONE_THREAD, "1"), **os.environ, "PYTHONPATH": folders}
    for name in _KEPT_BACK:
        child.pop(name, None)
    return child
