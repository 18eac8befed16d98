"""Models that answer quickly do so on the event loop, and no others."""

import threading

import numpy as np
import pandas as pd
import pytest

from gql_platform.serving.pace import QUICK_CALLS, QUICK_SECONDS, SMALL_ROWS, Pace
from gql_platform.serving.ports import ValueOutput
from tests.unit.serving.doubles import HOUSE_ROW, Scripted, house_serving


class TestPace:
    def test_is_earned(self) -> None:
        """A model is quick after so many quick answers, and not before."""
        pace = Pace()
        for _ in range(QUICK_CALLS):
            assert not pace.is_quick
            pace.record(rows=1, seconds=QUICK_SECONDS)
        assert pace.is_quick

    def test_is_lost_at_once(self) -> None:
        """One answer that takes too long is enough."""
        pace = Pace()
        for _ in range(QUICK_CALLS):
            pace.record(rows=SMALL_ROWS, seconds=0.0)
        pace.record(rows=1, seconds=QUICK_SECONDS * 2)
        assert not pace.is_quick

    def test_large_requests_say_nothing(self) -> None:
        """How long many rows take is no matter here."""
        pace = Pace()
        for _ in range(QUICK_CALLS):
            pace.record(rows=1, seconds=0.0)
        pace.record(rows=SMALL_ROWS + 1, seconds=60.0)
        assert pace.is_quick


@pytest.mark.anyio
async def test_only_small_requests_of_a_quick_model_stay_on_the_loop() -> None:
    """The event loop's thread computes for them, and other threads for all else."""
    threads: list[threading.Thread] = []

    def act(frame: pd.DataFrame) -> ValueOutput:
        threads.append(threading.current_thread())
        return ValueOutput(np.zeros(len(frame)))

    serving = house_serving(Scripted(act))
    await serving.load_all()
    here = threading.current_thread()
    await serving.predict("house", [HOUSE_ROW])
    assert here not in threads
    loaded = serving._loaded["house"]
    for _ in range(QUICK_CALLS):
        loaded.pace.record(rows=1, seconds=0.0)
    threads.clear()
    await serving.predict("house", [HOUSE_ROW])
    assert threads == [here]
    threads.clear()
    await serving.predict("house", [HOUSE_ROW] * (SMALL_ROWS + 1))
    assert here not in threads
    serving.close()
