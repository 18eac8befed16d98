"""The logged input example as a table, to see what a model makes of it."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from gql_platform.registry.records import ColumnType, ModelPackage, Signature

_DTYPES: dict[ColumnType, Literal["bool", "int32", "int64", "float32", "float64", "object"]] = {
    ColumnType.BOOLEAN: "bool",
    ColumnType.INTEGER: "int32",
    ColumnType.LONG: "int64",
    ColumnType.FLOAT: "float32",
    ColumnType.DOUBLE: "float64",
    ColumnType.STRING: "object",
}


def example_frame(package: ModelPackage) -> pd.DataFrame | None:
    """Return the rows of the input example with the signature's columns, in its order.

    Returns:
        None when there is no example, or one that does not fit the signature; warming up tells
        the user about that.
    """
    if package.signature is None or not package.input_example:
        return None
    return frame_of_rows(package.signature, package.input_example)


def frame_of_rows(
    signature: Signature, rows: Sequence[Mapping[str, object]]
) -> pd.DataFrame | None:
    """Return rows by column name as a table with the signature's columns, in its order.

    Returns:
        None when they do not fit the signature.
    """
    try:
        return pd.DataFrame(
            {
                column.name: _series([row[column.name] for row in rows], column.type)
                for column in signature.inputs
            }
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _series(values: list[object], column_type: ColumnType) -> pd.Series:
    series = pd.Series(values, dtype="object")
    if column_type is ColumnType.DATETIME:
        return pd.to_datetime(series, utc=True).dt.tz_localize(None)
    holds_gaps = column_type in (ColumnType.FLOAT, ColumnType.DOUBLE, ColumnType.STRING)
    return series.astype(_DTYPES[column_type]) if holds_gaps or series.notna().all() else series
