"""Estimators as ONNX graphs. Its import takes a tenth of a second, and 50 MB of memory."""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.base import is_classifier

from gql_platform.adapters.estimators.affine import Floats
from gql_platform.adapters.estimators.categories import by_place
from gql_platform.adapters.estimators.folding import Final
from gql_platform.adapters.estimators.sessions import session_of
from gql_platform.adapters.estimators.trees import float32_of
from gql_platform.registry.records import Column, ColumnType
from gql_platform.serving.ports import ClassOutput, ValueOutput

# It warns of every operator that it looks for and does not find, and goes on.
logging.getLogger("skl2onnx").setLevel(logging.ERROR)

_NUMERIC = {
    ColumnType.DOUBLE: (DoubleTensorType, np.float64),
    ColumnType.FLOAT: (DoubleTensorType, np.float64),
    ColumnType.LONG: (Int64TensorType, np.int64),
    ColumnType.INTEGER: (Int64TensorType, np.int64),
}

_TIE = 1e-6
"""Probabilities that are this near may be equal but for the rounding of float32; of equal ones, the
estimators choose the first."""


def final_graph(estimator: Any, columns: int, *, is_single: bool) -> Final:
    """Return what an estimator computes, as a graph over one matrix.

    Args:
        estimator: A fitted classifier or regressor.
        columns: The number of columns that it reads.
        is_single: Whether the graph reads float32, else float64.

    Raises:
        Exception: Whatever the converter raises on what it does not convert.
    """
    kind = FloatTensorType if is_single else DoubleTensorType
    session = session_of(_converted(estimator, [("x", kind([None, columns]))]))

    def prepared(rows: Floats) -> npt.NDArray[Any] | None:
        if is_single:
            return float32_of(rows)
        return np.ascontiguousarray(rows) if np.isfinite(rows).all() else None

    if is_classifier(estimator):
        return _classes(session, prepared)
    return _values(session, prepared)


def _classes(
    session: onnxruntime.InferenceSession,
    prepared: Callable[[Floats], npt.NDArray[Any] | None],
) -> Final:
    names = [output.name for output in session.get_outputs()][-1:]

    def classes(rows: Floats) -> ClassOutput | None:
        given = prepared(rows)
        if given is None:
            return None
        probabilities = session.run(names, {"x": given})[0].astype(np.float64)
        highest = probabilities.max(axis=1, keepdims=True)
        return ClassOutput((probabilities >= highest - _TIE).argmax(axis=1), probabilities)

    return classes


def _values(
    session: onnxruntime.InferenceSession,
    prepared: Callable[[Floats], npt.NDArray[Any] | None],
) -> Final:
    def values(rows: Floats) -> ValueOutput | None:
        given = prepared(rows)
        if given is None:
            return None
        found = session.run(None, {"x": given})[0]
        return ValueOutput(found.reshape(len(rows)).astype(np.float64))

    return values


class MatrixGraph:
    """Preprocessing of a matrix of doubles, as a graph in float64.

    Args:
        transformer: A fitted transformer, or a pipeline of some.
        columns: The number of columns that it reads.

    Raises:
        Exception: Whatever the converter raises on what it does not convert.
    """

    def __init__(self, transformer: Any, columns: int) -> None:
        inputs = [("x", DoubleTensorType([None, columns]))]
        self._session = session_of(_converted(transformer, inputs))

    def __call__(self, rows: Floats) -> Floats | None:
        """Return the rows as the last step reads them; None where a value is not finite."""
        if not np.isfinite(rows).all():
            return None
        made: Floats = self._session.run(None, {"x": np.ascontiguousarray(rows)})[0]
        return made.astype(np.float64, copy=False)


class TableGraph:
    """Preprocessing of a table, column by column, as a graph in float64.

    Args:
        transformer: A fitted transformer of tables, or a pipeline of some; it belongs to the graph.
        columns: The columns of the table, in their order.
        known: For each encoded column, the values that are known, where others are an error.
        are_doubles: Whether whole numbers are read as doubles: a graph cannot put columns of
            several types beside each other.

    Raises:
        Exception: Whatever the converter raises on what it does not convert.
    """

    def __init__(
        self,
        transformer: Any,
        columns: Sequence[Column],
        known: Mapping[str, frozenset[Any]],
        *,
        are_doubles: bool,
    ) -> None:
        numeric = dict.fromkeys(_NUMERIC, _NUMERIC[ColumnType.DOUBLE]) if are_doubles else _NUMERIC
        self._columns = [
            (column.name, *numeric.get(column.type, (StringTensorType, object)))
            for column in columns
        ]
        self._known = known
        inputs = [
            (f"c{place}", kind([None, 1])) for place, (_, kind, _) in enumerate(self._columns)
        ]
        placed = by_place(transformer, [name for name, _, _ in self._columns])
        self._session = session_of(_converted(placed, inputs))
        self._inputs = {each.name for each in self._session.get_inputs()}

    def __call__(self, frame: pd.DataFrame) -> Floats | None:
        """Return the rows as the last step reads them; None where a value is missing or unknown.

        What becomes of such a value, only the model itself knows.
        """
        given = {}
        for place, (name, _, dtype) in enumerate(self._columns):
            values = frame.iloc[:, place].to_numpy()
            if not self._takes(name, values, is_text=dtype is object):
                return None
            if f"c{place}" in self._inputs:
                given[f"c{place}"] = values.astype(dtype, copy=False).reshape(-1, 1)
        made: Floats = self._session.run(None, given)[0]
        return made.astype(np.float64, copy=False)

    def _takes(self, name: str, values: npt.NDArray[Any], *, is_text: bool) -> bool:
        known = self._known.get(name)
        if is_text:
            is_usual = all(type(value) is str for value in values)
        else:
            is_usual = values.dtype.kind in "iufb" and bool(np.isfinite(values).all())
        return is_usual and (known is None or known.issuperset(values.tolist()))


def _converted(estimator: Any, inputs: Sequence[tuple[str, Any]]) -> bytes:
    options = {"zipmap": False} if is_classifier(estimator) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph: bytes = to_onnx(
            estimator,
            initial_types=list(inputs),
            options={id(estimator): options} if options else None,
        ).SerializeToString()
    return graph
