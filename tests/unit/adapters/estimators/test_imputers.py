"""Steps that only impute are left out, and others are not."""

from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gql_platform.adapters.estimators.imputers import only_imputes, without_imputers
from tests.unit.adapters.estimators.fitted import IRIS

ROWS = IRIS.to_numpy()


class TestImputers:
    @pytest.mark.parametrize(
        ("step", "expected"),
        [
            (SimpleImputer(), True),
            (SimpleImputer(add_indicator=True), False),
            (SimpleImputer(missing_values=0), False),
            (StandardScaler(), False),
        ],
        ids=str,
    )
    def test_which_only_impute(self, step: Any, expected: bool) -> None:
        """An imputer that adds columns, or takes a plain value for a missing one, does more."""
        assert only_imputes(step.fit(ROWS)) is expected

    def test_a_column_that_is_dropped(self) -> None:
        """An imputer drops a column without any values, and so does more than to impute."""
        rows = np.column_stack([ROWS, np.full(len(ROWS), np.nan)])
        step = SimpleImputer().fit(rows)
        with pytest.warns(UserWarning, match="Skipping features"):
            step.transform(rows)
        assert not only_imputes(step)

    def test_complete_rows_pass_alike(self) -> None:
        """Without the imputer, rows that miss nothing become the same, and the original stays."""
        steps = make_pipeline(SimpleImputer(), StandardScaler()).fit(ROWS)
        found = without_imputers(steps)
        assert type(found) is StandardScaler
        np.testing.assert_array_equal(found.transform(ROWS), steps.transform(ROWS))
        assert len(steps.steps) == 2
