"""Cursors hold positions, exactly, and only for the order that they were made for."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.errors import InvalidCursorError
from gql_platform.paging import encode_cursor
from gql_platform.run_search.records import Direction, RunOrder, RunOrderField, RunPosition
from gql_platform.tracking.cursors import position_in, text_of

BY_LOSS = RunOrder(RunOrderField.METRIC, "loss")


@given(st.integers(0, 2), st.floats(allow_nan=False), st.integers(-(2**62), 2**62), st.text())
def test_what_goes_in_comes_out(rank: int, value: float, started_ms: int, run_id: str) -> None:
    """Infinity and every bit of a float included."""
    position = RunPosition(rank, value, started_ms, run_id.replace("\x00", ""))
    cursor = encode_cursor(text_of(position, BY_LOSS))
    assert position_in(cursor, BY_LOSS) == position
    assert math.copysign(1, position_in(cursor, BY_LOSS).value) == math.copysign(1, value)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", "{}", "[1]", "null", "[" * 5000,
        json.dumps(["METRIC", "auc", "DESC", 0, 0.0, 0, "a"]),
        json.dumps(["METRIC", "loss", "ASC", 0, 0.0, 0, "a"]),
        json.dumps(["METRIC", "loss", "DESC", 3, 0.0, 0, "a"]),
        json.dumps(["METRIC", "loss", "DESC", True, 0.0, 0, "a"]),
        json.dumps(["METRIC", "loss", "DESC", 0, "0", 0, "a"]),
        json.dumps(["METRIC", "loss", "DESC", 0, math.nan, 0, "a"]),
        json.dumps(["METRIC", "loss", "DESC", 0, 0.0, 2**63, "a"]),
        json.dumps(["METRIC", "loss", "DESC", 0, 0.0, 0, 1]),
        json.dumps(["METRIC", "loss", "DESC", 0, 0.0, 0, "\x00"]),
    ],
)  # fmt: skip
def test_what_is_none_of_ours_is_refused(text: str) -> None:
    """A cursor that somebody made up, or that belongs to another order."""
    with pytest.raises(InvalidCursorError):
        position_in(encode_cursor(text), BY_LOSS)


def test_another_direction_is_another_order() -> None:
    """A cursor does not survive the turn of an order."""
    cursor = encode_cursor(text_of(RunPosition(0, 0.0, 1, "a"), RunOrder()))
    assert position_in(cursor, RunOrder()).started_ms == 1
    with pytest.raises(InvalidCursorError):
        position_in(cursor, RunOrder(direction=Direction.ASC))
