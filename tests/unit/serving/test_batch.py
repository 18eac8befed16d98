"""Requests are joined and taken apart again without a value of one reaching another."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.serving.batch import joined, kind_of, parts_of
from gql_platform.serving.ports import (
    ClassOutput,
    ForecastOutput,
    Output,
    Table,
    ValueOutput,
)

COLUMNS: dict[str, tuple[str, st.SearchStrategy[object]]] = {
    "area": ("float64", st.floats(allow_nan=True)),
    "rooms": ("int64", st.integers(-(2**63), 2**63 - 1)),
    "garden": ("bool", st.booleans()),
    "colour": ("object", st.none() | st.text(max_size=3) | st.booleans()),
    "sold": ("datetime64[ns]", st.datetimes().filter(lambda moment: 1700 < moment.year < 2200)),
}
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=6)


@st.composite
def frames(draw: st.DrawFn) -> list[pd.DataFrame]:
    """Tables of one kind, with columns of all types."""
    return [
        pd.DataFrame(
            {
                name: pd.Series(
                    draw(st.lists(values, min_size=size, max_size=size)), dtype=kind, name=name
                )
                for name, (kind, values) in COLUMNS.items()
            }
        )
        for size in draw(SIZES)
    ]


@st.composite
def arrays(draw: st.DrawFn) -> list[np.ndarray]:
    """Arrays of two columns."""
    return [
        np.array(
            draw(st.lists(st.tuples(st.floats(), st.floats()), min_size=size, max_size=size)),
            dtype=np.float64,
        )
        for size in draw(SIZES)
    ]


def sizes_of(tables: Sequence[Table]) -> list[int]:
    """Return how many rows each table has."""
    return [len(table) for table in tables]


class TestJoined:
    @given(frames())
    def test_frames_keep_their_rows_and_types(self, tables: list[pd.DataFrame]) -> None:
        """The rows of each table follow those of the one before, bit by bit."""
        together = joined(tables)
        assert isinstance(together, pd.DataFrame)
        assert list(together.index) == list(range(sum(sizes_of(tables))))
        start = 0
        for table in tables:
            part = together.iloc[start : start + len(table)].reset_index(drop=True)
            pd.testing.assert_frame_equal(part, table, check_exact=True)
            start += len(table)

    @given(arrays())
    def test_arrays_keep_their_rows(self, tables: list[np.ndarray]) -> None:
        """The same holds for arrays, whose type stays float64."""
        together = joined(tables)
        assert isinstance(together, np.ndarray)
        assert together.dtype == np.float64
        assert together.tobytes() == b"".join(table.tobytes() for table in tables)

    def test_a_lone_table_is_not_copied(self) -> None:
        """Without a second request there is nothing to do."""
        table = np.ones((3, 2))
        assert joined([table]) is table

    def test_columns_without_any_value_are_joined_without_a_warning(self) -> None:
        """Whatever pandas thinks of columns that are empty, the type is that of both."""
        empty = pd.DataFrame({"colour": pd.Series([None], dtype="object")})
        full = pd.DataFrame({"colour": pd.Series(["red"], dtype="object")})
        together = joined([empty, full])
        assert isinstance(together, pd.DataFrame)
        assert together["colour"].tolist() == [None, "red"]


class TestKind:
    def test_arrays_are_of_one_kind(self) -> None:
        """Arrays of one model differ in their rows only."""
        assert kind_of(np.ones((1, 2))) == kind_of(np.zeros((5, 2)))

    def test_frames_of_other_types_are_of_other_kinds(self) -> None:
        """Joined, whole numbers beside a missing one would become floats."""
        whole = pd.DataFrame({"rooms": pd.Series([1, 2], dtype="int64")})
        missing = pd.DataFrame({"rooms": pd.Series([1.0, None], dtype="float64")})
        untyped = pd.DataFrame({"rooms": pd.Series([1, None], dtype="object")})
        kinds = {kind_of(whole), kind_of(missing), kind_of(untyped), kind_of(np.ones((1, 1)))}
        assert len(kinds) == 4
        assert kind_of(whole) == kind_of(whole.iloc[:1])

    def test_the_order_of_the_types_counts(self) -> None:
        """Two columns that have changed places are another kind."""
        one = pd.DataFrame({"a": [1], "b": [1.0]})
        other = pd.DataFrame({"a": [1.0], "b": [1]})
        assert kind_of(one) != kind_of(other)


class TestParts:
    @given(arrays())
    def test_values_come_back_to_their_tables(self, tables: list[np.ndarray]) -> None:
        """The answer to each table is what it would have got alone."""
        together = np.asarray(joined(tables))
        parts = parts_of(ValueOutput(together[:, 0]), sizes_of(tables))
        for part, table in zip(parts, tables, strict=True):
            assert isinstance(part, ValueOutput)
            np.testing.assert_array_equal(part.values, table[:, 0])

    @given(SIZES, st.booleans())
    def test_classes_come_back_to_their_tables(
        self, sizes: list[int], has_probabilities: bool
    ) -> None:
        """Labels and probabilities are taken apart at the same places."""
        rows = sum(sizes)
        chosen = np.arange(rows)
        probabilities = np.arange(rows * 3.0).reshape(rows, 3) if has_probabilities else None
        parts = parts_of(ClassOutput(chosen, probabilities), sizes)
        assert len(parts) == len(sizes)
        start = 0
        for part, size in zip(parts, sizes, strict=True):
            assert isinstance(part, ClassOutput)
            assert part.chosen.tolist() == list(range(start, start + size))
            if probabilities is None:
                assert part.probabilities is None
            else:
                assert part.probabilities is not None
                assert (part.probabilities == probabilities[start : start + size]).all()
            start += size

    @pytest.mark.parametrize(
        ("output", "shape"),
        [
            (ValueOutput(np.ones(2)), "(2,)"),
            (ValueOutput(np.ones(4)), "(4,)"),
            (ValueOutput(np.float64(1.0)), "()"),  # type: ignore[arg-type]
            (ClassOutput(np.zeros(2, dtype=np.int64), None), "(2,)"),
            (ClassOutput(np.zeros(3, dtype=np.int64), np.ones((2, 2))), "(2, 2)"),
        ],
    )
    def test_a_wrong_number_of_answers_is_refused(self, output: Output, shape: str) -> None:
        """Nobody would know whose answer is missing."""
        with pytest.raises(ValueError, match="answers of shape") as caught:
            parts_of(output, [1, 2])
        assert str(caught.value) == f"answers of shape {shape} to 3 rows"


@pytest.mark.parametrize("has_intervals", [True, False])
def test_a_forecast_is_taken_apart(has_intervals: bool) -> None:
    """Each request gets its own values, and its own intervals if there are any."""
    values = np.arange(3.0)
    ends = (values - 1, values + 1) if has_intervals else (None, None)
    first, second = parts_of(ForecastOutput(values, *ends), [1, 2])
    assert isinstance(first, ForecastOutput)
    assert isinstance(second, ForecastOutput)
    assert (first.values.tolist(), second.values.tolist()) == ([0.0], [1.0, 2.0])
    assert (second.upper is not None) is has_intervals
    assert second.upper is None or second.upper.tolist() == [2.0, 3.0]
