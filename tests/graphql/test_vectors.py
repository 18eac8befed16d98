"""Bulk numbers become arrays, and nothing else does."""

from array import array
from typing import Any

import numpy as np
import orjson
import pytest
from graphql import GraphQLError, parse_value
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.graphql.scalars import SCALARS, FloatMatrix, FloatVector, Int64Vector
from gql_platform.graphql.vectors import FLOAT_MATRIX, FLOAT_VECTOR, INT64_VECTOR, Bulk

WHOLE = "whole number of 64 bits"


def written(bulk: Bulk, value: object) -> Any:
    """Return a value as a client gets it."""
    return orjson.loads(orjson.dumps(bulk.serialize(value), option=orjson.OPT_SERIALIZE_NUMPY))


class TestWriting:
    @pytest.mark.parametrize(
        "value",
        [
            np.array([0.5, 2.0, -1.0]),
            np.array([0.5, 2.0, -1.0], np.float32),
            np.array([0.5, 2.0, -1.0], ">f8"),
            np.array([0.5, 9.0, 2.0, 9.0, -1.0])[::2],
            array("d", [0.5, 2.0, -1.0]),
            array("f", [0.5, 2.0, -1.0]),
            [0.5, 2, -1.0],
            (0.5, np.float64(2.0), -1),
        ],
    )
    def test_floats_come_from_whatever_holds_them(self, value: object) -> None:
        assert written(FLOAT_VECTOR, value) == [0.5, 2.0, -1.0]

    def test_what_is_not_finite_is_null(self) -> None:
        value = np.array([1.0, np.nan, np.inf, -np.inf, -0.0])

        assert written(FLOAT_VECTOR, value) == [1.0, None, None, None, -0.0]
        assert written(FLOAT_VECTOR, value.tolist()) == [1.0, None, None, None, -0.0]
        assert written(FLOAT_MATRIX, [[np.nan, 1.0]]) == [[None, 1.0]]

    def test_an_array_as_it_should_be_is_not_copied(self) -> None:
        value = np.arange(3.0)

        assert FLOAT_VECTOR.serialize(value) is value

    def test_nor_is_the_memory_of_pythons_own(self) -> None:
        value = array("d", [1.0])
        found = FLOAT_VECTOR.serialize(value)
        value[0] = 2.0

        assert found.tolist() == [2.0]

    @pytest.mark.parametrize(
        "value",
        [
            np.array([[1.0, 2.0], [3.0, 4.0]]),
            np.array([[1.0, 3.0], [2.0, 4.0]]).T,
            [[1, 2], [3, 4]],
            ((1.0, 2.0), array("d", [3.0, 4.0])),
        ],
    )
    def test_rows_come_from_whatever_holds_them(self, value: object) -> None:
        assert written(FLOAT_MATRIX, value) == [[1.0, 2.0], [3.0, 4.0]]

    @pytest.mark.parametrize(
        "value",
        [np.array([-(2**63), 2**63 - 1]), array("q", [-(2**63), 2**63 - 1])],
    )
    def test_whole_numbers_keep_all_their_bits(self, value: object) -> None:
        assert written(INT64_VECTOR, value) == [-(2**63), 2**63 - 1]

    @pytest.mark.parametrize(
        ("bulk", "value", "expected"),
        [
            (FLOAT_VECTOR, [], []),
            (FLOAT_VECTOR, np.empty(0), []),
            (INT64_VECTOR, (), []),
            (INT64_VECTOR, array("q"), []),
            (FLOAT_MATRIX, [], []),
            (FLOAT_MATRIX, [[], []], [[], []]),
            (FLOAT_MATRIX, np.empty((0, 3)), []),
        ],
    )
    def test_there_may_be_none(self, bulk: Bulk, value: object, expected: list[object]) -> None:
        assert written(bulk, value) == expected

    @pytest.mark.parametrize(
        ("bulk", "value", "reason"),
        [
            (FLOAT_VECTOR, 1.0, "it has not 1 dimensions"),
            (FLOAT_VECTOR, "12", "it has not 1 dimensions"),
            (FLOAT_VECTOR, [[1.0]], "it has not 1 dimensions"),
            (FLOAT_VECTOR, {}, "it has not 1 dimensions"),
            (FLOAT_VECTOR, ["1"], "it is not made of numbers that float64 holds"),
            (FLOAT_VECTOR, [None], "it is not made of numbers that float64 holds"),
            (FLOAT_VECTOR, [True], "it is not made of numbers that float64 holds"),
            (FLOAT_VECTOR, [1j], "it is not made of numbers that float64 holds"),
            (FLOAT_VECTOR, [10**400], "it is not made of numbers that float64 holds"),
            (FLOAT_VECTOR, [1.0, [2.0]], "its rows are not of equal length"),
            (FLOAT_MATRIX, [1.0], "it has not 2 dimensions"),
            (FLOAT_MATRIX, [[1.0], [1.0, 2.0]], "its rows are not of equal length"),
            (INT64_VECTOR, [1.5], "it is not made of numbers that int64 holds"),
            (INT64_VECTOR, [2**63], "it is not made of numbers that int64 holds"),
        ],
    )
    def test_anything_else_is_refused(self, bulk: Bulk, value: object, reason: str) -> None:
        with pytest.raises(GraphQLError) as caught:
            bulk.serialize(value)
        assert caught.value.message.endswith(f"; {reason}.")


