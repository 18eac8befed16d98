"""Rows to compare two forms of a model on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gql_platform.adapters.estimators.affine import Floats
from gql_platform.adapters.estimators.trees import Thresholds
from gql_platform.registry.records import Column, ColumnType

SCATTERED_ROWS = 256
"""How many rows are drawn around those of the example."""

THRESHOLDS = 300
"""At how many thresholds of trees two forms are compared, on both sides and between."""

UNSEEN = "a value that no training data has"

UNSEEN_NUMBER = 1_987_654_321

_UNSEEN: dict[ColumnType, str | int] = {
    ColumnType.STRING: UNSEEN,
    ColumnType.LONG: UNSEEN_NUMBER,
    ColumnType.INTEGER: UNSEEN_NUMBER,
}

_SEED = 0


def scattered(rows: Floats, count: int = SCATTERED_ROWS) -> Floats:
    """Return rows, and as many drawn around them.

    A third of the values is mixed from other rows, a third is off by up to half of itself, and the
    rest by up to three times the spread of its column.

    Args:
        rows: Finite float64, shape (n, columns), n at least 1.
        count: How many are drawn.
    """
    draw = np.random.default_rng(_SEED)
    base = rows[draw.integers(len(rows), size=count)]
    mixed = np.take_along_axis(rows, draw.integers(len(rows), size=base.shape), axis=0)
    scaled = base * draw.uniform(0.5, 1.5, base.shape)
    spread = rows.std(axis=0) + np.abs(rows).max(axis=0) * 0.05
    shifted = base + draw.normal(size=base.shape) * 3 * spread
    which = draw.integers(3, size=base.shape)
    return np.vstack([rows, np.choose(which, [mixed, scaled, shifted])])


def at_thresholds(rows: Floats, thresholds: Thresholds) -> Floats:
    """Return rows whose values stand where trees decide, and just beside that.

    Args:
        rows: Finite float64, shape (n, columns), n at least 1.
        thresholds: Where trees decide; of many, some are drawn.

    Returns:
        float64, shape (m, columns).
    """
    draw = np.random.default_rng(_SEED)
    chosen = list(thresholds)
    if len(chosen) > THRESHOLDS:
        chosen = [chosen[place] for place in draw.choice(len(chosen), THRESHOLDS, replace=False)]
    made = []
    for column, threshold in chosen:
        single = np.float32(threshold)
        values = {
            threshold,
            float(np.nextafter(threshold, np.inf)),
            float(np.nextafter(threshold, -np.inf)),
            float(single),
            float(np.nextafter(single, np.float32(np.inf))),
            float(np.nextafter(single, np.float32(-np.inf))),
        }
        for value in sorted(values):
            row = rows[draw.integers(len(rows))].copy()
            row[column] = value
            made.append(row)
    return np.array(made).reshape(-1, rows.shape[1])


def scattered_table(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Return a table with rows that are mixed from those of another, with numbers around theirs.

    Args:
        frame: At least one row.
        columns: Its columns, in their order.
    """
    draw = np.random.default_rng(_SEED)
    data = {}
    for column in columns:
        values = frame[column.name].to_numpy()
        drawn = values[draw.integers(len(values), size=SCATTERED_ROWS)]
        if column.type in (ColumnType.DOUBLE, ColumnType.FLOAT):
            drawn = (drawn * draw.uniform(0.5, 1.5, len(drawn))).astype(values.dtype)
        data[column.name] = np.concatenate([values, drawn])
    return pd.DataFrame(data)


def unseen_tables(frame: pd.DataFrame, columns: Sequence[Column]) -> list[pd.DataFrame]:
    """Return a table of one row for each discrete column, with a value that is new to the model."""
    made = []
    for column in columns:
        value = _UNSEEN.get(column.type)
        if value is not None:
            row = frame.iloc[:1].copy()
            row[column.name] = pd.Series([value], index=row.index, dtype=row[column.name].dtype)
            made.append(row)
    return made
