"""Predictors over scikit-learn's own estimators, without MLflow's wrapper around them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from gql_platform.adapters.estimators.example import example_frame
from gql_platform.adapters.estimators.shortcuts import (
    forget_names,
    is_exact_logistic,
    logistic_output,
    probe_of,
)
from gql_platform.errors import UnsupportedModelError
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.ports import ClassOutput, Predictor, Table, ValueOutput
from gql_platform.serving.records import NATIVE, Compilation, Task

Compile: TypeAlias = "Callable[[SklearnPredictor, ModelPackage], Predictor]"
"""Returns the quickest form of a predictor that answers alike."""

Estimator: TypeAlias = Any
"""A fitted estimator or pipeline; scikit-learn has no types for what they can do."""

ARGMAX_CLASSIFIERS = frozenset(
    {
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.ensemble._bagging.BaggingClassifier",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.RandomForestClassifier",
    }
)
"""Classifiers whose `predict` is, line for line, the argmax of their `predict_proba`.

For these the label is read off the probabilities, which halves their considerable cost. For any
other, `predict` has the word: the label of a support vector machine with Platt's scaling or of
a tuned threshold is not the most probable one, and a subclass may decide as it likes.
"""


def uncompiled(native: "SklearnPredictor", _: ModelPackage) -> Predictor:
    """Return a predictor as it is, where nothing compiles."""
    return native


def sklearn_predictor(
    estimator: Estimator, version: ModelVersion, package: ModelPackage
) -> "SklearnPredictor":
    """Return the predictor over a fitted estimator or pipeline.

    Raises:
        UnsupportedModelError: If it neither classifies nor regresses, has several outputs, or
            was trained on other columns than its signature says.
    """
    reason = _fault_of(estimator, package)
    if reason is not None:
        raise UnsupportedModelError(name=version.model_name, version=version.version, reason=reason)
    probe = probe_of(package)
    if is_classifier(estimator):
        return SklearnClassifier(estimator, probe)
    return SklearnRegressor(estimator, probe)


class SklearnPredictor(ABC):
    """Predict with a fitted estimator; a `Predictor`.

    Args:
        estimator: An estimator with one output, or a pipeline that ends in one.
        probe: Rows on which shorter ways to its answers are compared; None takes none of them.

    Attributes:
        estimator: The same.
        labels: A classifier's labels.
    """

    labels: tuple[str, ...] = ()

    def __init__(self, estimator: Estimator, probe: pd.DataFrame | None = None) -> None:
        self.estimator = estimator
        self._steps = _Steps(estimator, probe)
        self._compilation = NATIVE

    @property
    @abstractmethod
    def task(self) -> Task:
        """What it predicts."""

    @property
    def takes_arrays(self) -> bool:
        """Whether the estimator answers arrays as it does tables."""
        return self._steps.takes_doubles

    @property
    def reads_arrays_last(self) -> bool:
        """Whether its last step reads arrays, whatever the estimator as a whole reads."""
        return self._steps.has_head or self._steps.takes_doubles

    @property
    def compilation(self) -> Compilation:
        """What was tried to make it quicker."""
        return self._compilation

    def note(self, compilation: Compilation) -> None:
        """Take note of what was tried to make it quicker."""
        self._compilation = compilation

    def close(self) -> None:  # noqa: B027 - there is nothing to do for any of them
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ClassOutput | ValueOutput:
        """Compute the outputs of n rows."""
        return self.output_of(self._steps.transformed(rows))

    @abstractmethod
    def output_of(self, transformed: npt.ArrayLike | pd.DataFrame) -> ClassOutput | ValueOutput:
        """Compute the outputs of n rows as the last step reads them."""


class SklearnClassifier(SklearnPredictor):
    """Predict labels with a fitted classifier, which has ``classes_``; a `Predictor`."""

    def __init__(self, estimator: Estimator, probe: pd.DataFrame | None = None) -> None:
        super().__init__(estimator, probe)
        classes = _classes_of(estimator)
        self.labels = tuple(str(label) for label in classes)
        self._index = {label: index for index, label in enumerate(classes)}
        self._has_probabilities = hasattr(estimator, "predict_proba")
        final = self._steps.final
        self._is_argmax = _full_name(final) in ARGMAX_CLASSIFIERS
        self._is_logistic = (
            type(final) is LogisticRegression
            and probe is not None
            and is_exact_logistic(final, self._steps.transformed(probe))
        )

    @property
    def task(self) -> Task:
        """It predicts labels."""
        return Task.CLASSIFICATION

    def output_of(self, transformed: npt.ArrayLike | pd.DataFrame) -> ClassOutput:
        """Compute the labels of n rows, and their probabilities if the estimator has any."""
        final = self._steps.final
        if self._is_logistic:
            return logistic_output(final, transformed)
        if not self._has_probabilities:
            return ClassOutput(self._indices(final.predict(transformed)), None)
        probabilities = np.asarray(final.predict_proba(transformed), dtype=np.float64)
        if self._is_argmax:
            return ClassOutput(probabilities.argmax(axis=1), probabilities)
        return ClassOutput(self._indices(final.predict(transformed)), probabilities)

    def _indices(self, predicted: npt.ArrayLike) -> npt.NDArray[np.int64]:
        return np.array([self._index[label] for label in np.asarray(predicted).tolist()], np.int64)


class SklearnRegressor(SklearnPredictor):
    """Predict numbers with a fitted regressor; a `Predictor`."""

    @property
    def task(self) -> Task:
        """It predicts numbers."""
        return Task.REGRESSION

    def output_of(self, transformed: npt.ArrayLike | pd.DataFrame) -> ValueOutput:
        """Compute the values of n rows."""
        predicted = self._steps.final.predict(transformed)
        return ValueOutput(_one_column(np.asarray(predicted, dtype=np.float64)))


class _Steps:
    """An estimator taken apart, so that a pipeline transforms its rows only once.

    `Pipeline.predict` and `Pipeline.predict_proba` each transform all rows before they ask the
    last step; whoever needs both pays twice.

    Args:
        estimator: A fitted estimator or pipeline.
        probe: Rows on which it is seen whether it reads arrays as it reads tables.
    """

    def __init__(self, estimator: Estimator, probe: pd.DataFrame | None = None) -> None:
        self._head: Estimator = None
        self.final: Estimator = estimator
        # A subclass may do something else between its steps.
        if type(estimator) is Pipeline and len(estimator.steps) > 1:
            self._head, self.final = estimator[:-1], estimator[-1]
        # An estimator that was trained without column names warns of every table that has some.
        is_nameless = hasattr(estimator, "n_features_in_") and not hasattr(
            estimator, "feature_names_in_"
        )
        self._takes_arrays = is_nameless or (probe is not None and forget_names(estimator, probe))
        # There is a probe only where all columns are doubles.
        self.takes_doubles = self._takes_arrays and probe is not None

    @property
    def has_head(self) -> bool:
        """Whether there are steps before the last."""
        return self._head is not None

    def transformed(self, rows: Table) -> npt.ArrayLike | pd.DataFrame:
        """Return the rows as the last step reads them."""
        if self._takes_arrays and isinstance(rows, pd.DataFrame):
            rows = rows.to_numpy()
        return rows if self._head is None else self._head.transform(rows)


def _fault_of(estimator: Estimator, package: ModelPackage) -> str | None:
    """Return why an estimator cannot be served, as a clause, or None."""
    try:
        predicts = is_classifier(estimator) or is_regressor(estimator)
    except AttributeError:
        # It is no estimator, but some other object that was logged as one.
        predicts = False
    if not predicts:
        kind = type(estimator).__name__
        return f"{kind} neither classifies nor regresses; only that can be served."
    if _has_many_outputs(estimator, package):
        return "it has several outputs; log one model for each."
    if is_classifier(estimator) and not _classes_of(estimator):
        return "its classifier does not name its labels in `classes_`."
    return _column_fault(estimator, package)


def _has_many_outputs(estimator: Estimator, package: ModelPackage) -> bool:
    """Return whether an estimator answers a row with more than one label or number.

    scikit-learn keeps no single note of that, so the input example decides; without one, what
    the estimator and the signature say.
    """
    steps = _Steps(estimator)
    if isinstance(getattr(estimator, "classes_", None), list):
        return True
    # A neural network counts its labels as outputs, which the softmax makes one.
    is_softmax = getattr(steps.final, "out_activation_", None) == "softmax"
    if getattr(steps.final, "n_outputs_", 1) > 1 and not is_softmax:
        return True
    frame = example_frame(package)
    if frame is None:
        return package.signature is not None and len(package.signature.outputs) > 1
    try:
        predicted = np.asarray(steps.final.predict(steps.transformed(frame)))
    except Exception:  # noqa: BLE001 - warming up tells the user why it fails on its example
        return False
    return predicted.ndim > 1 and predicted.shape[1] > 1


def _classes_of(estimator: Estimator) -> list[object]:
    """Return a classifier's labels as plain values."""
    return list(np.asarray(getattr(estimator, "classes_", ())).tolist())


def _column_fault(estimator: Estimator, package: ModelPackage) -> str | None:
    trained = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    if not trained or package.signature is None:
        return None
    signed = [column.name for column in package.signature.inputs]
    # LightGBM keeps no spaces in the names that it was trained with.
    if trained in (signed, [name.replace(" ", "_") for name in signed]):
        return None
    if sorted(trained) == sorted(signed):
        return f"it was trained on the columns {trained}, and its signature orders them {signed}."
    only_trained = [name for name in trained if name not in signed]
    only_signed = [name for name in signed if name not in trained]
    return (
        f"it was trained on the columns {only_trained}, which its signature does not have, and "
        f"its signature has {only_signed}, on which it was not trained."
    )


def _one_column(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values of shape (n, 1), as a regressor trained on such a target gives, as (n,)."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _full_name(estimator: Estimator) -> str:
    kind = type(estimator)
    return f"{kind.__module__}.{kind.__qualname__}"
