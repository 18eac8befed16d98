"""A predictor that computes in a process of its own."""

import threading
from typing import cast

import structlog

from gql_platform.adapters.isolation.channel import decoded, encoded
from gql_platform.adapters.isolation.child import Child, Plan, StartError
from gql_platform.adapters.isolation.pause import Pause
from gql_platform.adapters.isolation.raised import Raised
from gql_platform.errors import PredictionError
from gql_platform.registry.records import VersionRef
from gql_platform.serving.ports import Output, Predictor, Table, ranges_of

_ENDED = "its process was ended."

log = structlog.get_logger(__name__)


class IsolatedPredictor:
    """Compute as another predictor does, in a process of its own; a `Predictor`.

    The other predictor is not kept, but for its encoded form in the plan, from which the process
    is started anew when it dies: by the call that sees it die, and else at once by a thread, so
    that no caller waits for it.

    Args:
        original: What it stands for.
        ref: The version that it is of.
        plan: How its process is started.
        call_timeout_seconds: How long a call may take before its process is killed; None for any
            time.
        pause: How long calls fail at once after the process died again and again.

    Raises:
        StartError: If its process does not start, or cannot load the model.
    """

    def __init__(
        self,
        original: Predictor,
        ref: VersionRef,
        plan: Plan,
        *,
        call_timeout_seconds: float | None = None,
        pause: Pause | None = None,
    ) -> None:
        self.task = original.task
        self.labels = original.labels
        self.takes_arrays = original.takes_arrays
        self.compilation = original.compilation
        self.ranges = ranges_of(original)
        self._ref = ref
        self._plan = plan
        self._timeout_seconds = call_timeout_seconds
        self._pause = pause or Pause()
        self._log = log.bind(model=ref.model, version=ref.version)
        self._calls = threading.Lock()
        self._state = threading.Lock()
        self._is_closed = False
        self._wake = threading.Event()
        # Other than the pause of calls: a process that dies while nobody asks refuses nobody.
        self._restarts = Pause()
        self._child: Child | None = plan.start()
        self._log.info("process_started", pid=self._child.pid)
        name = f"keep-{ref.model}"
        threading.Thread(target=self._keep, name=name, daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The id of its process; None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def predict(self, rows: Table) -> Output:
        """Compute the outputs for rows, in the other process; one thread after another.

        Raises:
            PredictionError: If the process dies twice, takes too long, or does not start anew.
            Exception: Whatever the model raises: builtin exceptions as they are, others as the
                builtin that is nearest to them, with their name in the message.
        """
        request = encoded(rows)
        with self._calls:
            message = self._answer(request)
        answer = decoded(message)
        if isinstance(answer, Raised):
            raise answer.as_error()
        return cast(Output, answer)

    def close(self) -> None:
        """End its process: by itself within two seconds, or else by force.

        It returns at once, for it is called on the event loop; a thread sees to the end.
        """
        with self._state:
            self._is_closed = True
            self._wake.set()
            child, self._child = self._child, None
        if child is not None:
            child.hang_up()
            # Not a daemon: the server does not end before its process.
            name = f"end-of-{child.pid}"
            threading.Thread(target=child.end, name=name, daemon=False).start()

    def _answer(self, request: bytes) -> bytearray:
        """Return the process's answer, after another try where the process died of the first."""
        left = self._pause.seconds_left
        if left:
            raise self._failure(
                f"its process died again and again; it is started anew in {left:.0f} s."
            )
        death = ""
        for _ in range(2):
            child = self._running()
            try:
                message = child.ask(request, timeout_seconds=self._timeout_seconds)
            except TimeoutError as error:
                self._bury(child, "killed, it took too long")
                self._pause.failed()
                reason = f"it took longer than {self._timeout_seconds:g} s; its process was killed."
                raise self._failure(reason) from error
            except (EOFError, OSError):
                death = self._bury(child)
            else:
                self._pause.succeeded()
                self._restarts.succeeded()
                return message
        self._pause.failed()
        raise self._failure(f"its process died twice while it computed (last of {death}).")

    def _running(self) -> Child:
        """Return its process, started anew if it died."""
        child = self._child
        if child is not None and not child.is_alive:
            self._bury(child)
            child = None
        if child is not None:
            return child
        try:
            return self._started_anew()
        except StartError as error:
            self._pause.failed()
            raise self._failure(f"its process could not be started anew: {error}") from error

    def _started_anew(self) -> Child:
        """Return the next process; nobody calls meanwhile.

        Raises:
            StartError: If it does not start, or cannot load the model.
            PredictionError: If the predictor is closed.
        """
        self._refuse_closed()
        child = self._plan.start()
        with self._state:
            if not self._is_closed:
                self._child = child
                self._wake.set()
        if self._is_closed:
            child.end()
            self._refuse_closed()
        self._log.warning("process_restarted", pid=child.pid)
        return child

    def _keep(self) -> None:
        """Start the next process whenever one has ended that no call has replaced.

        Where they end again and again, with no answer in between, it waits for longer each time.
        """
        while not self._is_closed:
            child = self._child
            if child is not None:
                child.wait_for_end()
            with self._calls:
                self._note_death()
            while not self._replaced():
                self._wake.wait(self._seconds_to_restart)
                self._wake.clear()

    def _note_death(self) -> None:
        """Take a process away that died between two calls, and count its death."""
        child = self._child
        if self._is_closed or (child is not None and child.is_alive):
            return
        try:
            if child is not None:
                self._bury(child)
        except PredictionError:
            # It was closed meanwhile.
            return
        self._restarts.failed()
        seconds = self._seconds_to_restart
        if seconds:
            self._log.warning("process_restart_waits", seconds=round(seconds, 3))

    def _replaced(self) -> bool:
        """Return whether there is a process, started now if it is time for it, or need be none."""
        with self._calls:
            if self._child is not None or self._is_closed:
                return True
            if self._seconds_to_restart:
                return False
            try:
                self._started_anew()
            except StartError as error:
                self._restarts.failed()
                self._log.error("process_not_restarted", reason=str(error))
            except PredictionError:
                # It was closed meanwhile.
                return True
            return self._child is not None

    @property
    def _seconds_to_restart(self) -> float:
        return max(self._pause.seconds_left, self._restarts.seconds_left)

    def _bury(self, child: Child, how: str | None = None) -> str:
        """Take a process away that died, or is to, and return how it died, in words.

        Raises:
            PredictionError: If it did not die, but was ended by `close`.
        """
        with self._state:
            is_closed, self._child = self._is_closed, None
        if is_closed:
            self._refuse_closed()
        if how is None:
            how = child.death()
        else:
            child.kill()
        self._log.error("process_died", pid=child.pid, reason=how)
        return how

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise self._failure(_ENDED)

    def _failure(self, reason: str) -> PredictionError:
        return PredictionError(name=self._ref.model, version=self._ref.version, reason=reason)
