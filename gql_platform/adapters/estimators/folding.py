"""Linear models as one product of float64 matrices, with their preprocessing folded in."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.utils.extmath import softmax

from gql_platform.adapters.estimators.affine import Floats, Operation, matrix_of
from gql_platform.serving.ports import ClassOutput, ValueOutput

Final: TypeAlias = Callable[[Floats], "ClassOutput | ValueOutput | None"]
"""The last step: takes rows, shape (n, m), and answers; None where the model itself must."""


def folded_forms(estimator: Any, operations: Sequence[Operation], columns: int) -> Iterator[Final]:
    """Yield functions that could be what a linear model computes, the most likely first.

    Which of them it is, if any, is for a comparison to tell.

    Args:
        estimator: A fitted estimator.
        operations: The preprocessing before it.
        columns: The number of columns of the rows.
    """
    weights, bias = getattr(estimator, "coef_", None), getattr(estimator, "intercept_", None)
    if not isinstance(weights, np.ndarray) or bias is None:
        return
    matrix, offset = matrix_of(operations, columns)
    weights = np.atleast_2d(weights).astype(np.float64)
    if weights.shape[1] != matrix.shape[1]:
        return
    folded = np.ascontiguousarray(matrix @ weights.T)
    constant = offset @ weights.T + np.asarray(bias, dtype=np.float64)
    scores = _Scores(folded, np.broadcast_to(constant, (folded.shape[1],)).copy())
    if is_classifier(estimator):
        yield from _classifiers(scores, has_probabilities=hasattr(estimator, "predict_proba"))
    elif folded.shape[1] == 1:
        yield _values(scores)
        yield _exponentials(scores)


class _Scores:
    """The scores of rows: ``rows @ weights + bias``.

    Args:
        weights: float64, shape (columns, k).
        bias: float64, shape (k,).
    """

    def __init__(self, weights: Floats, bias: Floats) -> None:
        self._weights = weights
        self._bias = bias

    @property
    def width(self) -> int:
        """The number k of scores of each row."""
        return len(self._bias)

    def __call__(self, rows: Floats) -> Floats | None:
        """Return the scores, shape (n, k); None where one is not finite.

        Then the rows hold NaN or infinities, or are too large, and models differ in what they
        make of that.
        """
        scores: Floats = rows @ self._weights
        scores += self._bias
        return scores if np.isfinite(scores).all() else None


def _classifiers(scores: _Scores, *, has_probabilities: bool) -> Iterator[Final]:
    if not has_probabilities:
        yield _labels(scores)
    elif scores.width == 1:
        yield _binary(scores)
    else:
        yield _multinomial(scores)
        yield _one_versus_rest(scores)


def _values(scores: _Scores) -> Final:
    def values(rows: Floats) -> ValueOutput | None:
        found = scores(rows)
        return None if found is None else ValueOutput(found[:, 0])

    return values


def _exponentials(scores: _Scores) -> Final:
    """The inverse of the logarithm, which generalised linear models have for a link."""

    def values(rows: Floats) -> ValueOutput | None:
        found = scores(rows)
        return None if found is None else ValueOutput(np.exp(found[:, 0]))

    return values


def _labels(scores: _Scores) -> Final:
    def labels(rows: Floats) -> ClassOutput | None:
        found = scores(rows)
        return None if found is None else ClassOutput(_chosen(found), None)

    return labels


def _chosen(scores: Floats) -> npt.NDArray[np.int64]:
    """Return the label of the highest score; of a single score, whether it is positive."""
    if scores.shape[1] == 1:
        return (scores[:, 0] > 0).astype(np.int64)
    chosen: npt.NDArray[np.int64] = scores.argmax(axis=1)
    return chosen


def _binary(scores: _Scores) -> Final:
    def binary(rows: Floats) -> ClassOutput | None:
        found = scores(rows)
        if found is None:
            return None
        probabilities = np.empty((len(found), 2))
        expit(found[:, 0], out=probabilities[:, 1])
        np.subtract(1.0, probabilities[:, 1], out=probabilities[:, 0])
        return ClassOutput(_chosen(found), probabilities)

    return binary


def _multinomial(scores: _Scores) -> Final:
    def multinomial(rows: Floats) -> ClassOutput | None:
        found = scores(rows)
        return None if found is None else ClassOutput(_chosen(found), softmax(found))

    return multinomial


def _one_versus_rest(scores: _Scores) -> Final:
    def one_versus_rest(rows: Floats) -> ClassOutput | None:
        found = scores(rows)
        if found is None:
            return None
        each = expit(found)
        return ClassOutput(_chosen(found), each / each.sum(axis=1, keepdims=True))

    return one_versus_rest
