"""What was acknowledged survives kill -9, whenever it comes; `tests.e2e.crash` takes longer."""

from pathlib import Path

import pytest

from tests.e2e.crash import crash
from tests.postgresql import PostgreSQL


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_doubled_or_half_done(tmp_path: Path, database: str) -> None:
    if database == "postgresql":
        with PostgreSQL() as server:
            report = crash(tmp_path, cycles=2, seed=1, database_url=server.new_database())
    else:
        report = crash(tmp_path, cycles=3, seed=2)
    assert report.promotions > 0
    assert report.jobs > 0
