"""What holds for any rows: a clear answer, and the same one on the fast path as on the slow."""

import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gql_platform.errors import InvalidRowsError
from gql_platform.registry.records import ColumnType, Signature
from gql_platform.serving.records import Rows
from gql_platform.serving.rows import REPORTED_PROBLEMS, frame_of
from gql_platform.testing import columns_of

SERVED = [kind for kind in ColumnType if kind is not ColumnType.UNKNOWN]


def outcome(values: list[Any], kind: ColumnType, more: list[Any], *, required: bool) -> object:
    """Return what the values become before one more, or what is wrong with them."""
    signature = Signature(inputs=columns_of({"a": kind}, required=required), outputs=())
    rows = [[value] for value in [*values, *more]]
    try:
        column = frame_of(rows, signature, model="wine")["a"]
    except InvalidRowsError as error:
        return error.problems, error.problem_count
    return [repr(value) for value in column.tolist()[: len(values)]]


NUMBERS = st.one_of(
    st.floats(), st.integers(), st.integers(-(2**70), 2**70), st.booleans(), st.text()
)


class TestFastPath:
    """Values that need no look at each of them come out as if there had been one.

    One more value that only the slow path takes forces it for the whole column.
    """

    @given(st.lists(st.one_of(st.floats(), st.integers()), min_size=1))
    @example([10**400])
    @example([2**1024 - 2**970 - 1])
    @example([math.inf, 1.0])
    def test_numbers(self, values: list[Any]) -> None:
        """Doubles: a gap in an optional column forces the slow path."""
        fast = outcome(values, ColumnType.DOUBLE, [], required=False)
        assert fast == outcome(values, ColumnType.DOUBLE, [None], required=False)

    @given(
        st.sampled_from([ColumnType.LONG, ColumnType.INTEGER]),
        st.lists(st.integers(-(2**70), 2**70), min_size=1),
    )
    @example(ColumnType.LONG, [2**63 - 1, -(2**63)])
    @example(ColumnType.LONG, [2**63])
    @example(ColumnType.INTEGER, [2**31])
    def test_whole_numbers(self, kind: ColumnType, values: list[int]) -> None:
        """Whole numbers: one that is written as 1.0 forces the slow path."""
        fast = outcome(values, kind, [], required=True)
        assert fast == outcome(values, kind, [1.0], required=True)

    @given(st.lists(st.booleans(), min_size=1))
    def test_booleans(self, values: list[bool]) -> None:
        """Booleans: a gap in an optional column forces the slow path."""
        assert outcome(values, ColumnType.BOOLEAN, [], required=False) == outcome(
            values, ColumnType.BOOLEAN, [None], required=False
        )

    @given(st.lists(st.text(), min_size=1))
    def test_texts(self, values: list[str]) -> None:
        """Texts: a gap in an optional column forces the slow path."""
        assert outcome(values, ColumnType.STRING, [], required=False) == outcome(
            values, ColumnType.STRING, [None], required=False
        )


class TestAnyInput:
    @given(
        st.lists(
            st.one_of(
                st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), NUMBERS | st.none()),
                st.lists(NUMBERS | st.none(), max_size=4),
                NUMBERS,
                st.none(),
            ),
            min_size=1,
            max_size=5,
        ),
        st.lists(st.sampled_from(SERVED), min_size=3, max_size=3),
        st.booleans(),
    )
    def test_rows_are_taken_or_refused(
        self, rows: Rows, kinds: list[ColumnType], required: bool
    ) -> None:
        """Whatever comes in, the answer is a table of the right shape or the one error."""
        columns = columns_of(dict(zip("abc", kinds, strict=True)), required=required)
        try:
            frame = frame_of(rows, Signature(inputs=columns, outputs=()), model="wine")
        except InvalidRowsError as error:
            assert 1 <= len(error.problems) <= min(error.problem_count, REPORTED_PROBLEMS)  # noqa: PT017
        else:
            assert frame.shape == (len(rows), 3)
            assert list(frame.columns) == ["a", "b", "c"]
