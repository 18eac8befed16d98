"""Whether a model is quick enough to answer small requests on the event loop."""

import time
from collections.abc import Callable
from typing import TypeVar

from gql_platform.serving.records import Speed

QUICK_SECONDS = 0.0005
"""The longest that a quick answer computes; handing it to a thread and back costs a third."""

BLOCKED_SECONDS = 0.01
"""The longest that a quick answer takes by the clock on the wall.

A busy machine takes the processor away from a thread for some milliseconds, which says nothing of
the model; a model that waits, for a network say, needs no processor and takes longer than this.
"""

UNMEASURED_ROWS = 8
"""The most rows of a small request to a model whose speed is not known."""

MOST_ROWS = 64
"""The most rows of a small request to any model."""

QUICK_CALLS = 16
"""After how many quick answers in a row a model is taken for quick again."""

T = TypeVar("T")


class Pace:
    """Watch how long a model takes for small requests.

    A model has its place on the event loop by what was measured when it was loaded; it loses it
    with the first answer that needs the processor for too long, or does not come, and earns it
    back by answering from a thread.

    Args:
        speed: How quick it was; None when that is not known, and has to be earned.
    """

    def __init__(self, speed: Speed | None = None) -> None:
        self._rows = UNMEASURED_ROWS if speed is None else rows_within(speed)
        self._quick_calls = QUICK_CALLS if speed is not None and self._rows else 0

    @property
    def is_quick(self) -> bool:
        """Whether it has answered quickly for a while."""
        return self._quick_calls >= QUICK_CALLS

    def takes(self, rows: int) -> bool:
        """Return whether a request of so many rows may be answered on the event loop."""
        return self._quick_calls >= QUICK_CALLS and rows <= self._rows

    def record(self, *, rows: int, cpu_seconds: float, seconds: float) -> None:
        """Take note of an answer.

        Args:
            rows: The number of rows.
            cpu_seconds: For how long checking them and predicting had the processor.
            seconds: How long it took.
        """
        if rows <= (self._rows or UNMEASURED_ROWS):
            is_quick = cpu_seconds <= QUICK_SECONDS and seconds <= BLOCKED_SECONDS
            self._quick_calls = self._quick_calls + 1 if is_quick else 0

    def timed(self, rows: int, call: Callable[[], T]) -> T:
        """Return what a call returns, and take note of how long it took."""
        begun, cpu_begun = time.perf_counter(), time.thread_time()
        result = call()
        self.record(
            rows=rows,
            cpu_seconds=time.thread_time() - cpu_begun,
            seconds=time.perf_counter() - begun,
        )
        return result


def rows_within(speed: Speed) -> int:
    """Return how many rows a model answers within `QUICK_SECONDS`, at most `MOST_ROWS`."""
    budget = QUICK_SECONDS * 1e6 - speed.one_row_us
    if budget < 0:
        return 0
    per_row = max(speed.thirty_two_rows_us - speed.one_row_us, 0.0) / 31
    return MOST_ROWS if per_row * MOST_ROWS <= budget else 1 + int(budget / per_row)
