"""Predictors are handed over to processes, or refused with a reason."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from structlog.testing import capture_logs

from gql_platform.adapters.estimators.native import sklearn_predictor
from gql_platform.adapters.forecasters.steps import StepForecaster
from gql_platform.adapters.isolation.isolation import ProcessIsolation
from gql_platform.errors import ModelLoadError
from gql_platform.serving.ports import ClassOutput, ForecastOutput, Output, ValueOutput
from gql_platform.serving.records import Task
from gql_platform.testing.predictors import LinearClassifier, LinearRegressor
from tests.unit.adapters.isolation.conftest import Isolate, ends, join_ends
from tests.unit.adapters.isolation.models import (
    Environment,
    Loading,
    Pausing,
    Summing,
    fail_to_load,
    wait_to_load,
)
from tests.unit.adapters.mlflow.versions import package_for, version_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROWS = np.array([[1.0, 2.0], [3.0, 4.5]])


class TestAnswers:
    async def test_forest(self, isolate: Isolate) -> None:
        """A forest of scikit-learn answers to the last bit as it does in the server."""
        frame, codes = load_iris(return_X_y=True, as_frame=True)
        forest = RandomForestClassifier(n_estimators=20, random_state=0).fit(frame, codes)
        original = sklearn_predictor(forest, version_of("iris"), package_for(frame))
        isolated = await isolate(original)
        rows = frame.to_numpy() if original.takes_arrays else frame
        expected, actual = original.predict(rows), isolated.predict(rows)
        assert isinstance(expected, ClassOutput)
        assert isinstance(actual, ClassOutput)
        assert expected.probabilities is not None
        assert actual.probabilities is not None
        assert actual.chosen.tolist() == expected.chosen.tolist()
        assert actual.probabilities.tolist() == expected.probabilities.tolist()
        assert (isolated.task, isolated.labels) == (Task.CLASSIFICATION, ("0", "1", "2"))
        assert isolated.takes_arrays is original.takes_arrays
        assert isolated.compilation == original.compilation

    async def test_table(self, isolate: Isolate) -> None:
        """Tables arrive with their columns, and answers with their arrays."""
        table = pd.DataFrame({"a": [1, 2], "b": [0.5, -1.5]})
        classifier = LinearClassifier(("no", "yes"), [[1, 0], [0, 2]])
        isolated = await isolate(classifier)
        expected, actual = classifier.predict(table), isolated.predict(table)
        assert isinstance(actual, ClassOutput)
        assert expected.probabilities is not None
        assert actual.probabilities is not None
        assert actual.chosen.tolist() == expected.chosen.tolist()
        assert actual.probabilities.tolist() == expected.probabilities.tolist()

    async def test_forecaster(self, isolate: Isolate) -> None:
        """The values that a model answers are known of one in a process, too."""
        original = StepForecaster(np.arange(5.0), None)
        isolated = await isolate(original)
        assert isolated.ranges == original.ranges
        output = isolated.predict(pd.DataFrame({"step": [5, 1]}))
        assert isinstance(output, ForecastOutput)
        assert output.values.tolist() == [4.0, 0.0]

    async def test_many_rows(self, isolate: Isolate) -> None:
        """Messages that are larger than the socket's buffer come through whole."""
        isolated = await isolate(LinearRegressor([2.0, 1.0], 0.5))
        rows = np.arange(400_000.0).reshape(-1, 2)
        output = isolated.predict(rows)
        assert isinstance(output, ValueOutput)
        assert np.array_equal(output.values, rows @ [2.0, 1.0] + 0.5)

    async def test_threads(self, isolate: Isolate) -> None:
        """Each of several threads gets the answer to its own rows."""
        isolated = await isolate(Summing())
        tables = [np.full((1, 2), float(number)) for number in range(40)]
        outputs = await asyncio.gather(
            *(asyncio.to_thread(isolated.predict, table) for table in tables)
        )
        sums = [output.values.tolist() for output in outputs if isinstance(output, ValueOutput)]
        assert sums == [[2.0 * number] for number in range(40)]


