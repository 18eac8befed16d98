"""Tables in files of Apache Parquet, written piece by piece."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import fastparquet
import pandas as pd

DTYPES = {
    "text": "object",
    "json": "object",
    "int64": "Int64",
    "float64": "float64",
    "bool": "bool",
    "moment": "datetime64[ns, UTC]",
}
"""The columns that there can be. Those of floats have no nulls, so that NaN stays what it is."""

ROWS_AT_ONCE = 50_000


@dataclass(slots=True)
class TableFile:
    """A table that grows.

    Attributes:
        path: The file.
        columns: What is in each column, by its name; see `DTYPES`.
        rows: How many rows there are.
    """

    path: Path
    columns: Mapping[str, str]
    rows: int = 0
    _waiting: list[Sequence[Any]] = field(default_factory=list)
    _is_begun: bool = False

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take rows, each with a value for every column."""
        coming = iter(rows)
        while part := list(islice(coming, ROWS_AT_ONCE - len(self._waiting))):
            self._waiting += part
            self.rows += len(part)
            if len(self._waiting) == ROWS_AT_ONCE:
                self._write()

    def close(self) -> None:
        """Write what is left; a table without rows has its columns all the same."""
        if self._waiting or not self._is_begun:
            self._write()

    def _write(self) -> None:
        values = list(zip(*self._waiting, strict=True)) or [()] * len(self.columns)
        frame = pd.DataFrame(
            {
                name: pd.Series(column, dtype=DTYPES[kind])
                for (name, kind), column in zip(self.columns.items(), values, strict=True)
            }
        )
        encoded = {"text": "utf8", "json": "json"}
        fastparquet.write(
            str(self.path),
            frame,
            compression="ZSTD",
            append=self._is_begun,
            write_index=False,
            object_encoding={
                name: encoded[kind] for name, kind in self.columns.items() if kind in encoded
            },
            has_nulls=[
                name for name, kind in self.columns.items() if kind not in ("float64", "bool")
            ],
        )
        self._waiting, self._is_begun = [], True
