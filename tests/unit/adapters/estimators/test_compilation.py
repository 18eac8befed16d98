"""Models are compiled where a form answers alike, and are left as they are elsewhere."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from gql_platform.adapters.estimators.compilation import compiled
from gql_platform.adapters.estimators.probes import at_thresholds
from gql_platform.adapters.estimators.trees import thresholds_of
from gql_platform.serving.ports import Output, Predictor
from gql_platform.serving.records import Engine, RefusedEngine
from tests.unit.adapters.estimators.fitted import (
    DIABETES,
    FLATS,
    IRIS,
    IS_DEAR,
    KINDS,
    PROGRESSION,
    always,
    around,
    assert_alike,
    assert_equal,
    native_of,
    pair_of,
)
from tests.unit.adapters.mlflow.versions import package_for

TREES: list[Any] = [
    RandomForestClassifier(10, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
    make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0)),
]

REGRESSORS: list[Any] = [
    RandomForestRegressor(10, random_state=0),
    GradientBoostingRegressor(n_estimators=5, random_state=0),
    HistGradientBoostingRegressor(max_iter=5),
]


def encoded(final: Any, unknown: str = "ignore") -> Any:
    """Return a pipeline over the columns of the flats."""
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown=unknown), ["town (Swiss)", "kind"]),
            ("numbers", StandardScaler(), ["rooms", "area m2"]),
        ]
    )
    return make_pipeline(columns, final)


def assert_same_or_failing(native: Predictor, quicker: Predictor, rows: pd.DataFrame) -> None:
    """Assert that both give the same answer to the bit, or fail with the same words."""
    expected, found = answer_of(native, rows), answer_of(quicker, rows)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    else:
        assert_equal(expected, found)


def answer_of(predictor: Predictor, rows: pd.DataFrame) -> Output | str:
    """Return what a predictor answers, or the words with which it fails."""
    try:
        return predictor.predict(rows)
    except ValueError as error:
        return str(error)


class TestGraphs:
    @pytest.mark.parametrize("estimator", TREES, ids=str)
    def test_classifiers(self, estimator: Any) -> None:
        """Trees run as graphs, with the labels and nearly the probabilities of the model."""
        native, quicker = pair_of(estimator, IRIS, KINDS)
        assert quicker.compilation.engine is Engine.ONNX
        assert_alike(native.predict(around(IRIS)), quicker.predict(around(IRIS)), tolerance=1e-5)

    @pytest.mark.parametrize("estimator", REGRESSORS, ids=str)
    @pytest.mark.parametrize("unit", [1, 100])
    def test_regressors(self, estimator: Any, unit: int) -> None:
        """Trees run as graphs, whatever the unit of the target is."""
        native, quicker = pair_of(estimator, DIABETES, PROGRESSION / unit)
        assert quicker.compilation.engine is Engine.ONNX
        rows = around(DIABETES)
        assert_alike(native.predict(rows), quicker.predict(rows), tolerance=1e-5)

    @pytest.mark.parametrize("estimator", TREES[:3], ids=str)
    def test_at_thresholds(self, estimator: Any) -> None:
        """Rows at the thresholds of trees, and right beside them, go the same way."""
        native, quicker = pair_of(estimator, IRIS, KINDS)
        rows = at_thresholds(IRIS.to_numpy(), thresholds_of(estimator))
        assert_alike(native.predict(rows), quicker.predict(rows), tolerance=1e-5)

    @given(seed=st.integers(0, 2**31))
    def test_whatever_the_rows(self, seed: int) -> None:
        """A naive Bayes in float64 answers any rows around the data as the model does."""
        native, quicker = BAYES
        rows = around(IRIS, 20, seed)
        assert_alike(native.predict(rows), quicker.predict(rows), tolerance=1e-9)

    @pytest.mark.parametrize("estimator", TREES, ids=str)
    def test_missing_values_are_left_to_the_model(self, estimator: Any) -> None:
        """A row with a missing value has exactly the answer of the model."""
        native, quicker = pair_of(estimator, IRIS, KINDS)
        rows = IRIS.head(4).copy()
        rows.iloc[1, 2] = np.nan
        assert_same_or_failing(native, quicker, rows)


BAYES = pair_of(GaussianNB(), IRIS, KINDS)


class TestTables:
    @pytest.mark.parametrize(
        "final", [LogisticRegression(), RandomForestClassifier(10, random_state=0)], ids=str
    )
    def test_columns_of_several_types(self, final: Any) -> None:
        """Preprocessing column by column runs as a graph, whatever the columns are called."""
        native, quicker = pair_of(encoded(final), FLATS, IS_DEAR)
        assert quicker.compilation.engine is Engine.ONNX
        assert_alike(native.predict(FLATS), quicker.predict(FLATS), tolerance=1e-5)

    @pytest.mark.parametrize("column", ["town (Swiss)", "kind"])
    def test_ignored_categories(self, column: str) -> None:
        """A category that the encoder ignores is answered as the model answers it."""
        native, quicker = pair_of(encoded(LogisticRegression()), FLATS, IS_DEAR)
        rows = FLATS.head(3).assign(**{column: "new"})
        assert_alike(native.predict(rows), quicker.predict(rows), tolerance=1e-5)

    def test_refused_categories(self) -> None:
        """A category that the encoder refuses fails as it does in the model."""
        native, quicker = pair_of(encoded(LogisticRegression(), "error"), FLATS, IS_DEAR)
        assert quicker.compilation.engine is Engine.ONNX
        rows = FLATS.head(3).assign(kind="castle")
        with pytest.raises(ValueError, match="unknown categories") as expected:
            native.predict(rows)
        with pytest.raises(ValueError, match="unknown categories") as raised:
            quicker.predict(rows)
        assert str(raised.value) == str(expected.value)

    @pytest.mark.parametrize("column", ["town (Swiss)", "area m2"])
    def test_missing_values(self, column: str) -> None:
        """A missing text or number is answered by the model, or fails as it does."""
        native, quicker = pair_of(encoded(LogisticRegression()), FLATS, IS_DEAR)
        rows = FLATS.head(3).copy()
        rows[column] = pd.Series([None] * 3, dtype=rows[column].dtype)
        assert_same_or_failing(native, quicker, rows)


class TestRefusals:
    @pytest.mark.parametrize(
        ("estimator", "reason"),
        [
            (KNeighborsClassifier(), "KNeighborsClassifier may jump where no comparison looks."),
            (
                KernelRidge(),
                "its last step cannot be converted (MissingShapeCalculator).",
            ),
            (
                make_pipeline(PolynomialFeatures(2), StandardScaler(), LogisticRegression()),
                "it cannot be converted (Fail).",
            ),
        ],
        ids=["jumps", "last step", "preprocessing"],
    )
    def test_reasons(self, estimator: Any, reason: str) -> None:
        """What cannot be compared or converted stays as it is, says why, and answers."""
        native, quicker = pair_of(estimator, IRIS, KINDS)
        made = quicker.compilation
        assert made.engine is Engine.NATIVE
        assert made.largest_difference is None
        assert made.refused == (RefusedEngine(Engine.ONNX, reason),)
        assert_equal(native.predict(around(IRIS)), quicker.predict(around(IRIS)))

    def test_discriminant_analysis_is_no_graph(self) -> None:
        """The converter's probabilities are wrong, so it is folded or left as it is."""
        native, quicker = pair_of(LinearDiscriminantAnalysis(), IRIS, KINDS)
        assert quicker.compilation.engine is Engine.FOLDED
        assert_alike(native.predict(around(IRIS)), quicker.predict(around(IRIS)), tolerance=1e-9)

    def test_the_link_of_a_loss_is_missed(self) -> None:
        """Boosting with a logarithmic link converts without it, and is refused for that."""
        _, quicker = pair_of(
            HistGradientBoostingRegressor(max_iter=5, loss="poisson"), DIABETES, PROGRESSION
        )
        assert quicker.compilation.engine is Engine.NATIVE
        assert [each.reason[:13] for each in quicker.compilation.refused] == ["it is off by "]

    def test_without_an_example(self) -> None:
        """There is nothing to compare on."""
        _, quicker = pair_of(GaussianNB(), IRIS, KINDS, has_example=False)
        assert quicker.compilation.engine is Engine.NATIVE
        assert "log the model with one" in quicker.compilation.refused[0].reason

    def test_what_is_not_quicker(self) -> None:
        """A correct form that takes longer than the model is of no use."""
        estimator = GaussianNB().fit(IRIS, KINDS)
        quicker = compiled(
            native_of(estimator, IRIS), package_for(IRIS), is_better=lambda _, __: False
        )
        assert quicker.compilation.engine is Engine.NATIVE
        assert {each.reason for each in quicker.compilation.refused} == {
            "it is not quicker than the model itself."
        }

    def test_a_single_label(self) -> None:
        """A forest that has seen one label answers it."""
        estimator = RandomForestClassifier(3, random_state=0).fit(IRIS, np.zeros(len(IRIS)))
        quicker = compiled(native_of(estimator, IRIS), package_for(IRIS), is_better=always)
        assert_equal(native_of(estimator, IRIS).predict(IRIS), quicker.predict(IRIS))

    def test_neural_networks_have_one_output(self) -> None:
        """One that chooses among three labels is served, though it counts three outputs."""
        estimator = MLPClassifier((4,), solver="lbfgs", max_iter=5000, random_state=0)
        native, quicker = pair_of(estimator, IRIS, KINDS)
        assert_alike(native.predict(around(IRIS)), quicker.predict(around(IRIS)), tolerance=1e-5)