class TestReading:
    def test_numbers_become_an_array(self) -> None:
        found = FLOAT_VECTOR.parse([1, 2.5, -0.0])

        assert (found.dtype, found.tolist()) == (np.dtype(np.float64), [1.0, 2.5, -0.0])

    def test_rows_become_an_array_of_two_dimensions(self) -> None:
        found = FLOAT_MATRIX.parse([[1, 2, 3], [4.5, 5, 6]])

        assert (found.dtype, found.tolist()) == (
            np.dtype(np.float64),
            [[1.0, 2.0, 3.0], [4.5, 5.0, 6.0]],
        )

    def test_whole_numbers_become_an_array_of_64_bits(self) -> None:
        found = INT64_VECTOR.parse([2**63 - 1, -(2**63), 3.0])

        assert (found.dtype, found.tolist()) == (np.dtype(np.int64), [2**63 - 1, -(2**63), 3])

    @pytest.mark.parametrize(
        ("bulk", "shape"), [(FLOAT_VECTOR, (0,)), (INT64_VECTOR, (0,)), (FLOAT_MATRIX, (0, 0))]
    )
    def test_there_may_be_none(self, bulk: Bulk, shape: tuple[int, ...]) -> None:
        found = bulk.parse([])

        assert (found.dtype, found.shape) == (np.dtype(bulk.dtype), shape)

    @pytest.mark.parametrize(
        ("bulk", "value", "message"),
        [
            (FLOAT_VECTOR, 1, "FloatVector cannot represent 1; it is no list of numbers."),
            (FLOAT_VECTOR, "12", "FloatVector cannot represent '12'; it is no list of numbers."),
            (
                FLOAT_VECTOR,
                [1, None],
                "FloatVector cannot represent None at position 1; it is no finite number.",
            ),
            (
                FLOAT_VECTOR,
                [True],
                "FloatVector cannot represent True at position 0; it is no finite number.",
            ),
            (
                FLOAT_VECTOR,
                [0.5, "1"],
                "FloatVector cannot represent '1' at position 1; it is no finite number.",
            ),
            (
                FLOAT_VECTOR,
                [0.5, float("nan")],
                "FloatVector cannot represent nan at position 1; it is no finite number.",
            ),
            (
                FLOAT_VECTOR,
                [float("inf")],
                "FloatVector cannot represent inf at position 0; it is no finite number.",
            ),
            (
                FLOAT_MATRIX,
                [[1.0], [True]],
                "FloatMatrix cannot represent True at position 0 of row 1; it is no finite number.",
            ),
            (FLOAT_MATRIX, {}, "FloatMatrix cannot represent {}; it is no list of rows."),
            (
                FLOAT_MATRIX,
                [[1.0], 2.0],
                "FloatMatrix cannot represent 2.0; it is no list of numbers of row 1.",
            ),
            (
                FLOAT_MATRIX,
                [[1.0, 2.0], [1.0, 2.0], [1.0]],
                "FloatMatrix has rows of equal length; row 2 has 1 numbers, and row 0 has 2.",
            ),
            (
                INT64_VECTOR,
                [1, 1.5],
                f"Int64Vector cannot represent 1.5 at position 1; it is no {WHOLE}.",
            ),
            (
                INT64_VECTOR,
                [2**63],
                f"Int64Vector cannot represent {2**63} at position 0; it is no {WHOLE}.",
            ),
            (
                INT64_VECTOR,
                [False],
                f"Int64Vector cannot represent False at position 0; it is no {WHOLE}.",
            ),
        ],
    )
    def test_anything_else_is_refused_with_its_place(
        self, bulk: Bulk, value: object, message: str
    ) -> None:
        with pytest.raises(GraphQLError) as caught:
            bulk.parse(value)
        assert caught.value.message == message

    def test_a_number_too_large_for_a_float_is_refused(self) -> None:
        with pytest.raises(GraphQLError, match="at position 1; it is no finite number"):
            FLOAT_VECTOR.parse([1, 10**400])

    @pytest.mark.parametrize(
        ("bulk", "text", "expected"),
        [
            (FLOAT_VECTOR, "[1, 2.5]", [1.0, 2.5]),
            (FLOAT_MATRIX, "[[1], [2]]", [[1.0], [2.0]]),
            (INT64_VECTOR, "[9007199254740993]", [9007199254740993]),
        ],
    )
    def test_numbers_may_stand_in_the_document(
        self, bulk: Bulk, text: str, expected: object
    ) -> None:
        assert bulk.parse_literal(parse_value(text)).tolist() == expected

    @pytest.mark.parametrize("text", ["[null]", '["1"]', "[[1]]", "{a: 1}", "1", "[ENUM]"])
    def test_other_literals_are_refused(self, text: str) -> None:
        with pytest.raises(GraphQLError, match="FloatVector cannot represent"):
            FLOAT_VECTOR.parse_literal(parse_value(text))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_finite_numbers_come_back_as_they_went(values: list[float]) -> None:
    """Written and read again, every bit of a float is there."""
    found = FLOAT_VECTOR.parse(written(FLOAT_VECTOR, np.array(values, np.float64)))

    assert found.tobytes() == np.array(values, np.float64).tobytes()


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_come_back_as_they_went(values: list[int]) -> None:
    assert INT64_VECTOR.parse(written(INT64_VECTOR, array("q", values))).tolist() == values


@pytest.mark.parametrize("scalar", [FloatVector, FloatMatrix])
def test_the_description_tells_what_becomes_of_nan(scalar: object) -> None:
    assert "null stands" in (SCALARS[scalar].description or "")


def test_steps_are_a_scalar_of_their_own() -> None:
    assert SCALARS[Int64Vector].name == "Int64Vector"
