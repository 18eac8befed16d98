"""LightGBM's boosters answer exactly as its estimators do."""

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import LinearRegression

from gql_platform.adapters.estimators.boosters import booster_form
from gql_platform.serving.records import Engine
from tests.unit.adapters.estimators.fitted import (
    DIABETES,
    IRIS,
    IS_LAST,
    KINDS,
    PROGRESSION,
    around,
    assert_equal,
    pair_of,
)


class TestBoosters:
    @pytest.mark.parametrize("target", [KINDS, IS_LAST], ids=["three labels", "two labels"])
    def test_classifiers(self, target: Any) -> None:
        """Labels and probabilities are the estimator's own, to the bit."""
        estimator = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)
        native, quicker = pair_of(estimator, IRIS, target)
        assert quicker.compilation.engine is Engine.EXACT
        assert quicker.compilation.largest_difference == 0.0
        assert quicker.compilation.tolerance == 0.0
        assert_equal(native.predict(around(IRIS)), quicker.predict(around(IRIS)))

    def test_regressors(self) -> None:
        """Values are the estimator's own, to the bit."""
        estimator = LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1)
        native, quicker = pair_of(estimator, DIABETES, PROGRESSION)
        assert quicker.compilation.engine is Engine.EXACT
        assert_equal(native.predict(around(DIABETES)), quicker.predict(around(DIABETES)))

    def test_missing_values_go_their_way(self) -> None:
        """LightGBM's trees know where missing values go, and so does the booster."""
        estimator = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)
        native, quicker = pair_of(estimator, IRIS, KINDS)
        rows = IRIS.head(8).copy()
        rows.iloc[::2, 2] = np.nan
        assert_equal(native.predict(rows), quicker.predict(rows))

    def test_others_have_none(self) -> None:
        """Only LightGBM's own estimators have a booster."""

        class Regressor(LGBMRegressor):
            """A subclass, which may predict as it likes."""

        assert booster_form(LinearRegression()) is None
        assert booster_form(Regressor()) is None
