"""Scalars with a meaning."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError

from gql_platform.graphql.scalars import SCALARS, Int64, RowsInput


def parse(scalar: object, value: object) -> Any:
    parse_value = SCALARS[scalar].parse_value
    assert parse_value is not None
    return parse_value(value)


def serialize(scalar: object, value: object) -> Any:
    function = SCALARS[scalar].serialize
    assert function is not None
    return function(value)


@pytest.mark.parametrize("value", [0, -(2**63), 2**63 - 1])
def test_64_bits_pass(value: int) -> None:
    assert parse(Int64, value) == serialize(Int64, value) == value


def test_a_whole_float_is_a_whole_number() -> None:
    assert parse(Int64, 3.0) == 3


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1.5, "1", True, None])
def test_what_is_no_number_of_64_bits_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError, match="Int64 cannot represent"):
        parse(Int64, value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        (
            "2026-01-31T12:00:00+02:00",
            datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))),
        ),
    ],
)
def test_times_are_read_as_iso_8601(text: str, moment: datetime) -> None:
    assert parse(datetime, text) == moment


def test_times_are_written_in_utc() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))

    assert serialize(datetime, moment) == "2026-01-31T10:00:00Z"


@pytest.mark.parametrize("value", ["tomorrow", "", 5, None])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError, match="DateTime cannot represent"):
        parse(datetime, value)


def test_rows_are_lists_of_objects_or_arrays() -> None:
    rows = [{"a": 1}, [1, 2]]

    assert parse(RowsInput, rows) is rows


@pytest.mark.parametrize(
    ("value", "message"), [({}, "Rows must be a list"), ([[1], 2], "Row 1 must be")]
)
def test_other_shapes_are_refused(value: object, message: str) -> None:
    with pytest.raises(GraphQLError, match=message):
        parse(RowsInput, value)
