"""What the tests of the service share: an observer that remembers, and models that misbehave."""

import threading
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd

from gql_platform.deployments.service import Deployments
from gql_platform.registry.records import VersionRef
from gql_platform.registry.service import Registry
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.pace import QUICK_SECONDS
from gql_platform.serving.ports import Output, Predictor, Table, ValueOutput
from gql_platform.serving.records import NATIVE, Task
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing import HOUSE_PACKAGE, InMemoryLoader, InMemoryStore

HOUSE_ROW = (100.0, 4, True)


class Observer:
    """A `ServingObserver` that remembers what it learned."""

    def __init__(self) -> None:
        self.settled: list[tuple[str, int, bool]] = []
        self.retired: list[tuple[str, int]] = []
        self.started: list[str] = []
        self.finished: list[tuple[str, int, str | None]] = []
        self.seconds: list[float] = []

    def model_settled(self, model: str, *, version: int, is_up: bool) -> None:
        """Remember the version."""
        self.settled.append((model, version, is_up))

    def model_retired(self, model: str, *, version: int) -> None:
        """Remember the version."""
        self.retired.append((model, version))

    def prediction_started(self, model: str) -> None:
        """Remember the start."""
        self.started.append(model)

    def prediction_finished(
        self, model: str, *, rows: int, seconds: float, error_code: str | None
    ) -> None:
        """Remember the end."""
        self.finished.append((model, rows, error_code))
        self.seconds.append(seconds)


class Scripted:
    """A regressor that does what the test says; rows of nothing, as in its warm-up, are zero.

    Args:
        act: Gets the rows and returns the output, or raises.
        is_quick: Whether it is quick enough for the event loop when it is loaded.
    """

    task = Task.REGRESSION
    labels: tuple[str, ...] = ()
    takes_arrays = False
    compilation = NATIVE

    def __init__(
        self,
        act: Callable[[pd.DataFrame], Output],
        *,
        is_quick: bool = False,
    ) -> None:
        self._act = act
        self._warm_up_seconds = 0.0 if is_quick else 2 * QUICK_SECONDS

    def predict(self, rows: Table) -> Output:
        """Do as told."""
        frame = cast(pd.DataFrame, rows)
        if not frame.to_numpy(dtype="float64").any():
            time.sleep(self._warm_up_seconds)
            return ValueOutput(np.zeros(len(frame)))
        return self._act(frame)

    def close(self) -> None:
        """It holds nothing."""


class Held:
    """A gate that predictions wait at, until the test opens it."""

    def __init__(self, places: int) -> None:
        self._all_there = threading.Barrier(places + 1)
        self._is_open = threading.Event()

    def act(self, frame: pd.DataFrame) -> ValueOutput:
        """Wait at the gate, then answer with the first column."""
        if not self._is_open.is_set():
            self._all_there.wait(timeout=30)
        assert self._is_open.wait(timeout=30)
        return ValueOutput(frame.iloc[:, 0].to_numpy(dtype="float64"))

    def wait_until_full(self) -> None:
        """Return when that many predictions compute at the same time; it blocks."""
        self._all_there.wait(timeout=30)

    def open(self) -> None:
        """Let all of them end."""
        self._is_open.set()


async def house_serving(
    predictor: Predictor, *observers: Observer, max_rows: int = 10, threads: int = 2,
    **limits: Any,
) -> Serving:  # fmt: skip
    """Return a service whose one model `house` is that predictor, and is loaded."""
    store = InMemoryStore()
    store.add_version("house", package=HOUSE_PACKAGE)
    serving = Serving(
        InMemoryLoader({VersionRef("house", 1): predictor}),
        traffic=Traffic(),
        observers=observers,
        limits=ServingLimits(max_rows=max_rows, threads=threads, **limits),
    )
    await Deployments(Registry(store), serving).load_all()
    return serving
