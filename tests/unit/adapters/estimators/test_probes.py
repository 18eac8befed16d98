"""Probes stand where forms of a model may differ."""

import numpy as np

from gql_platform.adapters.estimators.probes import (
    SCATTERED_ROWS,
    UNSEEN,
    UNSEEN_NUMBER,
    at_thresholds,
    scattered,
    unseen_tables,
)
from tests.unit.adapters.estimators.fitted import FLATS, IRIS
from tests.unit.adapters.mlflow.versions import package_for

ROWS = IRIS.to_numpy()


class TestProbes:
    def test_scattered_rows_begin_with_the_given(self) -> None:
        """The rows themselves are compared as well, and the drawn ones are always the same."""
        found = scattered(ROWS[:3])
        assert found.shape == (3 + SCATTERED_ROWS, 4)
        np.testing.assert_array_equal(found[:3], ROWS[:3])
        np.testing.assert_array_equal(scattered(ROWS[:3]), found)
        assert np.isfinite(found).all()

    def test_thresholds_and_their_neighbours(self) -> None:
        """A threshold comes with the floats beside it, in both precisions."""
        found = at_thresholds(ROWS, [(2, 0.1)])[:, 2].tolist()
        assert {0.1, np.nextafter(0.1, 1), np.nextafter(0.1, 0)} <= set(found)
        assert float(np.nextafter(np.float32(0.1), np.float32(0))) in found
        assert len(found) == 6

    def test_unseen_values(self) -> None:
        """Each column of text or whole numbers has a table with a value that is new."""
        signature = package_for(FLATS).signature
        assert signature is not None
        tables = unseen_tables(FLATS, signature.inputs)
        assert [table.shape for table in tables] == [(1, 4)] * 3
        assert tables[0]["town (Swiss)"].tolist() == [UNSEEN]
        assert tables[2]["rooms"].tolist() == [UNSEEN_NUMBER]
