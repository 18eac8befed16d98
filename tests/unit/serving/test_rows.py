"""Rows are checked value by value, and fit the model's table when they pass."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from gql_platform.errors import InvalidRowsError, RowProblem
from gql_platform.registry.records import ColumnType, Signature
from gql_platform.serving.records import Rows
from gql_platform.serving.rows import FLOAT32_MAX, REPORTED_PROBLEMS, array_of, frame_of
from gql_platform.testing import columns_of

DOUBLE, FLOAT, LONG, INTEGER = (
    ColumnType.DOUBLE,
    ColumnType.FLOAT,
    ColumnType.LONG,
    ColumnType.INTEGER,
)
BOOLEAN, STRING, DATETIME = ColumnType.BOOLEAN, ColumnType.STRING, ColumnType.DATETIME
SERVED = (DOUBLE, FLOAT, LONG, INTEGER, BOOLEAN, STRING, DATETIME)

EXPECTED = {
    DOUBLE: "a number",
    FLOAT: "a number of at most 3.403e+38",
    LONG: "a whole number of 64 bits",
    INTEGER: "a whole number of 32 bits",
    BOOLEAN: "true or false",
    STRING: "text",
    DATETIME: "a time as ISO 8601, such as 2026-01-31T12:00:00Z",
}
FITTING: dict[ColumnType, object] = {
    DOUBLE: 1.5,
    FLOAT: 1.5,
    LONG: 3,
    INTEGER: 3,
    BOOLEAN: True,
    STRING: "red",
    DATETIME: "2026-01-31T12:00:00Z",
}
NOON = dt.datetime(2026, 1, 31, 12)  # noqa: DTZ001 - tables keep UTC without saying so

THREE_HOURS_WEST = dt.timezone(dt.timedelta(hours=-3))


def signature_of(types: dict[str, ColumnType], *, required: bool = True) -> Signature:
    """Return a signature with these input columns."""
    return Signature(inputs=columns_of(types, required=required), outputs=())


def column_of(values: list[Any], kind: ColumnType, *, required: bool = True) -> pd.Series:
    """Return the one column that rows with these values become."""
    rows = [{"the column": value} for value in values]
    signature = signature_of({"the column": kind}, required=required)
    return frame_of(rows, signature, model="wine")["the column"]


def problems_of(rows: Sequence[object], signature: Signature) -> list[RowProblem]:
    """Return what is wrong with rows that must not pass."""
    with pytest.raises(InvalidRowsError) as caught:
        frame_of(cast("Rows", rows), signature, model="wine")
    assert caught.value.problem_count == len(caught.value.problems)
    return list(caught.value.problems)


class TestAccepted:
    @pytest.mark.parametrize(
        ("kind", "values", "dtype", "stored"),
        [
            (DOUBLE, [1, 2.5, -1e308], "float64", [1.0, 2.5, -1e308]),
            (DOUBLE, [2**63], "float64", [2.0**63]),
            (FLOAT, [1, 0.1, FLOAT32_MAX], "float32", [1.0, np.float32(0.1), FLOAT32_MAX]),
            (LONG, [1, -(2**63), 2**63 - 1], "int64", [1, -(2**63), 2**63 - 1]),
            (LONG, [1.0, 2], "int64", [1, 2]),
            (INTEGER, [-(2**31), 2**31 - 1], "int32", [-(2**31), 2**31 - 1]),
            (INTEGER, [3.0], "int32", [3]),
            (BOOLEAN, [True, False], "bool", [True, False]),
            (STRING, ["", "é", "null"], "object", ["", "é", "null"]),
        ],
    )
    def test_value_is_stored_as_the_model_takes_it(
        self, kind: ColumnType, values: list[object], dtype: str, stored: list[object]
    ) -> None:
        """Each type of column has the array type that the model was trained with."""
        column = column_of(values, kind)
        assert (str(column.dtype), column.tolist()) == (dtype, stored)

    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            ("2026-01-31T12:00:00Z", NOON),
            ("2026-01-31T12:00:00", NOON),
            ("2026-01-31T14:00:00+02:00", NOON),
            ("2026-01-31", dt.datetime(2026, 1, 31)),  # noqa: DTZ001 - UTC is written without it
            ("2026-01-31T12:00:00.000001Z", NOON + dt.timedelta(microseconds=1)),
            (NOON, NOON),
            (
                NOON.replace(tzinfo=THREE_HOURS_WEST),
                NOON + dt.timedelta(hours=3),
            ),
        ],
    )
    def test_time_is_stored_in_utc(self, value: object, stored: dt.datetime) -> None:
        """A time with an offset is brought to UTC, and one without is taken as UTC."""
        column = column_of([value], DATETIME)
        assert str(column.dtype) == "datetime64[us]"
        assert column.tolist() == [pd.Timestamp(stored)]

    def test_columns_come_in_the_order_of_the_signature(self) -> None:
        """However a row orders its values, the table has the model's order."""
        signature = signature_of({"b b": LONG, "a": STRING, "c": DOUBLE})
        rows: Rows = [{"a": "x", "c": 0.5, "b b": 1}, [2, "y", 1.5], (3, "z", 2.5)]
        expected = pd.DataFrame(
            {"b b": [1, 2, 3], "a": ["x", "y", "z"], "c": [0.5, 1.5, 2.5]}
        ).astype({"a": "object"})
        pd.testing.assert_frame_equal(frame_of(rows, signature, model="wine"), expected)


