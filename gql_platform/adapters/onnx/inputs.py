"""Rows as the inputs of an ONNX graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.registry.records import Column, ColumnType
from gql_platform.serving.ports import Table

DTYPES: Mapping[str, type[Any]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
"""The types of inputs that are fed."""

_NUMERIC = frozenset(
    {
        ColumnType.BOOLEAN,
        ColumnType.INTEGER,
        ColumnType.LONG,
        ColumnType.FLOAT,
        ColumnType.DOUBLE,
    }
)

Feeds: TypeAlias = "dict[str, npt.NDArray[Any]]"
"""Arrays by the names of inputs."""


@dataclass(frozen=True, slots=True)
class GraphInput:
    """An input of a graph.

    Attributes:
        name: Its name.
        kind: Its type as onnxruntime writes it, such as ``tensor(float)``.
        shape: Its sizes; a name or None where the graph leaves one open.
    """

    name: str
    kind: str
    shape: tuple[int | str | None, ...]

    @property
    def dtype(self) -> type[Any]:
        """The type of its elements."""
        return DTYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Feeder:
    """How rows become the inputs of a graph.

    Attributes:
        feed: Returns the inputs for n rows, or raises ValueError for values that they do not hold.
        is_matrix: Whether all columns go into one input.
        is_single: Whether the graph takes one row at a time.
    """

    feed: Callable[[Table], Feeds]
    is_matrix: bool
    is_single: bool


def feeder_of(inputs: Sequence[GraphInput], columns: Sequence[Column]) -> Feeder:
    """Return how rows of a signature become the inputs of a graph.

    That is one input for each column, under its name, of shape (n,) or (n, 1); or a single one of
    shape (n, columns) for all of them.

    Args:
        inputs: The inputs of the graph.
        columns: The columns of the signature.

    Raises:
        ValueError: If the graph takes anything else; the message is a clause that says what.
    """
    for each in inputs:
        if each.kind not in DTYPES:
            known = ", ".join(DTYPES)
            raise ValueError(f"its input {each.name!r} is {each.kind}, and only {known} are fed.")
    is_single = _is_single(inputs)
    names = [column.name for column in columns]
    if len(inputs) == 1 and inputs[0].name not in names and len(inputs[0].shape) == 2:
        return Feeder(_matrix_feed(inputs[0], columns), is_matrix=True, is_single=is_single)
    if len(inputs) == len(columns) == 1:
        _check_column(inputs[0], columns[0])
        return Feeder(_column_feed({names[0]: inputs[0]}), is_matrix=False, is_single=is_single)
    by_name = {each.name: each for each in inputs}
    lacking = [name for name in names if name not in by_name]
    further = [name for name in by_name if name not in names]
    if lacking or further:
        raise ValueError(
            f"its graph has no inputs for the columns {lacking} of its signature, and inputs "
            f"{further} that are no columns; there must be one input for each column, under its "
            f"name, or a single one of shape (n, {len(columns)})."
        )
    for column in columns:
        _check_column(by_name[column.name], column)
    feed = _column_feed({name: by_name[name] for name in names})
    return Feeder(feed, is_matrix=False, is_single=is_single)


def _is_single(inputs: Sequence[GraphInput]) -> bool:
    """Return whether a graph takes one row at a time."""
    counts = {each.shape[0] for each in inputs if each.shape and isinstance(each.shape[0], int)}
    fixed = next((count for count in counts if count != 1), None)
    if fixed is not None:
        raise ValueError(f"its graph takes exactly {fixed} rows at once; leave that size open.")
    return bool(counts)


def _matrix_feed(given: GraphInput, columns: Sequence[Column]) -> Callable[[Table], Feeds]:
    width = given.shape[1]
    if isinstance(width, int) and width != len(columns):
        raise ValueError(
            f"its input {given.name!r} takes {width} columns, and its signature has {len(columns)}."
        )
    for column in columns:
        _check_type(given, column)

    def feed(rows: Table) -> Feeds:
        if isinstance(rows, np.ndarray):
            return {given.name: cast_values(rows, given.dtype)}
        cast = [cast_values(rows.iloc[:, place].to_numpy(), given.dtype) for place in _places(rows)]
        return {given.name: np.stack(cast, axis=1)}

    return feed


def _column_feed(by_column: Mapping[str, GraphInput]) -> Callable[[Table], Feeds]:
    taken = list(by_column.values())

    def feed(rows: Table) -> Feeds:
        if isinstance(rows, np.ndarray):
            values = list(rows.T)
        else:
            values = [rows.iloc[:, place].to_numpy() for place in _places(rows)]
        return {
            each.name: cast_values(column, each.dtype).reshape((-1,) + (1,) * (len(each.shape) - 1))
            for each, column in zip(taken, values, strict=True)
        }

    return feed


def _places(rows: pd.DataFrame) -> range:
    return range(rows.shape[1])


def _check_column(given: GraphInput, column: Column) -> None:
    # A size that is left open may well be 1.
    width = given.shape[1] if len(given.shape) == 2 else 1
    if len(given.shape) not in (1, 2) or (isinstance(width, int) and width != 1):
        raise ValueError(
            f"its input {given.name!r} has the shape {list(given.shape)}, and a column takes "
            "(n,) or (n, 1)."
        )
    _check_type(given, column)


def _check_type(given: GraphInput, column: Column) -> None:
    fits = column.type in _NUMERIC
    if given.kind == "tensor(string)":
        fits = column.type is ColumnType.STRING
    if not fits:
        raise ValueError(
            f"its input {given.name!r} is {given.kind}, and the column {column.name!r} of its "
            f"signature is {column.type.value}."
        )


def cast_values(values: npt.NDArray[Any], dtype: type[Any]) -> npt.NDArray[Any]:
    """Return values as an input holds them.

    Args:
        values: Of any shape.
        dtype: The type of the input.

    Raises:
        ValueError: If it does not hold one of them: a number that is too large, one with a
            fraction where it holds whole ones, or a missing one but for floats.
    """
    if dtype is np.object_:
        if not all(isinstance(value, str) for value in values.flat):
            raise ValueError("a text is missing")
        return values
    if values.dtype.kind == "O" and any(value is None for value in values.flat):
        raise ValueError("a value is missing")
    with np.errstate(over="ignore", invalid="ignore"):
        cast = np.ascontiguousarray(values, dtype=dtype)
        if np.issubdtype(dtype, np.floating):
            is_held = not (np.isinf(cast) & np.isfinite(values.astype(np.float64))).any()
        else:
            is_held = bool((cast == values).all())
    if not is_held:
        raise ValueError(f"a value does not fit into {np.dtype(dtype).name}")
    return cast
