"""What an ensemble of trees is made of: its thresholds, and the exact sums of its trees."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from gql_platform.adapters.estimators.affine import Floats
from gql_platform.adapters.estimators.folding import Final
from gql_platform.serving.ports import ClassOutput, ValueOutput

FLOAT32_MAX = float(np.finfo(np.float32).max)

FEW_ROWS = 8
"""Up to so many rows are compared with all thresholds at once, others column by column."""

Thresholds = list[tuple[int, float]]
"""Columns, and values at which a tree decides by them."""

_FOREST_CLASSIFIERS = (RandomForestClassifier, ExtraTreesClassifier)
_FOREST_REGRESSORS = (RandomForestRegressor, ExtraTreesRegressor)


def thresholds_of(estimator: Any) -> Thresholds:
    """Return where the trees of an estimator decide; nothing where it has no trees."""
    return sorted(set(_thresholds(estimator)))


def is_of_trees(estimator: Any) -> bool:
    """Return whether an estimator is made of trees."""
    return next(_thresholds(estimator), None) is not None


class Ranks:
    """Rows as ranks among the thresholds of trees.

    HistGradientBoosting compares float64 with float64, and a graph of trees compares float32. Of
    a column whose thresholds are ``t_0 < t_1 < ...``, ``x <= t_k`` holds where at most k
    thresholds are below x; so trees that read the number of these in place of x, and k in place of
    ``t_k``, decide alike, and small whole numbers are exact in float32.

    Args:
        thresholds: All thresholds, sorted by column and value.
        columns: The number of columns.
    """

    def __init__(self, thresholds: Thresholds, columns: int) -> None:
        self._columns = columns
        self._by_column = [
            np.array([value for place, value in thresholds if place == column])
            for column in range(columns)
        ]
        self._used = [column for column in range(columns) if len(self._by_column[column])]
        self._places = np.array([column for column, _ in thresholds], dtype=np.intp)
        self._values = np.array([value for _, value in thresholds])
        self._starts = np.searchsorted(self._places, self._used)

    def rank(self, column: int, threshold: float) -> int:
        """Return the rank of a threshold."""
        return int(np.searchsorted(self._by_column[column], threshold))

    def __call__(self, rows: Floats) -> Floats | None:
        """Return the ranks of rows, shape (n, columns); None where a value is not finite."""
        if not np.isfinite(rows).all():
            return None
        ranks = np.zeros(rows.shape)
        if len(rows) <= FEW_ROWS:
            below = self._values < rows[:, self._places]
            ranks[:, self._used] = np.add.reduceat(below, self._starts, axis=1, dtype=np.float64)
        else:
            for column in self._used:
                ranks[:, column] = np.searchsorted(self._by_column[column], rows[:, column])
        return ranks


def ranked(estimator: Any, columns: int) -> tuple[Any, Ranks]:
    """Return a copy of a HistGradientBoosting whose trees read ranks, and what makes them.

    Raises:
        ValueError: If its trees decide by categories.
    """
    copied = deepcopy(estimator)
    ranks = Ranks(thresholds_of(estimator), columns)
    for predictor in _predictors(copied):
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            raise ValueError("its trees decide by categories")
        for node in nodes:
            if not node["is_leaf"]:
                node["num_threshold"] = ranks.rank(node["feature_idx"], node["num_threshold"])
    return copied, ranks


def has_ranked_form(estimator: Any) -> bool:
    """Return whether the trees of an estimator compare float64, so that ranks are needed."""
    return hasattr(estimator, "_predictors")


def _predictors(estimator: Any) -> list[Any]:
    """Return the trees of HistGradientBoosting, which are tables of nodes."""
    return list(chain.from_iterable(estimator._predictors))  # noqa: SLF001 - there is no other way


def _thresholds(estimator: Any) -> Iterator[tuple[int, float]]:
    if hasattr(estimator, "tree_"):
        tree = estimator.tree_
        inner = tree.children_left >= 0
        yield from zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)
    elif hasattr(estimator, "_predictors"):
        for predictor in _predictors(estimator):
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            yield from zip(
                nodes["feature_idx"].tolist(), nodes["num_threshold"].tolist(), strict=True
            )
    else:
        inner = np.ravel(np.asarray(getattr(estimator, "estimators_", ()), dtype=object))
        # Each estimator of a bag may read some columns alone.
        chosen = getattr(estimator, "estimators_features_", None)
        for number, each in enumerate(inner):
            for column, threshold in _thresholds(each):
                yield (column if chosen is None else int(chosen[number][column])), threshold


def forest_sum(estimator: Any) -> Final | None:
    """Return the mean over the trees of a forest, as the forest itself computes it.

    scikit-learn spends most of a call on checking the same rows once for each tree, and on handing
    them to threads.

    Returns:
        None for what is no forest of scikit-learn's own.
    """
    kind = type(estimator)
    if kind not in (*_FOREST_CLASSIFIERS, *_FOREST_REGRESSORS):
        return None
    trees = [each.tree_ for each in estimator.estimators_]

    def mean(rows: Floats) -> Floats | None:
        single = float32_of(rows)
        if single is None:
            return None
        total: Floats = trees[0].predict(single).astype(np.float64)
        for tree in trees[1:]:
            total += tree.predict(single)
        total /= len(trees)
        return total

    def labels(rows: Floats) -> ClassOutput | None:
        probabilities = mean(rows)
        if probabilities is None:
            return None
        return ClassOutput(probabilities.argmax(axis=1), probabilities)

    def values(rows: Floats) -> ValueOutput | None:
        found = mean(rows)
        return None if found is None else ValueOutput(found.reshape(len(rows)))

    return labels if kind in _FOREST_CLASSIFIERS else values


def float32_of(rows: Floats) -> npt.NDArray[np.float32] | None:
    """Return rows as float32; None where one is missing, infinite or too large."""
    # A comparison with NaN is false.
    if not (np.abs(rows) <= FLOAT32_MAX).all():
        return None
    return np.ascontiguousarray(rows, dtype=np.float32)
