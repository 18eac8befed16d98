"""Estimators predict through us exactly what they predict themselves."""

import copy
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gql_platform.adapters.estimators.native import ARGMAX_CLASSIFIERS, sklearn_predictor
from gql_platform.adapters.estimators.shortcuts import (
    forget_names,
    is_exact_logistic,
    logistic_output,
    probe_of,
)
from gql_platform.errors import UnsupportedModelError
from gql_platform.serving.ports import ClassOutput, Output, Predictor, ValueOutput
from gql_platform.serving.records import Task
from tests.unit.adapters.mlflow.versions import package_for, version_of

X, CODES = load_iris(return_X_y=True, as_frame=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[CODES]
IS_SETOSA = NAMES == "setosa"
DIABETES, PROGRESSION = load_diabetes(return_X_y=True, as_frame=True)


def wrapped(estimator: Any, frame: pd.DataFrame = X, *, has_example: bool = True) -> Predictor:
    """Return the predictor over an estimator whose signature is that of a table."""
    # A loaded estimator belongs to its predictor, which may change it.
    own = copy.deepcopy(estimator)
    return sklearn_predictor(own, version_of("model"), package_for(frame, has_example=has_example))


def labels_of(predictor: Predictor, output: Output) -> list[str]:
    """Return the labels that were chosen."""
    assert isinstance(output, ClassOutput)
    assert output.chosen.dtype == np.int64
    return [predictor.labels[index] for index in output.chosen]


class ChooseTheLast(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # it has no types
    """A classifier that decides otherwise than its probabilities."""

    def fit(self, rows: pd.DataFrame, labels: Any) -> "ChooseTheLast":
        """Remember the labels."""
        del rows
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, rows: pd.DataFrame) -> Any:
        """Favour the first label."""
        return np.tile(np.linspace(1, 0, len(self.classes_)), (len(rows), 1))

    def predict(self, rows: pd.DataFrame) -> Any:
        """Choose the last."""
        return np.repeat(self.classes_[-1], len(rows))


class TestClassifiers:
    @pytest.mark.parametrize(
        "estimator",
        [
            LogisticRegression(max_iter=500),
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
            make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), GaussianNB())),
            Pipeline([("only", GaussianNB())]),
            Pipeline([("nothing", "passthrough"), ("model", GaussianNB())]),
            RandomForestClassifier(5, max_depth=2, random_state=0),
            ExtraTreesClassifier(5, max_depth=2, random_state=0),
            BaggingClassifier(DecisionTreeClassifier(max_depth=2), 5, random_state=0),
            CalibratedClassifierCV(GaussianNB(), cv=2),
            KNeighborsClassifier(4),
            GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=2),
            DummyClassifier(),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    @pytest.mark.parametrize("target", [CODES.to_numpy(), NAMES], ids=["numbers", "names"])
    def test_labels_and_probabilities_are_its_own(self, estimator: Any, target: Any) -> None:
        """Each row has the estimator's label and probabilities, in the order of its classes."""
        estimator.fit(X, target)
        predictor = wrapped(estimator)
        output = predictor.predict(X)
        assert predictor.task is Task.CLASSIFICATION
        assert predictor.labels == tuple(str(label) for label in np.unique(target).tolist())
        assert labels_of(predictor, output) == [str(label) for label in estimator.predict(X)]
        assert isinstance(output, ClassOutput)
        assert output.probabilities is not None
        assert output.probabilities.dtype == np.float64
        np.testing.assert_array_equal(output.probabilities, estimator.predict_proba(X))

    @pytest.mark.parametrize("estimator", [LinearSVC(), RidgeClassifier(), SVC()])
    def test_without_probabilities_there_are_labels(self, estimator: Any) -> None:
        """A classifier that knows no probabilities gives none."""
        estimator.fit(X, NAMES)
        predictor = wrapped(estimator)
        output = predictor.predict(X)
        assert isinstance(output, ClassOutput)
        assert output.probabilities is None
        assert labels_of(predictor, output) == estimator.predict(X).tolist()

    @pytest.mark.parametrize(
        "estimator",
        [
            FixedThresholdClassifier(GaussianNB(), threshold=0.999, pos_label=True),
            ChooseTheLast(),
            make_pipeline(StandardScaler(), ChooseTheLast()),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_its_own_rule_decides(self, estimator: Any) -> None:
        """The label is what `predict` says, even where another one is more probable."""
        target = ~IS_SETOSA
        rows = X[["sepal width (cm)"]]
        estimator.fit(rows, target)
        predictor = wrapped(estimator, rows)
        output = predictor.predict(rows)
        assert isinstance(output, ClassOutput)
        assert output.probabilities is not None
        assert labels_of(predictor, output) == [str(label) for label in estimator.predict(rows)]
        assert (output.chosen != output.probabilities.argmax(axis=1)).any()

    def test_shortcut_names_exist(self) -> None:
        """Each name of the classifiers that are read off their probabilities is that of one."""
        kinds = [
            BaggingClassifier,
            CalibratedClassifierCV,
            ExtraTreesClassifier,
            RandomForestClassifier,
        ]
        assert {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds} == ARGMAX_CLASSIFIERS

    def test_subclass_takes_no_shortcut(self) -> None:
        """A subclass may decide otherwise, so that its own `predict` is asked."""

        class Contrary(RandomForestClassifier):  # type: ignore[misc] # it has no types
            def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
                return np.repeat("virginica", len(X))

        predictor = wrapped(Contrary(3, random_state=0).fit(X, NAMES))
        assert set(labels_of(predictor, predictor.predict(X))) == {"virginica"}

    def test_table_of_mixed_columns_stays_a_table(self) -> None:
        """A pipeline that picks columns by their names gets them."""
        frame = pd.DataFrame({"colour": ["red", "green"] * 10, "grams": np.arange(20.0)})
        kind = np.array(["a", "b"] * 10)
        columns = ColumnTransformer(
            [("colour", OneHotEncoder(), ["colour"]), ("grams", StandardScaler(), ["grams"])]
        )
        estimator = make_pipeline(columns, LogisticRegression()).fit(frame, kind)
        predictor = wrapped(estimator, frame)
        assert labels_of(predictor, predictor.predict(frame)) == estimator.predict(frame).tolist()

    def test_model_of_unnamed_columns_gets_arrays(self) -> None:
        """A model that was trained on an array does not warn of names that it never saw."""
        estimator = make_pipeline(StandardScaler(), GaussianNB()).fit(X.to_numpy(), NAMES)
        predictor = wrapped(estimator)
        expected = estimator.predict(X.to_numpy()).tolist()
        assert labels_of(predictor, predictor.predict(X)) == expected


class TestRegressors:
    @pytest.mark.parametrize(
        "estimator",
        [
            LinearRegression(),
            make_pipeline(StandardScaler(), LinearRegression()),
            GradientBoostingRegressor(n_estimators=5, random_state=0),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_values_are_its_own(self, estimator: Any) -> None:
        """Each row has the estimator's value."""
        estimator.fit(DIABETES, PROGRESSION)
        predictor = wrapped(estimator, DIABETES)
        output = predictor.predict(DIABETES)
        assert (predictor.task, predictor.labels) == (Task.REGRESSION, ())
        assert isinstance(output, ValueOutput)
        assert output.values.dtype == np.float64
        np.testing.assert_array_equal(output.values, estimator.predict(DIABETES))

    def test_target_of_one_column_is_one_value(self) -> None:
        """A regressor that was trained on a table of one column answers with one number."""
        estimator = LinearRegression().fit(DIABETES, PROGRESSION.to_frame())
        output = wrapped(estimator, DIABETES).predict(DIABETES)
        assert isinstance(output, ValueOutput)
        assert output.values.shape == (len(DIABETES),)


class TestUnsupported:
    @pytest.mark.parametrize(
        ("estimator", "name"),
        [
            (KMeans(2, random_state=0), "KMeans"),
            (make_pipeline(StandardScaler(), KMeans(2, random_state=0)), "Pipeline"),
            (IsolationForest(n_estimators=3, random_state=0), "IsolationForest"),
            (StandardScaler(), "StandardScaler"),
        ],
        ids=["clustering", "pipeline", "outliers", "transformer"],
    )
    def test_what_neither_classifies_nor_regresses(self, estimator: Any, name: str) -> None:
        """What has no labels and no target is refused by its name."""
        with pytest.raises(UnsupportedModelError) as caught:
            wrapped(estimator.fit(X))
        assert caught.value.reason.startswith(f"{name} neither classifies nor regresses")
        assert (caught.value.name, caught.value.version) == ("model", 1)

    def test_what_is_no_estimator(self) -> None:
        """An object of another library that was logged as scikit-learn's is refused."""
        with pytest.raises(UnsupportedModelError, match="dict neither classifies"):
            wrapped({"weights": [1.0]})

    @pytest.mark.parametrize("has_example", [True, False])
    @pytest.mark.parametrize(
        ("estimator", "columns"),
        [(DecisionTreeClassifier(), 2), (KNeighborsClassifier(), 3)],
        ids=["tree", "neighbours"],
    )
    def test_several_labels(self, estimator: Any, columns: int, has_example: bool) -> None:
        """Several labels for a row are refused, with an example at hand or without."""
        target = pd.DataFrame({str(number): NAMES for number in range(columns)})
        estimator.fit(X, target)
        with pytest.raises(UnsupportedModelError, match="several outputs"):
            wrapped(estimator, has_example=has_example)

    @pytest.mark.parametrize(
        "estimator", [LinearRegression(), make_pipeline(StandardScaler(), LinearRegression())]
    )
    def test_several_values(self, estimator: Any) -> None:
        """Several numbers for a row are refused; the example shows that there are some."""
        estimator.fit(DIABETES, np.column_stack([PROGRESSION, PROGRESSION]))
        with pytest.raises(UnsupportedModelError, match="several outputs"):
            wrapped(estimator, DIABETES)

    def test_several_values_are_seen_without_an_example(self) -> None:
        """Trees note how many outputs they have."""
        estimator = DecisionTreeRegressor().fit(DIABETES, DIABETES[["age", "bmi"]])
        with pytest.raises(UnsupportedModelError, match="several outputs"):
            wrapped(estimator, DIABETES, has_example=False)

    def test_failure_on_the_example_is_left_to_the_warm_up(self) -> None:
        """An example on which the model fails does not tell how many outputs it has."""
        rows = X.assign(**{"petal width (cm)": np.nan})
        assert wrapped(GaussianNB().fit(X, NAMES), rows).task is Task.CLASSIFICATION

    def test_classifier_without_names_for_its_labels(self) -> None:
        """Without `classes_` there is nothing to call the answers."""
        estimator = ChooseTheLast()
        estimator.classes_ = np.array([])
        with pytest.raises(UnsupportedModelError, match="`classes_`"):
            wrapped(estimator)

    def test_other_columns_than_signed(self) -> None:
        """Columns that differ are named, those of the model and those of the signature."""
        signed = X.rename(columns={"petal width (cm)": "petal_width"})
        with pytest.raises(UnsupportedModelError) as caught:
            wrapped(GaussianNB().fit(X, NAMES), signed)
        assert caught.value.reason == (
            "it was trained on the columns ['petal width (cm)'], which its signature does not "
            "have, and its signature has ['petal_width'], on which it was not trained."
        )

    def test_columns_in_another_order_than_signed(self) -> None:
        """The order counts, for rows may be sent as arrays."""
        with pytest.raises(UnsupportedModelError, match="and its signature orders them"):
            wrapped(GaussianNB().fit(X, NAMES), X[X.columns[::-1]])


class TestShortcuts:
    """Shorter ways are taken where they lead to the same answers, and only there."""

    @pytest.mark.parametrize(
        "estimator",
        [
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
            RandomForestClassifier(5, max_depth=2, random_state=0),
            GradientBoostingRegressor(n_estimators=5),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_names_are_forgotten_where_nothing_needs_them(self, estimator: Any) -> None:
        """An estimator that reads numbers alone gets an array."""
        estimator.fit(X, CODES)
        probe = probe_of(package_for(X))
        assert probe is not None
        assert forget_names(estimator, probe)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            estimator.predict(X.to_numpy())

    @pytest.mark.parametrize(
        "estimator",
        [
            make_pipeline(
                ColumnTransformer([("one", "passthrough", ["sepal length (cm)"])]), GaussianNB()
            ),
            GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_names_are_kept_where_something_needs_them(self, estimator: Any) -> None:
        """An estimator that chooses columns by name, or hides another one, is left as it was."""
        estimator.fit(X, CODES)
        expected = estimator.predict_proba(X)
        probe = probe_of(package_for(X))
        assert probe is not None
        assert not forget_names(estimator, probe)
        np.testing.assert_array_equal(estimator.predict_proba(X), expected)
        assert list(estimator.feature_names_in_) == list(X.columns)

    @pytest.mark.parametrize("target", [CODES, IS_SETOSA], ids=["three labels", "two labels"])
    def test_logistic_regression_is_computed_once(self, target: Any) -> None:
        """Labels and probabilities from the scores are scikit-learn's own, to the bit."""
        estimator = LogisticRegression(max_iter=500).fit(X, target)
        assert is_exact_logistic(estimator, X)
        output = logistic_output(estimator, X)
        np.testing.assert_array_equal(output.probabilities, estimator.predict_proba(X))
        np.testing.assert_array_equal(estimator.classes_[output.chosen], estimator.predict(X))

    def test_other_rules_are_not_taken_for_it(self) -> None:
        """A classifier that decides in another way keeps its own."""
        assert not is_exact_logistic(ChooseTheLast().fit(X, CODES), X)

    def test_tables_of_other_columns_are_not_probed(self) -> None:
        """Only columns of doubles make an array that says all that the table does."""
        frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
        assert probe_of(package_for(frame)) is None
