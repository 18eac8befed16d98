"""Requests joined into one call of a model, and its answer taken apart again."""

from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.serving.ports import (
    ClassOutput,
    ForecastOutput,
    Output,
    Table,
    ValueOutput,
)

Number = TypeVar("Number", bound=np.generic)


def kind_of(table: Table) -> Hashable:
    """Return what tables have in common that can be joined without changing a value.

    A column of whole numbers is of another type where one of them is missing, and joined the
    whole column would be of that type.
    """
    return tuple(table.dtypes) if isinstance(table, pd.DataFrame) else None


def joined(tables: Sequence[Table]) -> Table:
    """Return one table with the rows of several of one kind, in their order."""
    if len(tables) == 1:
        return tables[0]
    arrays = [table for table in tables if isinstance(table, np.ndarray)]
    if len(arrays) == len(tables):
        return np.concatenate(arrays)
    frames = [table for table in tables if isinstance(table, pd.DataFrame)]
    return pd.concat(frames, ignore_index=True)


def parts_of(output: Output, sizes: Sequence[int]) -> list[Output]:
    """Take the answer to joined tables apart.

    Args:
        output: The answer to all rows.
        sizes: The number of rows of each table.

    Raises:
        ValueError: If the answer is not one to that many rows; then nobody knows whose is whose.
    """
    bounds = list(pairwise(accumulate(sizes, initial=0)))
    if isinstance(output, ValueOutput):
        return [ValueOutput(part) for part in _split(output.values, bounds)]
    if isinstance(output, ForecastOutput):
        values = _split(output.values, bounds)
        if output.lower is None or output.upper is None:
            return [ForecastOutput(part, None, None) for part in values]
        ends = (_split(output.lower, bounds), _split(output.upper, bounds))
        return list(map(ForecastOutput, values, *ends))
    chosen = _split(output.chosen, bounds)
    if output.probabilities is None:
        return [ClassOutput(part, None) for part in chosen]
    probabilities = _split(output.probabilities, bounds)
    return list(map(ClassOutput, chosen, probabilities))


def _split(
    answers: npt.NDArray[Number], bounds: Sequence[tuple[int, int]]
) -> list[npt.NDArray[Number]]:
    rows = bounds[-1][1]
    if answers.ndim == 0 or len(answers) != rows:
        raise ValueError(f"answers of shape {answers.shape} to {rows} rows")
    return [answers[start:end] for start, end in bounds]
