"""What the tests of lanes share: a model that answers when it may, and requests to it."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from anyio.lowlevel import checkpoint

from gql_platform.serving.lane import Lane, LaneLimits, Predict
from gql_platform.serving.ports import Output, Table, ValueOutput

PATIENCE_SECONDS = 30
"""How long a test waits for what must happen; far more than it takes."""

_numbers = itertools.count()


def lane_of(
    predict: Predict, *, concurrency: int = 1, max_batch_rows: int = 256, max_waiting: int = 256,
    deadline_seconds: float = PATIENCE_SECONDS,
) -> Lane:  # fmt: skip
    """Return a lane into version 7 of a model whose name, and whose threads', no other has."""
    limits = LaneLimits(concurrency, max_batch_rows, max_waiting, deadline_seconds)
    return Lane(f"house-{next(_numbers)}", 7, predict, limits)


def rows(*values: float) -> Table:
    """Return a table of one column."""
    return np.array(values).reshape(-1, 1)


def frame(*values: object) -> Table:
    """Return a table that is not joined with arrays, nor with those of other types."""
    return pd.DataFrame({"x": list(values)})


def column_of(table: Table) -> list[float]:
    """Return the first column as numbers."""
    array = table.to_numpy(dtype=np.float64) if isinstance(table, pd.DataFrame) else table
    return [float(value) for value in array[:, 0]]


def doubled(table: Table) -> ValueOutput:
    """Answer with twice the first column."""
    return ValueOutput(np.array(column_of(table)) * 2)


class Gated:
    """A model that doubles the first column, when the test lets it.

    Attributes:
        calls: The first column of each call that began.
    """

    def __init__(self, act: Predict = doubled) -> None:
        self.calls: list[list[float]] = []
        self._act = act
        self._begun = threading.Semaphore(0)
        self._may_end = threading.Semaphore(0)

    def predict(self, table: Table) -> Output:
        """Wait for the test, then answer."""
        self.calls.append(column_of(table))
        self._begun.release()
        assert self._may_end.acquire(timeout=PATIENCE_SECONDS)
        return self._act(table)

    async def begun(self, calls: int = 1) -> None:
        """Return when so many further calls have begun."""
        for _ in range(calls):
            assert await asyncio.to_thread(self._begun.acquire, timeout=PATIENCE_SECONDS)

    def let_end(self, calls: int) -> None:
        """Let so many calls end."""
        self._may_end.release(calls)


async def asked(lane: Lane, *tables: Table) -> "list[asyncio.Task[Output]]":
    """Return tasks for requests that are at work or wait."""
    tasks = [asyncio.create_task(lane.run(table)) for table in tables]
    await checkpoint()
    return tasks


async def answers(tasks: "Sequence[asyncio.Task[Output]]") -> list[list[float]]:
    """Return the values that each request was answered with."""
    found = await asyncio.gather(*tasks)
    return [[float(value) for value in each.values] for each in found]  # type: ignore[union-attr]


async def until(holds: Callable[[], bool]) -> None:
    """Return when something has come true; it looks again and again, for a while."""
    for _ in range(PATIENCE_SECONDS * 1000):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come true")


def be_patient(lane: Lane) -> None:
    """Let further requests of a lane take as long as they need."""
    lane._limits = replace(lane._limits, deadline_seconds=PATIENCE_SECONDS)


def threads_of(lane: Lane) -> int:
    """Return how many threads a lane has."""
    return sum(each.name == f"predict-{lane._model}" for each in threading.enumerate())
