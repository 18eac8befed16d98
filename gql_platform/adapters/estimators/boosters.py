"""LightGBM's models without the wrapper that scikit-learn's users know."""

import sys
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from gql_platform.adapters.estimators.affine import Floats
from gql_platform.adapters.estimators.folding import Final
from gql_platform.serving.ports import ClassOutput, ValueOutput


def booster_form(estimator: Any) -> Final | None:
    """Return what the booster within one of LightGBM's estimators computes.

    The wrapper spends most of a call on checks that the signature has done already. The booster
    computes in the calling thread alone: several requests are computed at once already.

    Returns:
        None for any other estimator.
    """
    # Whoever has loaded such a model has imported the package.
    package = sys.modules.get("lightgbm")
    if package is None or type(estimator) not in (package.LGBMClassifier, package.LGBMRegressor):
        return None
    booster = estimator.booster_
    if is_classifier(estimator):
        return _classes(booster)

    def values(rows: Floats) -> ValueOutput:
        return ValueOutput(np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64))

    return values


def _classes(booster: Any) -> Final:
    def classes(rows: Floats) -> ClassOutput:
        found = np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64)
        if found.ndim == 1:
            found = np.vstack((1.0 - found, found)).T
        return ClassOutput(found.argmax(axis=1), found)

    return classes