class TestWrongValue:
    @pytest.mark.parametrize(
        ("kind", "value", "problem"),
        [
            (DOUBLE, "1.5", "The value is text ('1.5')."),
            (DOUBLE, True, "The value is a boolean (True)."),
            (DOUBLE, math.inf, "The value is too large for a number of 64 bits."),
            (DOUBLE, -math.inf, "The value is too large for a number of 64 bits."),
            (DOUBLE, 10**400, "The value is too large for a number of 64 bits."),
            (DOUBLE, [1.5], "The value is an array."),
            (DOUBLE, {"a": 1}, "The value is an object."),
            (FLOAT, "x", "The value is text ('x')."),
            (FLOAT, False, "The value is a boolean (False)."),
            (FLOAT, 3.5e38, "The value is too large for a number of 32 bits."),
            (FLOAT, -3.5e38, "The value is too large for a number of 32 bits."),
            (FLOAT, math.inf, "The value is too large for a number of 32 bits."),
            (FLOAT, 10**400, "The value is too large for a number of 32 bits."),
            (LONG, 1.5, "The value is a number (1.5)."),
            (LONG, True, "The value is a boolean (True)."),
            (LONG, "1", "The value is text ('1')."),
            (LONG, 2**63, "The value 9223372036854775808 does not fit into 64 bits."),
            (LONG, -(2**63) - 1, "The value -9223372036854775809 does not fit into 64 bits."),
            (LONG, 1e300, "The value 1e+300 does not fit into 64 bits."),
            (LONG, math.inf, "The value is a number (inf)."),
            (INTEGER, 2**31, "The value 2147483648 does not fit into 32 bits."),
            (INTEGER, -(2**31) - 1, "The value -2147483649 does not fit into 32 bits."),
            (INTEGER, 10**50, f"The value 1{'0' * 39}… does not fit into 32 bits."),
            (INTEGER, 0.5, "The value is a number (0.5)."),
            (INTEGER, False, "The value is a boolean (False)."),
            (BOOLEAN, 1, "The value is a number (1)."),
            (BOOLEAN, "true", "The value is text ('true')."),
            (STRING, 5, "The value is a number (5)."),
            (STRING, True, "The value is a boolean (True)."),
            (STRING, ["red"], "The value is an array."),
            (DATETIME, "yesterday", "The value 'yesterday' is not a time."),
            (DATETIME, "x" * 60, f"The value '{'x' * 40}…' is not a time."),
            (DATETIME, "2026-02-30", "The value '2026-02-30' is not a time."),
            (DATETIME, 1767225600, "The value is a number (1767225600)."),
            (
                DATETIME,
                "0001-01-01T00:00:00+01:00",
                "The value lies outside the years 1 to 9999 in UTC.",
            ),
            (
                DATETIME,
                "9999-12-31T23:59:59-01:00",
                "The value lies outside the years 1 to 9999 in UTC.",
            ),
        ],
    )  # fmt: skip
    def test_value_of_another_type_is_refused(
        self, kind: ColumnType, value: object, problem: str
    ) -> None:
        """What is not of the column's type is named, and nothing is converted by guess."""
        found = problems_of([{"the column": value}], signature_of({"the column": kind}))
        assert found == [RowProblem(0, "the column", problem, EXPECTED[kind])]

    def test_long_text_is_cut(self) -> None:
        """An error does not repeat all of a long value."""
        (problem,) = problems_of([["y" * 10_000]], signature_of({"a": DOUBLE}))
        assert problem.problem == f"The value is text ('{'y' * 40}…')."

    @pytest.mark.parametrize("kind", SERVED)
    def test_wrong_value_is_refused_in_an_optional_column(self, kind: ColumnType) -> None:
        """Optional means that a value may be missing, not that it may be wrong."""
        signature = signature_of({"a": kind}, required=False)
        assert problems_of([[{"b": 1}]], signature) == [
            RowProblem(0, "a", "The value is an object.", EXPECTED[kind])
        ]


