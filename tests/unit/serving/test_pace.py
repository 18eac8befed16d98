"""Models that answer quickly do so on the event loop, and no others."""

import threading
import time

import numpy as np
import pandas as pd
import pytest

from gql_platform.serving.pace import (
    BLOCKED_SECONDS,
    MOST_ROWS,
    QUICK_CALLS,
    QUICK_SECONDS,
    Pace,
    rows_within,
)
from gql_platform.serving.ports import ValueOutput
from gql_platform.serving.records import Speed
from tests.unit.serving.doubles import HOUSE_ROW, Scripted, house_serving


def quick_pace() -> Pace:
    """Return the pace of a model that has answered quickly so far."""
    return Pace(Speed(10.0, 20.0))


class TestPace:
    def test_is_earned(self) -> None:
        """A model is quick after so many quick answers, and not before."""
        pace = Pace()
        for _ in range(QUICK_CALLS):
            assert not pace.is_quick
            pace.record(rows=1, cpu_seconds=QUICK_SECONDS, seconds=BLOCKED_SECONDS)
        assert pace.is_quick

    def test_is_lost_at_once(self) -> None:
        """One answer that takes too long is enough."""
        pace = quick_pace()
        pace.record(rows=1, cpu_seconds=QUICK_SECONDS * 2, seconds=QUICK_SECONDS * 2)
        assert not pace.is_quick

    def test_is_lost_by_waiting(self) -> None:
        """A model that waits for something else holds the event loop up without computing."""
        pace = quick_pace()
        pace.record(rows=1, cpu_seconds=0.0, seconds=BLOCKED_SECONDS * 2)
        assert not pace.is_quick

    def test_outlives_a_busy_machine(self) -> None:
        """That the processor was away for a moment says nothing of the model."""
        pace = quick_pace()
        pace.record(rows=1, cpu_seconds=0.0, seconds=BLOCKED_SECONDS / 2)
        assert pace.is_quick

    def test_times_the_processor_and_the_wait(self) -> None:
        """Each call is recorded with both."""
        pace = quick_pace()
        ends_at = time.thread_time() + 2 * QUICK_SECONDS

        def compute() -> str:
            while time.thread_time() < ends_at:
                pass
            return "done"

        assert pace.timed(1, compute) == "done"
        assert not pace.is_quick

    def test_large_requests_say_nothing(self) -> None:
        """How long many rows take is no matter here."""
        pace = quick_pace()
        pace.record(rows=MOST_ROWS + 1, cpu_seconds=60.0, seconds=60.0)
        assert pace.is_quick

    def test_is_measured(self) -> None:
        """What was quick when it was loaded is quick from the first request on."""
        assert Pace(Speed(10.0, 20.0)).takes(1)
        assert not Pace(Speed(501.0, 501.0)).takes(1)

    @pytest.mark.parametrize(
        ("one", "thirty_two", "rows"),
        [
            (10.0, 10.0, MOST_ROWS),
            (10.0, 9.0, MOST_ROWS),
            (190.0, 500.0, 32),
            (400.0, 3500.0, 2),
            (499.0, 31_000.0, 1),
            (500.5, 501.0, 0),
        ],
    )
    def test_rows_within_the_budget(self, one: float, thirty_two: float, rows: int) -> None:
        """So many rows as take half a millisecond stay on the event loop."""
        assert rows_within(Speed(one, thirty_two)) == rows


@pytest.mark.anyio
@pytest.mark.parametrize("is_quick", [True, False])
async def test_only_small_requests_of_a_quick_model_stay_on_the_loop(*, is_quick: bool) -> None:
    """The event loop's thread computes for them, and other threads for all else."""
    threads: list[threading.Thread] = []

    def act(frame: pd.DataFrame) -> ValueOutput:
        threads.append(threading.current_thread())
        return ValueOutput(np.zeros(len(frame)))

    serving = await house_serving(Scripted(act, is_quick=is_quick), max_rows=MOST_ROWS + 1)
    here = threading.current_thread()
    await serving.predict("house", [HOUSE_ROW])
    assert (threads == [here]) is is_quick
    threads.clear()
    await serving.predict("house", [HOUSE_ROW] * (MOST_ROWS + 1))
    assert here not in threads
    await serving.close()
