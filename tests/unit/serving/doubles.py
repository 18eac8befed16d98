"""What the tests of the service share: an observer that remembers, and models that misbehave."""

import threading
from collections.abc import Callable
from typing import cast

import pandas as pd

from gql_platform.registry.records import VersionRef
from gql_platform.registry.service import Registry
from gql_platform.serving.ports import ClassOutput, Predictor, Table, ValueOutput
from gql_platform.serving.records import Task
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing import HOUSE_PACKAGE, InMemoryLoader, InMemoryStore

HOUSE_ROW = (100.0, 4, True)


class Observer:
    """A `ServingObserver` that remembers what it learned."""

    def __init__(self) -> None:
        self.settled: list[tuple[str, int, bool]] = []
        self.started: list[str] = []
        self.finished: list[tuple[str, int, str | None]] = []
        self.seconds: list[float] = []

    def model_settled(self, model: str, *, version: int, is_up: bool) -> None:
        """Remember the version."""
        self.settled.append((model, version, is_up))

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
    """A regressor that does what the test says; its own warm-up is left alone.

    Args:
        act: Gets the rows and returns the output, or raises.
    """

    task = Task.REGRESSION
    labels: tuple[str, ...] = ()
    takes_arrays = False

    def __init__(self, act: Callable[[pd.DataFrame], ClassOutput | ValueOutput]) -> None:
        self._act = act
        self._is_warm = False

    def predict(self, rows: Table) -> ClassOutput | ValueOutput:
        """Do as told, from the second call on."""
        frame = cast(pd.DataFrame, rows)
        if not self._is_warm:
            self._is_warm = True
            return ValueOutput(frame.iloc[:, 0].to_numpy(dtype="float64"))
        return self._act(frame)


class Held:
    """A gate that predictions wait at, until the test opens it."""

    def __init__(self, places: int) -> None:
        self._all_there = threading.Barrier(places + 1)
        self._is_open = threading.Event()

    def act(self, frame: pd.DataFrame) -> ValueOutput:
        """Wait at the gate, then answer with the first column."""
        self._all_there.wait(timeout=30)
        assert self._is_open.wait(timeout=30)
        return ValueOutput(frame.iloc[:, 0].to_numpy(dtype="float64"))

    def wait_until_full(self) -> None:
        """Return when that many predictions compute at the same time; it blocks."""
        self._all_there.wait(timeout=30)

    def open(self) -> None:
        """Let all of them end."""
        self._is_open.set()


def house_serving(
    predictor: Predictor, *observers: Observer, max_rows: int = 10, threads: int = 2
) -> Serving:
    """Return a service, not yet loaded, whose one model `house` is that predictor."""
    store = InMemoryStore()
    store.add_version("house", package=HOUSE_PACKAGE)
    return Serving(
        Registry(store),
        InMemoryLoader({VersionRef("house", 1): predictor}),
        traffic=Traffic(),
        observers=observers,
        max_rows=max_rows,
        threads=threads,
    )