class TestMissingValue:
    @pytest.mark.parametrize("kind", SERVED)
    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ({}, "The value is missing."),
            ({"a": None}, "The value is null."),
            ({"a": math.nan}, "The value is not a number (NaN)."),
            ([None], "The value is null."),
            ([math.nan], "The value is not a number (NaN)."),
        ],
    )
    def test_required_value_must_be_there(
        self, kind: ColumnType, row: object, problem: str
    ) -> None:
        """A required column takes neither a gap, nor null, nor NaN."""
        assert problems_of([row], signature_of({"a": kind})) == [
            RowProblem(0, "a", problem, EXPECTED[kind])
        ]

    @pytest.mark.parametrize("kind", SERVED)
    @pytest.mark.parametrize("gap", [{}, {"a": None}, {"a": math.nan}, [None], [math.nan]])
    def test_optional_value_may_be_missing(self, kind: ColumnType, gap: object) -> None:
        """An optional column has the mark of its type where a value is missing."""
        rows = cast("Rows", [{"a": FITTING[kind]}, gap])
        column = frame_of(rows, signature_of({"a": kind}, required=False), model="wine")["a"]
        expected_dtype = {
            DOUBLE: "float64",
            FLOAT: "float32",
            LONG: "float64",
            INTEGER: "float64",
            DATETIME: "datetime64[us]",
        }.get(kind, "object")
        assert str(column.dtype) == expected_dtype
        assert column.isna().tolist() == [False, True]
        assert column[1] is None or kind not in (BOOLEAN, STRING)

    @pytest.mark.parametrize("kind", SERVED)
    def test_optional_column_without_gap_keeps_its_type(self, kind: ColumnType) -> None:
        """Where every value is there, an optional column is stored like a required one."""
        optional = column_of([FITTING[kind]] * 2, kind, required=False)
        required = column_of([FITTING[kind]] * 2, kind)
        pd.testing.assert_series_equal(optional, required)


class TestShape:
    signature = signature_of({"mean radius": DOUBLE, "mean area": DOUBLE})

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("mean radios", " Did you mean 'mean radius'?"),
            ("meanArea", " Did you mean 'mean area'?"),
            ("colour", ""),
        ],
    )
    def test_unknown_column_is_refused_with_the_nearest(self, name: str, hint: str) -> None:
        """A value that the model would not see is not dropped in silence."""
        rows: Rows = [{"mean radius": 1.0, "mean area": 2.0, name: 3.0}]
        assert problems_of(rows, self.signature) == [
            RowProblem(
                0,
                name,
                f"The signature has no column {name!r}.{hint}",
                "one of 'mean radius', 'mean area'",
            )
        ]

    def test_misspelt_column_is_unknown_and_missing(self) -> None:
        """A misspelt name leaves its column without a value, and both are told."""
        found = problems_of([{"mean radius": 1.0, "mean aera": 2.0}], self.signature)
        assert [(problem.column, problem.problem) for problem in found] == [
            ("mean aera", "The signature has no column 'mean aera'. Did you mean 'mean area'?"),
            ("mean area", "The value is missing."),
        ]

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ([1.0], "The row has 1 values."),
            ([], "The row has 0 values."),
            ((1.0, 2.0, 3.0), "The row has 3 values."),
            (5, "The row is a number (5)."),
            (None, "The row is null."),
            (True, "The row is a boolean (True)."),
            ("ab", "The row is text ('ab')."),
        ],
    )
    def test_row_of_another_shape_is_one_problem(self, row: object, problem: str) -> None:
        """A row that cannot be read is told once, not once per column."""
        assert problems_of([[1.0, 2.0], row], self.signature) == [
            RowProblem(
                1, None, problem, "an object, or an array of 2 values in the signature's order"
            )
        ]


