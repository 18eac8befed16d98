"""Shorter ways to the answers of scikit-learn's estimators, taken where the answers are the same.

Of a prediction for one row, scikit-learn spends most of the time on reading the names of a table's
columns, which were checked against the signature already.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.pipeline import Pipeline
from sklearn.utils.extmath import softmax

from gql_platform.adapters.estimators.example import example_frame
from gql_platform.registry.records import ColumnType, ModelPackage
from gql_platform.serving.ports import ClassOutput

PROBED_ROWS = 64
"""How many rows are tried beside those of the input example."""

_SPREAD = (0.5, 1.5)
_NAMES = "feature_names_in_"


def probe_of(package: ModelPackage) -> pd.DataFrame | None:
    """Return rows to compare two ways of predicting on.

    Returns:
        The rows of the input example, and rows around them, float64; None when there is no example
        or a column is not of that type.
    """
    frame = example_frame(package)
    if frame is None or package.signature is None:
        return None
    if any(column.type is not ColumnType.DOUBLE for column in package.signature.inputs):
        return None
    rows = frame.to_numpy(dtype=np.float64)
    if not np.isfinite(rows).all():
        return None
    factors = np.random.default_rng(0).uniform(*_SPREAD, (PROBED_ROWS, rows.shape[1]))
    around = rows[np.arange(PROBED_ROWS) % len(rows)] * factors
    return pd.DataFrame(np.vstack([rows, around]), columns=frame.columns)


def forget_names(estimator: Any, probe: pd.DataFrame) -> bool:
    """Make an estimator read arrays instead of tables, and return whether it does.

    It was trained on a table, and would warn of every array. It is left as it was when it needs
    the names, or answers otherwise without them.

    Args:
        estimator: A fitted estimator or pipeline, which nobody else uses.
        probe: Rows to compare its answers on.
    """
    steps = [step for _, step in estimator.steps] if type(estimator) is Pipeline else [estimator]
    holders = [step for step in steps if _NAMES in getattr(step, "__dict__", {})]
    expected = _answers(estimator, probe)
    names = [vars(holder).pop(_NAMES) for holder in holders]
    is_same = False
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            found = _answers(estimator, probe.to_numpy())
            is_same = not warned and all(map(np.array_equal, expected, found))
        except Exception:  # noqa: BLE001 - an estimator may fail on arrays in any way
            is_same = False
    if not is_same:
        for holder, name in zip(holders, names, strict=True):
            setattr(holder, _NAMES, name)
    return is_same


def _answers(estimator: Any, rows: Any) -> list[npt.NDArray[Any]]:
    methods = [name for name in ("predict", "predict_proba") if hasattr(estimator, name)]
    return [np.asarray(getattr(estimator, name)(rows)) for name in methods]


def logistic_output(estimator: Any, rows: npt.ArrayLike) -> ClassOutput:
    """Return labels and probabilities of a logistic regression from its scores, computed once.

    For two labels the probability of the second is ``1 / (1 + exp(-s))``, and it is chosen when
    its score s is positive; for more, the probabilities are the softmax of the scores, and the
    label of the highest one is chosen (scikit-learn, ``LogisticRegression.predict_proba`` and
    ``LinearClassifierMixin.predict``).

    Args:
        estimator: A fitted ``LogisticRegression``.
        rows: n rows as it reads them.
    """
    scores = estimator.decision_function(rows)
    if scores.ndim == 1:
        second = expit(scores)
        probabilities = np.column_stack((1 - second, second))
        return ClassOutput((scores > 0).astype(np.int64), probabilities)
    return ClassOutput(scores.argmax(axis=1), softmax(scores))


def is_exact_logistic(estimator: Any, rows: npt.ArrayLike) -> bool:
    """Return whether `logistic_output` is what an estimator itself answers on some rows."""
    try:
        output = logistic_output(estimator, rows)
    except Exception:  # noqa: BLE001 - then it is not
        return False
    labels = np.asarray(estimator.classes_)[output.chosen]
    return bool(
        np.array_equal(labels, estimator.predict(rows))
        and output.probabilities is not None
        and np.array_equal(output.probabilities, estimator.predict_proba(rows))
    )
