"""Values that a model does not answer are refused before it, by row and column."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.adapters.forecasters.steps import STEP_SIGNATURE, StepForecaster
from gql_platform.errors import InvalidRowsError, RowProblem
from gql_platform.serving.ports import ranges_of
from gql_platform.serving.ranges import check_ranges
from gql_platform.serving.records import Range
from gql_platform.serving.rows import REPORTED_PROBLEMS, frame_of
from gql_platform.testing import LinearRegressor

STEPS = {"step": Range(1, 5, is_whole=True, meaning="steps to come")}
FIRST, LAST = dt.datetime(2024, 1, 1), dt.datetime(2026, 1, 1, 12)  # noqa: DTZ001 - UTC
DATES = {"ds": Range(FIRST, LAST, is_whole=False, meaning="dates to come")}
FROM_1_TO_5 = "a whole number from 1 to 5: steps to come"
BETWEEN = "a value from 2024-01-01T00:00:00Z to 2026-01-01T12:00:00Z: dates to come"


def refusal(table: pd.DataFrame, ranges: dict[str, Range]) -> InvalidRowsError:
    """Return the error that a table is refused with."""
    with pytest.raises(InvalidRowsError) as caught:
        check_ranges(table, ranges, model="sales")
    return caught.value


def test_ends_are_within() -> None:
    """Both ends of a range are answered, as whole numbers and as floats of the same value."""
    check_ranges(pd.DataFrame({"step": [1, 5]}), STEPS, model="sales")
    check_ranges(pd.DataFrame({"step": [1.0, 5.0]}), STEPS, model="sales")
    times = np.array([FIRST, LAST], dtype="datetime64[us]")
    check_ranges(pd.DataFrame({"ds": times}), DATES, model="sales")


def test_arrays_have_no_ranges() -> None:
    """Models that read arrays take all that doubles hold."""
    check_ranges(np.array([[9.0]]), STEPS, model="sales")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (0, "The value 0 is none that the model answers."),
        (-1, "The value -1 is none that the model answers."),
        (6, "The value 6 is none that the model answers."),
        (2**63 - 1, "The value 9223372036854775807 is none that the model answers."),
        (-(2**63), "The value -9223372036854775808 is none that the model answers."),
        (1.5, "The value 1.5 is none that the model answers."),
        (np.inf, "The value inf is none that the model answers."),
        (np.nan, "The value is missing."),
    ],
)
def test_numbers(value: float, problem: str) -> None:
    """What lies outside, between whole numbers, or is not there is named with its row."""
    error = refusal(pd.DataFrame({"step": [1, value]}), STEPS)
    assert error.problem_count == 1
    assert error.problems == (RowProblem(1, "step", problem, FROM_1_TO_5),)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("2023-12-31T23:59:59.999999", "2023-12-31T23:59:59.999999Z"),
        ("2026-01-01T12:00:00.000001", "2026-01-01T12:00:00.000001Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("9999-12-31", "9999-12-31T00:00:00Z"),
        ("NaT", None),
    ],
)
def test_times(value: str, problem: str | None) -> None:
    """A time of the years 1 to 9999 is told from those in the range, to the microsecond."""
    error = refusal(pd.DataFrame({"ds": np.array([value], dtype="datetime64[us]")}), DATES)
    words = f"The value {problem} is none that the model answers."
    expected = words if problem is not None else "The value is missing."
    assert error.problems == (RowProblem(0, "ds", expected, BETWEEN),)


def test_all_are_counted_and_the_first_are_listed() -> None:
    """An error lists the first problems by their rows, whatever the column, and counts all."""
    both = {"a": Range(1, 5, is_whole=True, meaning=""), "b": Range(1, 5, True, "")}
    error = refusal(pd.DataFrame({"a": [9] * 30, "b": [1] * 3 + [9] * 27}), both)
    assert error.problem_count == 57
    assert len(error.problems) == REPORTED_PROBLEMS
    listed = [(each.row, each.column) for each in error.problems[:6]]
    assert listed == [(0, "a"), (1, "a"), (2, "a"), (3, "a"), (3, "b"), (4, "a")]


def test_most_models_have_no_ranges() -> None:
    """A model that does not speak of ranges takes all that its signature does."""
    assert ranges_of(LinearRegressor([1.0], 0.0)) == {}
    assert ranges_of(StepForecaster(np.arange(5.0), None))["step"].maximum == 5


@given(step=st.one_of(st.integers(), st.floats(), st.none()))
def test_what_passes_is_answered(step: float | None) -> None:
    """Whatever is asked for, it is either refused as a row or answered with its own value."""
    forecaster = StepForecaster(np.arange(1.0, 6.0), None)
    try:
        table = frame_of([{"step": step}], STEP_SIGNATURE, model="sales")
        check_ranges(table, ranges_of(forecaster), model="sales")
    except InvalidRowsError as error:
        assert error.problems[0].row == 0  # noqa: PT017 - either of the two happens
        return
    assert forecaster.predict(table).values.tolist() == [step]