class TestReport:
    signature = signature_of({"a": DOUBLE, "b": LONG})

    def test_problems_are_sorted_by_row(self) -> None:
        """Whatever order the check has, the caller reads from the first row to the last."""
        found = problems_of([["x", 1.5], [1.0, 1], [1.0, "y"], ["z", 1]], self.signature)
        assert [(problem.row, problem.column) for problem in found] == [
            (0, "a"),
            (0, "b"),
            (2, "b"),
            (3, "a"),
        ]

    def test_unknown_columns_keep_the_order_of_the_row(self) -> None:
        """The same request gets the same answer, in the order in which it was written."""
        row = {"a": 1.0, "b": 1, **{f"more {number}": 0 for number in range(9)}}
        found = problems_of([row], self.signature)
        assert [problem.column for problem in found] == [f"more {number}" for number in range(9)]

    @pytest.mark.parametrize(
        ("rows", "count"),
        [
            ([["x", 1]] * 500, 500),
            ([{f"more {number}": 0 for number in range(300)} | {"a": 1.0, "b": 1}], 300),
            ([[]] * 25, 25),
        ],
    )
    def test_all_problems_are_counted_and_some_are_listed(self, rows: Rows, count: int) -> None:
        """However many values are wrong, the answer stays short and tells how many there are."""
        with pytest.raises(InvalidRowsError) as caught:
            frame_of(rows, self.signature, model="wine")
        error = caught.value
        assert (error.model, error.problem_count) == ("wine", count)
        assert len(error.problems) == REPORTED_PROBLEMS

    def test_listed_problems_are_those_of_the_first_rows(self) -> None:
        """A problem in the first row is listed, even when it is found last."""
        rows: list[list[object]] = [[1.0, "wrong"], *([["wrong", 1]] * 100)]
        with pytest.raises(InvalidRowsError) as caught:
            frame_of(rows, self.signature, model="wine")
        listed = [(problem.row, problem.column) for problem in caught.value.problems]
        assert listed == [(0, "b"), *((row, "a") for row in range(1, 20))]


class TestArrays:
    """Rows of doubles become an array, with the same checks."""

    signature = signature_of({"a": ColumnType.DOUBLE, "b": ColumnType.DOUBLE})

    @pytest.mark.parametrize(
        "rows",
        [
            [{"b": 2.0, "a": 1.0}, {"a": 3, "b": 4.5}],
            [[1.0, 2.0], {"b": 4.5, "a": 3.0}],
            [(1, 2), (3, 4.5)],
        ],
    )
    def test_values_stand_in_the_order_of_the_signature(self, rows: Rows) -> None:
        """Whatever form the rows have, the array is that of the table."""
        found = array_of(rows, self.signature, model="wine")
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, [[1.0, 2.0], [3.0, 4.5]])
        np.testing.assert_array_equal(found, frame_of(rows, self.signature, model="wine"))

    @pytest.mark.parametrize(
        "rows", [[{"a": 1.0}], [{"a": 1.0, "b": "x"}], [{"a": 1.0, "c": 2.0}], [[1.0, math.inf]]]
    )
    def test_what_does_not_fit_is_told_as_for_tables(self, rows: Rows) -> None:
        """The error is the same."""
        with pytest.raises(InvalidRowsError) as expected:
            frame_of(rows, self.signature, model="wine")
        with pytest.raises(InvalidRowsError) as found:
            array_of(rows, self.signature, model="wine")
        assert found.value.problems == expected.value.problems
