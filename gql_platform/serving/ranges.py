"""Rows checked against what a model answers, beyond what its signature says."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.errors import InvalidRowsError, RowProblem
from gql_platform.serving.ports import Table
from gql_platform.serving.records import Range
from gql_platform.serving.rows import REPORTED_PROBLEMS


def check_ranges(table: Table, ranges: Mapping[str, Range], *, model: str) -> None:
    """Let rows pass whose values a model answers.

    Args:
        table: The rows as a model reads them.
        ranges: The values that it answers, by column.
        model: The model's name, for the error.

    Raises:
        InvalidRowsError: If a value is missing, out of its range, or no whole number where one is
            asked for; it names row and column of up to `REPORTED_PROBLEMS` of them.
    """
    if not isinstance(table, pd.DataFrame):
        return
    columns = [(name, table[name].to_numpy(), found) for name, found in ranges.items()]
    wrong = [(name, values, each, _wrong(values, each)) for name, values, each in columns]
    count = sum(len(places) for *_, places in wrong)
    if count:
        problems = [problem for each in wrong for problem in _problems(*each)]
        problems.sort(key=lambda problem: problem.row)
        raise InvalidRowsError(
            model=model, problems=tuple(problems[:REPORTED_PROBLEMS]), problem_count=count
        )


def _wrong(values: npt.NDArray[Any], allowed: Range) -> npt.NDArray[np.int64]:
    """Return the places of the values that are not among those that a model answers."""
    minimum, maximum = (_as_stored(bound) for bound in (allowed.minimum, allowed.maximum))
    # What is missing is neither smaller nor larger than anything.
    is_right = (minimum <= values) & (values <= maximum)
    if allowed.is_whole:
        is_right &= np.trunc(values) == values
    return np.flatnonzero(~is_right)


def _problems(
    name: str, values: npt.NDArray[Any], allowed: Range, places: npt.NDArray[np.int64]
) -> Iterator[RowProblem]:
    noun = "a whole number" if allowed.is_whole else "a value"
    bounds = f"from {_shown(allowed.minimum)} to {_shown(allowed.maximum)}"
    for place in places[:REPORTED_PROBLEMS].tolist():
        yield RowProblem(
            row=place,
            column=name,
            problem=_problem(values[place : place + 1]),
            expected=f"{noun} {bounds}: {allowed.meaning}",
        )


def _problem(value: npt.NDArray[Any]) -> str:
    """Return what is wrong with the value in an array of one, as a sentence."""
    if pd.isna(value).any():
        return "The value is missing."
    return f"The value {_shown(value.item())} is none that the model answers."


def _as_stored(bound: int | datetime) -> int | np.datetime64:
    return np.datetime64(bound, "us") if isinstance(bound, datetime) else bound


def _shown(value: float | datetime) -> str:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else str(value)
