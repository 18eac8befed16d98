"""A series is cut down to what a chart of it needs."""

import math
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.tracking.records import MAX_POINTS, Series
from gql_platform.tracking.sampling import kept_points, sampled


def series_of(values: list[float]) -> Series:
    """Return a series whose steps are ten times the positions."""
    steps = array("q", range(0, 10 * len(values), 10))
    return Series(steps, array("d", values), sampled=False, total_points=len(values))


def kept_by_hand(values: list[float], max_points: int) -> list[int]:
    """Return what `kept_points` shall return, by the definition."""
    inner = list(range(1, len(values) - 1))
    length = math.ceil(len(inner) / ((max_points - 2) // 2))
    kept = {0, len(values) - 1}
    for start in range(0, len(inner), length):
        stretch = inner[start : start + length]
        finite = [index for index in stretch if math.isfinite(values[index])]
        kept.add(min(finite, key=lambda index: values[index], default=stretch[0]))
        kept.add(max(finite, key=lambda index: values[index], default=stretch[0]))
    return sorted(kept)


points = st.lists(
    st.floats(width=16) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]),
    min_size=5,
    max_size=200,
)


class TestSampled:
    def test_short_series_is_left_as_it_is(self) -> None:
        """What is within the bound is returned itself."""
        series = series_of([1.0, 2.0, 3.0, 4.0])
        assert sampled(series, 4) is series

    def test_long_series_says_that_it_was_cut_down(self) -> None:
        """First and last, lowest and highest stay, with their steps."""
        assert sampled(series_of([5.0, 6.0, 9.0, 1.0, 5.0, 7.0]), 4) == Series(
            steps=array("q", [0, 20, 30, 50]),
            values=array("d", [5.0, 9.0, 1.0, 7.0]),
            sampled=True,
            total_points=6,
        )

    def test_columns_may_be_of_any_sequence(self) -> None:
        """A series of plain tuples is cut down like one of arrays."""
        plain = Series((0, 1, 2, 3, 4), (0.0, 1.0, 2.0, 3.0, 4.0), sampled=False, total_points=5)
        assert list(sampled(plain, 4).steps) == [0, 1, 3, 4]


class TestKeptPoints:
    @given(points, st.integers(4, 40))
    def test_is_what_the_definition_says(self, values: list[float], max_points: int) -> None:
        """The arrays do what a loop over the stretches does."""
        if len(values) > max_points:
            found = kept_points(np.array(values), max_points)
            assert found.tolist() == kept_by_hand(values, max_points)

    @given(points, st.integers(4, 40))
    def test_no_extreme_is_lost(self, values: list[float], max_points: int) -> None:
        """Ends and extremes are kept, no point twice, and no more than were asked for."""
        if len(values) > max_points:
            found = kept_points(np.array(values), max_points).tolist()
            assert len(found) <= max_points
            assert found == sorted(set(found))
            assert (found[0], found[-1]) == (0, len(values) - 1)
            finite = [value for value in values if math.isfinite(value)]
            kept = [values[index] for index in found if math.isfinite(values[index])]
            assert (min(kept, default=None), max(kept, default=None)) == (
                min(finite, default=None),
                max(finite, default=None),
            )

    def test_gap_stays_visible(self) -> None:
        """A stretch without any finite number keeps a point."""
        values = np.array([0.0, *[1.0, 2.0] * 5, *[math.nan] * 10, *[3.0, 4.0] * 5, 0.0])
        found = values[kept_points(values, 8)]
        assert [str(value) for value in found] == [
            "0.0", "1.0", "2.0", "nan", "3.0", "4.0", "0.0",
        ]  # fmt: skip

    @pytest.mark.parametrize("count", [MAX_POINTS + 1, 12_345, 1_000_000])
    def test_most_of_the_points_are_used(self, count: int) -> None:
        """Of a noisy series at least half of the points that were asked for are kept."""
        values = np.random.default_rng(7).normal(size=count)
        assert MAX_POINTS / 2 <= kept_points(values, MAX_POINTS).size <= MAX_POINTS
