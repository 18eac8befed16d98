"""Linear models as one product answer as the models do."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC

from gql_platform.adapters.estimators.folding import folded_forms
from gql_platform.serving.ports import Predictor
from gql_platform.serving.records import Engine
from tests.unit.adapters.estimators.fitted import (
    DIABETES,
    IRIS,
    IS_LAST,
    KINDS,
    PROGRESSION,
    around,
    assert_alike,
    pair_of,
)

CLASSIFIERS: list[Any] = [
    LogisticRegression(max_iter=500),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(SimpleImputer(), RobustScaler(), LogisticRegression()),
    make_pipeline(StandardScaler(), PCA(2), LogisticRegression()),
    make_pipeline(TruncatedSVD(2, random_state=0), LogisticRegression(max_iter=500)),
    make_pipeline(StandardScaler(), LinearSVC()),
    RidgeClassifier(),
    make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)),
    make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()),
]

REGRESSORS: list[Any] = [
    LinearRegression(),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline(MinMaxScaler(), ElasticNet(alpha=0.01)),
    make_pipeline(StandardScaler(), PCA(4), LinearRegression()),
    make_pipeline(StandardScaler(), PoissonRegressor()),
]


def assert_folded(native: Predictor, quicker: Predictor, frame: pd.DataFrame) -> None:
    """Assert that a model was folded, and answers rows that it was not compared on."""
    made = quicker.compilation
    assert made.engine is Engine.FOLDED
    assert made.tolerance == 1e-9
    assert made.largest_difference is not None
    assert made.largest_difference <= 1e-9
    assert made.compared_rows > 500
    rows = around(frame)
    assert_alike(native.predict(rows), quicker.predict(rows), tolerance=1e-9)


class TestFolding:
    @pytest.mark.parametrize("estimator", CLASSIFIERS, ids=str)
    @pytest.mark.parametrize("target", [KINDS, IS_LAST], ids=["three labels", "two labels"])
    def test_classifiers(self, estimator: Any, target: Any) -> None:
        """Labels are equal, and probabilities differ by rounding."""
        assert_folded(*pair_of(estimator, IRIS, target), IRIS)

    @pytest.mark.parametrize("estimator", REGRESSORS, ids=str)
    def test_regressors(self, estimator: Any) -> None:
        """Values differ by rounding."""
        assert_folded(*pair_of(estimator, DIABETES, PROGRESSION / 100), DIABETES)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("as_array", [False, True], ids=["table", "array"])
    def test_unusual_rows_fail_as_the_model_does(self, value: float, *, as_array: bool) -> None:
        """Missing and infinite values are left to the model, which raises what it always raises."""
        estimator = make_pipeline(StandardScaler(), LogisticRegression())
        native, quicker = pair_of(estimator, IRIS, KINDS)
        rows = IRIS.head(3).copy()
        rows.iloc[1, 2] = value
        with pytest.raises(ValueError, match="Input X contains") as expected:
            native.predict(rows)
        with pytest.raises(ValueError, match="Input X contains") as raised:
            quicker.predict(rows.to_numpy() if as_array else rows)
        assert str(raised.value) == str(expected.value)

    def test_missing_values_are_imputed_by_the_model(self) -> None:
        """A row with a missing value has the answer of the model, which fills it in."""
        estimator = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
        native, quicker = pair_of(estimator, IRIS, KINDS)
        rows = IRIS.head(3).copy()
        rows.iloc[1, 2] = np.nan
        assert quicker.compilation.engine is Engine.FOLDED
        assert_alike(native.predict(rows), quicker.predict(rows), tolerance=0.0)

    def test_estimators_without_weights_have_no_form(self) -> None:
        """Only what has coefficients can be folded."""
        assert list(folded_forms(StandardScaler(), [], 4)) == []

    def test_weights_for_other_columns_have_no_form(self) -> None:
        """Coefficients for another number of columns are not folded."""
        estimator = LinearRegression().fit(IRIS, KINDS)
        assert list(folded_forms(estimator, [], 3)) == []
