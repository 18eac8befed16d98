"""Tables, and estimators that were fitted to them and compiled."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from gql_platform.adapters.estimators.compilation import compiled
from gql_platform.adapters.estimators.native import SklearnPredictor, sklearn_predictor
from gql_platform.serving.ports import ClassOutput, Output, Predictor, ValueOutput
from tests.unit.adapters.mlflow.versions import package_for, version_of

IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
IS_LAST = (KINDS == 2).to_numpy()
DIABETES, PROGRESSION = load_diabetes(return_X_y=True, as_frame=True)

_DRAW = np.random.default_rng(0)
_FLATS = 120
FLATS = pd.DataFrame(
    {
        "town (Swiss)": _DRAW.choice(["Basel", "Chur", "Zug"], _FLATS).astype(object),
        "kind": _DRAW.choice(["flat", "house"], _FLATS).astype(object),
        "rooms": _DRAW.integers(1, 8, _FLATS),
        "area m2": _DRAW.uniform(20, 200, _FLATS).round(1),
    }
)
"""Columns of text, whole numbers and numbers, with names that are no identifiers."""

IS_DEAR = ((FLATS["area m2"] > 100) ^ (FLATS["town (Swiss)"] == "Zug")).to_numpy()


def native_of(estimator: Any, frame: pd.DataFrame, *, has_example: bool = True) -> SklearnPredictor:
    """Return the predictor over a copy of a fitted estimator."""
    own = copy.deepcopy(estimator)
    return sklearn_predictor(own, version_of("model"), package_for(frame, has_example=has_example))


def pair_of(
    estimator: Any, frame: pd.DataFrame, target: Any, *, has_example: bool = True
) -> tuple[SklearnPredictor, Predictor]:
    """Fit an estimator, and return its predictor and the compiled one, however quick that is."""
    estimator.fit(frame, target)
    package = package_for(frame, has_example=has_example)
    quicker = compiled(
        native_of(estimator, frame, has_example=has_example), package, is_better=always
    )
    return native_of(estimator, frame, has_example=has_example), quicker


def always(form: Callable[[], object], itself: Callable[[], object]) -> bool:
    """Prefer every form, so that no test depends on how busy a machine is."""
    return True


def trees_of(
    estimator: HistGradientBoostingClassifier | HistGradientBoostingRegressor,
) -> list[Any]:
    """Return the nodes of the trees of a HistGradientBoosting."""
    return [tree.nodes for trees in estimator._predictors for tree in trees]


def around(frame: pd.DataFrame, count: int = 500, seed: int = 7) -> pd.DataFrame:
    """Return rows around those of a table of doubles, other than those that compiling draws."""
    draw = np.random.default_rng(seed)
    rows = frame.to_numpy()[draw.integers(len(frame), size=count)]
    spread = frame.to_numpy().std(axis=0)
    return pd.DataFrame(rows + draw.normal(size=rows.shape) * spread, columns=frame.columns)


def assert_equal(expected: Output, found: Output) -> None:
    """Assert that two outputs are the same to the bit."""
    assert_alike(expected, found, tolerance=0.0)


def assert_alike(expected: Output, found: Output, *, tolerance: float) -> None:
    """Assert the same labels, and probabilities or values that are near each other."""
    if isinstance(expected, ValueOutput):
        assert isinstance(found, ValueOutput)
        spread = float(np.std(expected.values)) or 1.0
        assert found.values.shape == expected.values.shape
        assert _largest(expected.values, found.values) <= tolerance * spread
        return
    assert isinstance(expected, ClassOutput)
    assert isinstance(found, ClassOutput)
    assert found.chosen.dtype == np.int64
    np.testing.assert_array_equal(found.chosen, expected.chosen)
    if expected.probabilities is None:
        assert found.probabilities is None
        return
    assert found.probabilities is not None
    assert found.probabilities.shape == expected.probabilities.shape
    assert _largest(expected.probabilities, found.probabilities) <= tolerance


def _largest(expected: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> float:
    return float(np.abs(expected - found).max())