class TestProcess:
    async def test_start_is_logged(self, isolate: Isolate) -> None:
        """The log says which version got which process."""
        with capture_logs() as lines:
            isolated = await isolate(Summing())
        assert lines == [
            {
                "event": "process_started",
                "log_level": "info",
                "model": "sums",
                "version": 3,
                "pid": isolated.pid,
            }
        ]

    @pytest.mark.parametrize(("given", "seen"), [(None, 1.0), ("3", 3.0)])
    async def test_threads_of_libraries(
        self, isolate: Isolate, monkeypatch: pytest.MonkeyPatch, given: str | None, seen: float
    ) -> None:
        """Libraries compute in one thread, unless the server's environment says otherwise."""
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if given is not None:
            monkeypatch.setenv("OMP_NUM_THREADS", given)
        isolated = await isolate(Environment("OMP_NUM_THREADS"))
        assert values_of(isolated.predict(ROWS)) == [seen, seen]

    async def test_secret_is_kept_back(
        self, isolate: Isolate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The process answers no requests, and needs no key for them."""
        monkeypatch.setenv("API_SECRET_KEY", "12345")
        isolated = await isolate(Environment("API_SECRET_KEY"))
        assert values_of(isolated.predict(ROWS)) == [0.0, 0.0]

    async def test_interrupt_is_for_the_server(self, isolate: Isolate) -> None:
        """A Ctrl+C, which reaches all processes of a terminal, ends none of them."""
        isolated = await isolate(Summing())
        pid = isolated.pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)
        assert values_of(isolated.predict(ROWS)) == [3.0, 7.5]
        assert isolated.pid == pid

    async def test_close(self, isolate: Isolate) -> None:
        """A closed predictor leaves no process behind, not even a dead one; twice is once."""
        isolated = await isolate(Summing())
        pid = isolated.pid
        assert pid is not None
        assert psutil.pid_exists(pid)
        isolated.close()
        isolated.close()
        join_ends()
        assert not psutil.pid_exists(pid)
        assert isolated.pid is None

    async def test_cancelled_start(self, pipes: tuple[Path, Path]) -> None:
        """A process whose server lost interest while it loaded ends when it has loaded."""
        version, predictor = version_of("sums"), Loading(wait_to_load, pipes)
        starting = asyncio.create_task(ProcessIsolation().isolated(version, predictor))
        process = os.pidfd_open(int(await asyncio.to_thread(pipes[0].read_text)))
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await asyncio.to_thread(pipes[1].write_text, "go")
        assert await asyncio.to_thread(ends, process)
        join_ends()


class TestRefusals:
    @pytest.mark.parametrize(
        ("call", "arguments", "settings", "reason"),
        [
            (
                fail_to_load, ("no such layer",), {},
                "its process cannot load it: ValueError: no such layer",
            ),
            (os._exit, (3,), {}, "its process died while it loaded the model (exit status 3)."),
            (
                signal.raise_signal, (signal.SIGSEGV,), {},
                "its process died while it loaded the model (SIGSEGV).",
            ),
            (
                bytearray, (1 << 32,), {"memory_limit_mb": 2048},
                "its process cannot load it: MemoryError",
            ),
        ],
    )  # fmt: skip
    async def test_model_that_does_not_load(
        self,
        call: Any,
        arguments: tuple[Any, ...],
        settings: dict[str, Any],
        reason: str,
        started: Callable[[], set[int]],
    ) -> None:
        """What goes wrong in the process is told."""
        isolation = ProcessIsolation(**settings)
        with pytest.raises(ModelLoadError) as caught:
            await isolation.isolated(version_of("sums", 3), Loading(call, arguments))
        assert caught.value.data == {"name": "sums", "version": 3, "reason": reason}
        assert started() == set()

    async def test_model_that_cannot_be_handed_over(self) -> None:
        """What cannot be encoded is refused before a process is started."""
        predictor = Pausing(Path(), Path())
        predictor.prepare = lambda: None  # type: ignore[method-assign]
        with pytest.raises(ModelLoadError) as caught:
            await ProcessIsolation().isolated(version_of("sums", 3), predictor)
        assert caught.value.reason.startswith("it cannot be handed to another process: ")
        assert "<lambda>" in caught.value.reason

    async def test_slow_start(
        self, pipes: tuple[Path, Path], started: Callable[[], set[int]]
    ) -> None:
        """A process that does not get ready is not waited for, and ended."""
        isolation = ProcessIsolation(start_timeout_seconds=0.1)
        with pytest.raises(ModelLoadError) as caught:
            await isolation.isolated(version_of("sums", 3), Loading(wait_to_load, pipes))
        assert caught.value.reason == "its process was not ready within 0.1 s."
        assert started() == set()


def values_of(output: Output) -> list[float]:
    """Return the numbers of an answer."""
    assert isinstance(output, ValueOutput)
    return [float(value) for value in output.values]
