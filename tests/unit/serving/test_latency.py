"""Quantiles over a moving window are as exact as they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.serving.latency import (
    BUCKETS,
    GROWTH,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    LatencyWindow,
    bucket_of,
    middle_of,
)

ERROR = math.sqrt(GROWTH) - 1
FRACTIONS = (0.0, 0.25, 0.5, 0.95, 0.99, 1.0)
LATENCIES = st.floats(SHORTEST_SECONDS, LONGEST_SECONDS)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def window_of(latencies: list[float]) -> LatencyWindow:
    """Return a window with these latencies, all of one moment."""
    window = LatencyWindow(Clock())
    for seconds in latencies:
        window.record(seconds)
    return window


class TestBuckets:
    @given(LATENCIES)
    def test_middle_is_near_to_every_value_of_the_bucket(self, seconds: float) -> None:
        """The middle of a value's bucket is at most sqrt(growth) - 1 away from it."""
        middle = middle_of(bucket_of(seconds))
        assert abs(middle - seconds) / seconds <= ERROR * (1 + 1e-9)

    @given(LATENCIES, LATENCIES)
    def test_buckets_keep_the_order(self, one: float, other: float) -> None:
        """A longer latency is never in an earlier bucket."""
        assert bucket_of(min(one, other)) <= bucket_of(max(one, other))

    @pytest.mark.parametrize(
        ("seconds", "bucket"),
        [(0.0, 0), (-1.0, 0), (1e-9, 0), (1e-6, 0), (1e3, BUCKETS - 1), (1e9, BUCKETS - 1)],
    )
    def test_what_is_outside_falls_into_the_ends(self, seconds: float, bucket: int) -> None:
        """No latency is too short or too long to be counted."""
        assert bucket_of(seconds) == bucket


class TestQuantiles:
    @given(st.lists(LATENCIES, min_size=1, max_size=300))
    def test_quantiles_agree_with_numpy(self, latencies: list[float]) -> None:
        """Each quantile is numpy's nearest-rank quantile, but for the width of a bucket."""
        count, found = window_of(latencies).quantiles(*FRACTIONS)
        expected = np.quantile(latencies, FRACTIONS, method="inverted_cdf")
        assert count == len(latencies)
        assert found == pytest.approx(expected, rel=ERROR * (1 + 1e-9))

    def test_published_ranks(self) -> None:
        """Of 1 to 100 ms, the median is the 50th, p95 the 95th, p99 the 99th value."""
        latencies = [milliseconds / 1e3 for milliseconds in range(100, 0, -1)]
        count, found = window_of(latencies).quantiles(0.5, 0.95, 0.99)
        assert count == 100
        assert found == tuple(middle_of(bucket_of(ms / 1e3)) for ms in (50, 95, 99))

    def test_empty_window_has_none(self) -> None:
        """Without a latency there is no quantile."""
        assert window_of([]).quantiles(0.5) == (0, ())

    def test_one_latency_is_every_quantile(self) -> None:
        """A single value is the median and all else."""
        count, found = window_of([0.2]).quantiles(0.0, 0.5, 1.0)
        assert (count, len(set(found))) == (1, 1)


class TestWindow:
    @pytest.mark.parametrize(
        ("later", "count"), [(0.0, 1), (59.0, 1), (59.99, 1), (60.0, 0), (61.0, 0), (3600.0, 0)]
    )
    def test_latency_is_forgotten_after_a_minute(self, later: float, count: int) -> None:
        """A latency counts for sixty seconds."""
        clock = Clock(1000.0)
        window = LatencyWindow(clock)
        window.record(0.1)
        clock.now += later
        assert window.quantiles(0.5)[0] == count

    def test_old_second_makes_room_for_the_new_one(self) -> None:
        """A minute later the same place holds the new latencies alone."""
        clock = Clock(1000.0)
        window = LatencyWindow(clock)
        window.record(0.1)
        clock.now = 1060.0
        window.record(5.0)
        window.record(5.0)
        count, (median,) = window.quantiles(0.5)
        assert count == 2
        assert median == pytest.approx(5.0, rel=ERROR)

    def test_steady_traffic_fills_sixty_seconds(self) -> None:
        """With one latency a second, the window holds the last sixty."""
        clock = Clock(0.0)
        window = LatencyWindow(clock)
        for second in range(200):
            clock.now = float(second)
            window.record(0.001 * (second + 1))
        count, (least, most) = window.quantiles(0.0, 1.0)
        assert count == 60
        assert least == pytest.approx(0.141, rel=ERROR)
        assert most == pytest.approx(0.200, rel=ERROR)
