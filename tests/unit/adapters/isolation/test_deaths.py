"""What callers see when a process dies, hangs, or its model raises."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from structlog.testing import capture_logs

from gql_platform.adapters.isolation.channel import encoded
from gql_platform.adapters.isolation.child import Plan
from gql_platform.adapters.isolation.pause import LONGEST_SECONDS, Pause
from gql_platform.adapters.isolation.predictor import IsolatedPredictor
from gql_platform.errors import PredictionError
from gql_platform.registry.records import VersionRef
from gql_platform.serving.ports import Output, ValueOutput
from tests.unit.adapters.isolation.conftest import PATIENCE_SECONDS, Isolate, ends, join_ends
from tests.unit.adapters.isolation.models import (
    Dying,
    Greedy,
    Pausing,
    Raising,
    Summing,
    Unanswerable,
)
from tests.unit.serving.lanes import until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROWS = np.array([[1.0, 2.0], [3.0, 4.5]])
SUMS = [3.0, 7.5]
GROUP = "the model raised ExceptionGroup: several (1 sub-exception)"

PARENT = """
import asyncio, sys
import numpy as np
from gql_platform.adapters.isolation.isolation import ProcessIsolation
from tests.unit.adapters.isolation import models
from tests.unit.adapters.mlflow.versions import version_of

