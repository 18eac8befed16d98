"""Tables grow piece by piece."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import fastparquet
import pandas as pd

from gql_platform.adapters.parquet import ROWS_AT_ONCE, TableFile


def read(path: Path) -> pd.DataFrame:
    """Return what is in a file."""
    found: pd.DataFrame = fastparquet.ParquetFile(BytesIO(path.read_bytes())).to_pandas()
    return found


def test_rows_are_written_while_they_come(tmp_path: Path) -> None:
    """Of rows that come at once, however many, few wait in memory."""
    table = TableFile(tmp_path / "t.parquet", {"number": "int64"})
    seen: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for number in range(2 * ROWS_AT_ONCE + 3):
            if number % ROWS_AT_ONCE == 1 and number > 1:
                seen.append(len(read(table.path)))
            yield (number,)

    table.add(rows())
    table.close()
    assert seen == [ROWS_AT_ONCE, 2 * ROWS_AT_ONCE]
    assert table.rows == 2 * ROWS_AT_ONCE + 3
    found = read(table.path)["number"].tolist()
    assert found == list(range(table.rows))
