"""Preprocessing that is affine, as the very operations that scikit-learn does."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from gql_platform.adapters.estimators.imputers import only_imputes

Floats: TypeAlias = npt.NDArray[np.float64]
Operation: TypeAlias = tuple[Callable[[Floats, Floats], Floats], Floats]
"""What is done to all rows, and with what: ``matmul``, or an operation for each column."""


class NotAffineError(Exception):
    """A step that is not affine."""


def operations_of(steps: Sequence[Any]) -> list[Operation]:
    """Return what some fitted transformers do to finite doubles, one after the other.

    Each operation is the one that scikit-learn does itself, so that the results are the same bit
    by bit, but for those of projections.

    Args:
        steps: Fitted transformers of dense rows.

    Raises:
        NotAffineError: If one of them does anything else.
    """
    return [operation for step in steps for operation in _of_step(step)]


def applied(operations: Sequence[Operation], rows: Floats) -> Floats:
    """Do some operations to rows, shape (n, columns)."""
    for function, operand in operations:
        rows = function(rows, operand)
    return rows


def matrix_of(operations: Sequence[Operation], columns: int) -> tuple[Floats, Floats]:
    """Return operations as one product and one sum: ``rows @ M + o``.

    Args:
        operations: What is done.
        columns: The number of columns of the rows.

    Returns:
        M, shape (columns, m), and o, shape (m,).
    """
    offset = applied(operations, np.zeros((1, columns)))
    matrix = applied(operations, np.eye(columns)) - offset
    return _exact_diagonal(operations, columns, matrix), offset[0]


def _exact_diagonal(operations: Sequence[Operation], columns: int, matrix: Floats) -> Floats:
    """Return the matrix, without the rounding of differences where it is diagonal."""
    if any(function is np.matmul for function, _ in operations):
        return matrix
    scale = np.ones(columns)
    for function, operand in operations:
        if function in (np.multiply, np.divide):
            scale = function(scale, operand)
    return np.diag(scale)


def _of_step(step: Any) -> list[Operation]:
    kind = type(step)
    is_nothing = isinstance(step, str) or (kind is FunctionTransformer and step.func is None)
    if is_nothing or only_imputes(step):
        return []
    reader = _READERS.get(kind)
    if reader is None:
        raise NotAffineError(f"{kind.__name__} is not affine")
    return reader(step)


def _standard(step: Any) -> list[Operation]:
    return [
        *([(np.subtract, step.mean_)] if step.with_mean else []),
        *([(np.divide, step.scale_)] if step.with_std else []),
    ]


def _min_max(step: Any) -> list[Operation]:
    if step.clip:
        raise NotAffineError("MinMaxScaler clips")
    return [(np.multiply, step.scale_), (np.add, step.min_)]


def _robust(step: Any) -> list[Operation]:
    return [
        *([(np.subtract, step.center_)] if step.with_centering else []),
        *([(np.divide, step.scale_)] if step.with_scaling else []),
    ]


def _pca(step: Any) -> list[Operation]:
    if step.whiten:
        raise NotAffineError("PCA whitens")
    return [(np.subtract, step.mean_), (np.matmul, step.components_.T)]


_READERS: dict[type, Callable[[Any], list[Operation]]] = {
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    MaxAbsScaler: lambda step: [(np.divide, step.scale_)],
    RobustScaler: _robust,
    PCA: _pca,
    TruncatedSVD: lambda step: [(np.matmul, step.components_.T)],
}