made = asyncio.run(ProcessIsolation().isolated(version_of("sums"), getattr(models, sys.argv[1])()))
print(made.pid, file=sys.stderr, flush=True)
made.predict(np.ones((1, 2)))
print("answered", flush=True)
sys.stdin.read()
"""


class TestErrors:
    @pytest.mark.parametrize(
        ("failure", "kind", "message"),
        [
            ("value", ValueError, "too large for float32"),
            ("key", KeyError, "'age'"),
            ("file", FileNotFoundError, "[Errno 2] no such file"),
            ("values", ValueError, "('bad', [1])"),
            ("subclass", ValueError, "ShapeError: 3 columns"),
            ("odd", RuntimeError, "the model raised OddError: that is odd"),
            ("exit", RuntimeError, "the model raised SystemExit: 3"),
            ("group", RuntimeError, GROUP),
        ],
    )
    async def test_errors_of_the_model(
        self, isolate: Isolate, failure: str, kind: type[Exception], message: str
    ) -> None:
        """Builtin errors stay what they are, others are named, and the process lives on."""
        isolated = await isolate(Raising(failure))
        pid = isolated.pid
        for _ in range(2):
            with pytest.raises(kind) as caught:
                isolated.predict(ROWS)
            assert (type(caught.value), str(caught.value)) == (kind, message)
            assert "in prepare" in caught.value.__notes__[0]
        assert isolated.pid == pid

    async def test_answer_that_cannot_be_sent(self, isolate: Isolate) -> None:
        """An answer that is no data is an error of the model."""
        isolated = await isolate(Unanswerable())
        with pytest.raises(Exception, match="lambda"):
            isolated.predict(ROWS)
        assert isolated.pid is not None

    async def test_memory(self, isolate: Isolate, tmp_path: Path) -> None:
        """A call that wants too much fails as such, and the process answers the next."""
        trigger = tmp_path / "trigger"
        trigger.touch()
        isolated = await isolate(Greedy(trigger, 1 << 32), memory_limit_mb=2048)
        pid = isolated.pid
        with pytest.raises(MemoryError, match=r"Unable to allocate 4\.00 GiB"):
            isolated.predict(ROWS)
        trigger.unlink()
        assert values_of(isolated.predict(ROWS)) == SUMS
        assert isolated.pid == pid


class TestDeaths:
    async def test_killed_while_idle(self, isolate: Isolate) -> None:
        """The next process starts before anybody calls, and the log tells."""
        isolated = await isolate(Summing())
        old = isolated.pid
        assert old is not None
        with capture_logs() as lines:
            os.kill(old, signal.SIGKILL)
            await until(lambda: len(lines) == 2)
        assert isolated.pid is not None
        assert psutil.pid_exists(isolated.pid)
        died = {"log_level": "error", "pid": old, "reason": "SIGKILL"}
        restarted = {"log_level": "warning", "pid": isolated.pid}
        about = {"model": "sums", "version": 3}
        assert lines == [
            {"event": "process_died", **died, **about},
            {"event": "process_restarted", **restarted, **about},
        ]
        new = isolated.pid
        assert new != old
        assert not psutil.pid_exists(old)
        assert values_of(isolated.predict(ROWS)) == SUMS
        assert isolated.pid == new

    async def test_killed_while_idle_and_called_at_once(self, isolate: Isolate) -> None:
        """Whoever is first starts the next process, and there is one of them in the end."""
        isolated = await isolate(Summing())
        for _ in range(5):
            old = isolated.pid
            assert old is not None
            os.kill(old, signal.SIGKILL)
            assert values_of(isolated.predict(ROWS)) == SUMS
            assert isolated.pid is not None
            children = {child.pid for child in psutil.Process().children()}
            assert isolated.pid in children
            assert old not in children

    async def test_killed_again_and_again(self, isolate: Isolate) -> None:
        """With no answer in between, the third process waits; a call does not, and ends that."""
        isolated = await isolate(Summing())
        with capture_logs() as lines:
            for lines_then in (2, 4):
                assert isolated.pid is not None
                os.kill(isolated.pid, signal.SIGKILL)
                await until(lambda count=lines_then: len(lines) >= count)  # type: ignore[misc]
            assert values_of(isolated.predict(ROWS)) == SUMS
            pid = isolated.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: len(lines) == 7)
        assert [line["event"] for line in lines] == [
            "process_died",
            "process_restarted",
            "process_died",
            "process_restart_waits",
            "process_restarted",
            "process_died",
            "process_restarted",
        ]
        assert 0.9 < lines[3]["seconds"] <= 1.0

    async def test_closed_while_dead(self, isolate: Isolate) -> None:
        """Nothing is started for a predictor that is closed while its next process waits."""
        isolated = await isolate(Summing())
        with capture_logs() as lines:
            for lines_then in (2, 4):
                assert isolated.pid is not None
                os.kill(isolated.pid, signal.SIGKILL)
                await until(lambda count=lines_then: len(lines) >= count)  # type: ignore[misc]
            isolated.close()
            await until(lambda: "keep-sums" not in {each.name for each in threading.enumerate()})
        assert isolated.pid is None
        assert [line["event"] for line in lines][3:] == ["process_restart_waits"]

    async def test_killed_in_a_call(self, isolate: Isolate, pipes: tuple[Path, Path]) -> None:
        """The call that the process died of is tried once more, in a new one."""
        isolated = await isolate(Pausing(*pipes))
        call = asyncio.create_task(asyncio.to_thread(isolated.predict, ROWS))
        old = int(await asyncio.to_thread(pipes[0].read_text))
        os.kill(old, signal.SIGKILL)
        new = int(await asyncio.to_thread(pipes[0].read_text))
        await asyncio.to_thread(pipes[1].write_text, "go")
        assert values_of(await call) == SUMS
        assert isolated.pid == new != old

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
    async def test_died_twice(
        self, isolate: Isolate, tmp_path: Path, number: signal.Signals
    ) -> None:
        """A call that ends two processes fails with the signal's name; the next call works."""
        trigger = tmp_path / "trigger"
        trigger.touch()
        isolated = await isolate(Dying(trigger, number))
        with pytest.raises(PredictionError) as caught:
            isolated.predict(ROWS)
        reason = f"its process died twice while it computed (last of {number.name})."
        assert caught.value.data == {"name": "sums", "version": 3, "reason": reason}
        trigger.unlink()
        await until(lambda: isolated.pid is not None)
        assert values_of(isolated.predict(ROWS)) == SUMS

    async def test_hanging_call(self, isolate: Isolate, pipes: tuple[Path, Path]) -> None:
        """A call that takes too long ends its process, is not tried again, and the next works."""
        isolated = await isolate(Pausing(*pipes), call_timeout_seconds=2)
        call = asyncio.create_task(asyncio.to_thread(isolated.predict, ROWS))
        old = int(await asyncio.to_thread(pipes[0].read_text))
        with pytest.raises(PredictionError) as caught:
            await call
        assert caught.value.reason == "it took longer than 2 s; its process was killed."
        assert not psutil.pid_exists(old)
        call = asyncio.create_task(asyncio.to_thread(isolated.predict, ROWS))
        await asyncio.to_thread(pipes[0].read_text)
        await asyncio.to_thread(pipes[1].write_text, "go")
        assert values_of(await call) == SUMS

    async def test_closed_in_a_call(self, isolate: Isolate, pipes: tuple[Path, Path]) -> None:
        """Closing ends a call that hangs, and no process is started for it."""
        isolated = await isolate(Pausing(*pipes))
        call = asyncio.create_task(asyncio.to_thread(isolated.predict, ROWS))
        pid = int(await asyncio.to_thread(pipes[0].read_text))
        isolated.close()
        for answer in (call, asyncio.to_thread(isolated.predict, ROWS)):
            with pytest.raises(PredictionError) as caught:
                await answer
            assert caught.value.reason == "its process was ended."
        join_ends()
        assert not psutil.pid_exists(pid)


