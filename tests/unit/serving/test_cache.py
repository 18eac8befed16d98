"""An answer is given again to exactly the same rows, and to no others."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.serving.cache import LARGEST_KEY_BYTES, AnswerCache, key_of
from gql_platform.serving.records import ValuePrediction

ANSWER = (ValuePrediction(1.0),)
OTHER = (ValuePrediction(2.0),)

LARGEST_COUNT = LARGEST_KEY_BYTES // 8
"""So many float64 fill a key."""


def objects(*values: object) -> pd.DataFrame:
    """Return a table with one column of Python's own values."""
    return pd.DataFrame({"x": pd.Series(list(values), dtype="object")})


class TestKey:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (np.array([[0.0]]), np.array([[-0.0]])),
            (np.array([[1.0, 2.0]]), np.array([[1.0], [2.0]])),
            (np.array([[1.0]]), np.array([[math.nextafter(1.0, 2.0)]])),
            (pd.DataFrame({"x": [0.0]}), pd.DataFrame({"x": [-0.0]})),
            (pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [1.0]})),
            (pd.DataFrame({"x": [True]}), pd.DataFrame({"x": [1]})),
            (pd.DataFrame({"x": [True]}), objects(True)),
            (
                pd.DataFrame({"x": pd.Series([1], dtype="int32")}),
                pd.DataFrame({"x": pd.Series([1], dtype="int64")}),
            ),
            (objects(True), objects(1)),
            (objects(1), objects(1.0)),
            (objects(0.0), objects(-0.0)),
            (objects("1"), objects(1)),
            (objects(None), objects("None")),
            (objects(None), objects(math.nan)),
            (objects("a", "b"), objects("b", "a")),
            (
                pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]}),
                pd.DataFrame({"x": [1.0, 3.0], "y": [2.0, 4.0]}),
            ),
        ],
    )
    def test_tells_apart_what_a_model_could(self, one: Any, other: Any) -> None:
        """What is equal in Python need not be the same to a model."""
        assert key_of(one) != key_of(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (np.array([[1.0, math.nan]]), np.array([[1.0, math.nan]])),
            (pd.DataFrame({"x": [math.nan]}), pd.DataFrame({"x": [math.nan]})),
            (objects("a", None, True, 1.5, math.nan), objects("a", None, True, 1.5, float("nan"))),
            (
                pd.DataFrame({"x": pd.to_datetime(["2026-01-01"])}),
                pd.DataFrame({"x": pd.to_datetime(["2026-01-01"])}),
            ),
        ],
    )
    def test_is_the_same_for_the_same_rows(self, one: Any, other: Any) -> None:
        """Rows that are sent again are found again, missing values included."""
        assert key_of(one) is not None
        assert hash(key_of(one)) == hash(key_of(other))
        assert key_of(one) == key_of(other)

    @given(st.lists(st.floats(), min_size=1, max_size=3), st.lists(st.floats(), max_size=3))
    def test_is_the_bits_of_an_array(self, one: list[float], other: list[float]) -> None:
        """Two arrays have one key if, and only if, they are the same bit by bit."""
        left, right = np.array([one]), np.array([other])
        is_same = left.shape == right.shape and left.tobytes() == right.tobytes()
        assert (key_of(left) == key_of(right)) is is_same

    def test_large_tables_have_none(self) -> None:
        """What hardly comes again is not kept."""
        assert key_of(np.zeros((LARGEST_COUNT, 1))) is not None
        assert key_of(np.zeros((LARGEST_COUNT + 1, 1))) is None
        assert key_of(pd.DataFrame({"x": np.zeros(LARGEST_COUNT)})) is not None
        assert key_of(pd.DataFrame({"x": np.zeros(LARGEST_COUNT + 1)})) is None

    def test_long_texts_have_none(self) -> None:
        """A text counts with all of its characters."""
        assert key_of(objects("x" * 1000)) is not None
        assert key_of(objects("x" * (LARGEST_KEY_BYTES + 1))) is None
        assert key_of(objects(*["x" * 1000] * 20)) is None


class TestCache:
    def test_gives_again_what_was_put(self) -> None:
        """Hits and misses are counted."""
        cache = AnswerCache(2)
        assert cache.get(objects(1)) is None
        cache.put(objects(1), ANSWER)
        assert cache.get(objects(1)) is ANSWER
        assert cache.get(objects(True)) is None
        assert (cache.hits, cache.misses, len(cache)) == (1, 2, 1)

    def test_forgets_what_was_not_asked_for_longest(self) -> None:
        """What was asked for since stays, what was not goes."""
        cache = AnswerCache(2)
        cache.put(objects("a"), ANSWER)
        cache.put(objects("b"), ANSWER)
        assert cache.get(objects("a")) is ANSWER
        cache.put(objects("c"), ANSWER)
        assert [cache.get(objects(each)) is not None for each in "abc"] == [True, False, True]
        assert len(cache) == 2

    def test_putting_again_renews(self) -> None:
        """The same rows take one place, with the newest answer."""
        cache = AnswerCache(2)
        cache.put(objects("a"), ANSWER)
        cache.put(objects("b"), ANSWER)
        cache.put(objects("a"), OTHER)
        cache.put(objects("c"), ANSWER)
        assert cache.get(objects("a")) is OTHER
        assert cache.get(objects("b")) is None

    def test_large_tables_take_no_place(self) -> None:
        """They are asked for in vain, and push nothing out."""
        cache, large = AnswerCache(1), np.zeros((LARGEST_COUNT + 1, 1))
        cache.put(objects("a"), ANSWER)
        cache.put(large, OTHER)
        assert cache.get(large) is None
        assert cache.get(objects("a")) is ANSWER

    @given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 4))
    def test_never_holds_more_than_it_may(self, asked: list[int], capacity: int) -> None:
        """Whatever is asked for, the newest are remembered, and each with its own answer."""
        cache = AnswerCache(capacity)
        recent: list[int] = []
        for number in asked:
            known = cache.get(objects(number))
            assert known == ((ValuePrediction(float(number)),) if number in recent else None)
            if known is None:
                cache.put(objects(number), (ValuePrediction(float(number)),))
            recent = [*(each for each in recent if each != number), number][-capacity:]
            assert len(cache) == len(recent)
