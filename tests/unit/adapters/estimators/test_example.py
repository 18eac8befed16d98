"""The input example becomes a table of the signature's types."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from gql_platform.adapters.estimators.example import example_frame
from gql_platform.registry.records import Column, ColumnType, ModelPackage, Signature


def frame_for(
    columns: Mapping[str, ColumnType], *rows: Mapping[str, object]
) -> pd.DataFrame | None:
    """Return the table of an example of these rows."""
    inputs = tuple(Column(name, kind, required=False) for name, kind in columns.items())
    return example_frame(ModelPackage("sklearn", Signature(inputs, ()), None, rows))


class TestExampleFrame:
    @pytest.mark.parametrize(
        ("kind", "value", "dtype"),
        [
            (ColumnType.BOOLEAN, True, "bool"),
            (ColumnType.INTEGER, 3, "int32"),
            (ColumnType.LONG, 3, "int64"),
            (ColumnType.FLOAT, 3, "float32"),
            (ColumnType.DOUBLE, 3, "float64"),
            (ColumnType.STRING, "x", "object"),
            (ColumnType.DATETIME, "2026-01-01T01:00:00+01:00", "datetime64[ns]"),
        ],
    )
    def test_types(self, kind: ColumnType, value: object, dtype: str) -> None:
        """Each column has the type that rows of requests have."""
        frame = frame_for({"a": kind}, {"a": value})
        assert frame is not None
        assert frame["a"].dtype == np.dtype(dtype)

    def test_times_are_of_utc(self) -> None:
        """A time of a zone becomes that of UTC, without a zone."""
        frame = frame_for({"a": ColumnType.DATETIME}, {"a": "2026-01-01T01:00:00+01:00"})
        assert frame is not None
        assert frame["a"].tolist() == [pd.Timestamp("2026-01-01T00:00:00")]

    @pytest.mark.parametrize("kind", list(ColumnType)[:-1])
    def test_gaps(self, kind: ColumnType) -> None:
        """A missing value is missing in the table, too."""
        frame = frame_for({"a": kind}, {"a": None})
        assert frame is not None
        assert frame["a"].isna().tolist() == [True]

    def test_columns_come_in_the_order_of_the_signature(self) -> None:
        """The example's own order does not count, nor what it has beyond the signature."""
        columns = {"b": ColumnType.LONG, "a": ColumnType.LONG}
        frame = frame_for(columns, {"a": 1, "extra": 0, "b": 2})
        assert frame is not None
        assert frame.to_dict("list") == {"b": [2], "a": [1]}

    @pytest.mark.parametrize("value", ["text", {}, [1], 2**70])
    def test_what_does_not_fit_is_no_table(self, value: object) -> None:
        """An example of other types is left for the warm-up to complain of."""
        assert frame_for({"a": ColumnType.LONG}, {"a": value}) is None

    def test_what_is_missing_is_no_table(self) -> None:
        """Neither an example without a column nor no example at all is a table."""
        assert frame_for({"a": ColumnType.LONG}, {"b": 1}) is None
        assert frame_for({"a": ColumnType.LONG}) is None
        assert example_frame(ModelPackage("sklearn", None, None, ({"a": 1},))) is None