class TestPauses:
    @pytest.fixture
    async def closing(self) -> AsyncIterator[list[IsolatedPredictor]]:
        """Predictors to close in the end."""
        made: list[IsolatedPredictor] = []
        yield made
        for predictor in made:
            predictor.close()
        join_ends()

    async def test_dying_again_and_again(
        self, tmp_path: Path, closing: list[IsolatedPredictor]
    ) -> None:
        """After a second failed call, calls fail at once until the pause is over."""
        now = 0.0
        trigger = tmp_path / "trigger"
        trigger.touch()
        dying = Dying(trigger)
        plan = Plan(encoded(dying), None, PATIENCE_SECONDS)
        isolated = IsolatedPredictor(dying, VersionRef("sums", 3), plan, pause=Pause(lambda: now))
        closing.append(isolated)
        reasons = []
        for _ in range(3):
            with pytest.raises(PredictionError) as caught:
                isolated.predict(ROWS)
            reasons.append(caught.value.reason)
        died = "its process died twice while it computed (last of SIGKILL)."
        waits = "its process died again and again; it is started anew in 1 s."
        assert reasons == [died, died, waits]
        now = 1.0
        trigger.unlink()
        assert values_of(isolated.predict(ROWS)) == SUMS

    def test_growth(self) -> None:
        """It doubles with each failure in a row, is bounded, and is forgotten after a success."""
        pause = Pause(lambda: 0.0)
        seen = []
        for _ in range(9):
            pause.failed()
            seen.append(pause.seconds_left)
        assert seen == [0, 1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS]
        pause.succeeded()
        assert pause.seconds_left == 0
        pause.failed()
        assert pause.seconds_left == 0


class TestParent:
    @pytest.mark.parametrize(("model", "word"), [("Summing", "answered"), ("Stuck", "stuck")])
    def test_death_of_the_server(self, model: str, word: str) -> None:
        """No process outlives its server, not even one that never lets go of the interpreter."""
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, model],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with parent:
            assert parent.stdout is not None
            assert parent.stderr is not None
            # Lines of the log come before it.
            assert word in (line.strip() for line in parent.stdout)
            process = os.pidfd_open(
                next(int(line) for line in parent.stderr if line.strip().isdigit())
            )
            assert select.select([process], [], [], 0)[0] == []
            parent.kill()
            assert ends(process)


def values_of(output: Output) -> list[float]:
    """Return the numbers of an answer."""
    assert isinstance(output, ValueOutput)
    return [float(value) for value in output.values]
