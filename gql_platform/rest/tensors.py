"""Tensors of the Open Inference Protocol: read, turned into rows, and written.

The datatypes are those of "Open Inference Protocol, Tensor Data"; the binary form is that of
NVIDIA's "Binary Tensor Data Extension": little-endian and row-major, without strides or padding,
each element of BYTES behind its length as an unsigned number of 32 bits.
"""

import math
import reprlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gql_platform.errors import InvalidBodyError
from gql_platform.registry.records import Column, ColumnType
from gql_platform.rest.lazy_rows import LazyRows, Row

Datatype: TypeAlias = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
    "FP16", "FP32", "FP64", "BYTES",
]  # fmt: skip
"""The type of a tensor's elements."""

DTYPES: Mapping[Datatype, np.dtype[Any]] = {
    "BOOL": np.dtype("|b1"),
    "INT8": np.dtype("|i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("|u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""NumPy's type for each datatype of a fixed size: all but BYTES."""

DATATYPES: Mapping[ColumnType, Datatype] = {
    ColumnType.BOOLEAN: "BOOL",
    ColumnType.INTEGER: "INT32",
    ColumnType.LONG: "INT64",
    ColumnType.FLOAT: "FP32",
    ColumnType.DOUBLE: "FP64",
    ColumnType.STRING: "BYTES",
    ColumnType.DATETIME: "BYTES",
}
"""The datatype that holds every value of a column; points in time are text, as ISO 8601."""

_NUMERIC = frozenset((ColumnType.INTEGER, ColumnType.LONG, ColumnType.FLOAT, ColumnType.DOUBLE))
_LENGTH = struct.Struct("<I")
_ELEMENTS = "elements of its datatype, as many as its shape says"
_JSON_TYPES: Mapping[str, tuple[frozenset[type], str]] = {
    "BOOL": (frozenset((bool,)), "true or false"),
    "INT": (frozenset((int,)), "whole numbers"),
    "UINT": (frozenset((int,)), "whole numbers"),
    "FP": (frozenset((int, float)), "numbers"),
    "BYTES": (frozenset((str,)), "texts"),
}

Values: TypeAlias = "npt.NDArray[Any] | list[Any]"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor whose elements fit its datatype, and are as many as its shape says.

    Attributes:
        name: Its name.
        datatype: The type of its elements.
        shape: Its one or two sizes.
        values: Its elements in row-major order, of shape (product of the sizes,): an array of
            `DTYPES`, or a list, in which None is a missing value.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    values: Values

    def columns(self) -> list[list[object]]:
        """Return its columns as plain values; a tensor of one size has one column."""
        values: list[object] = (
            self.values.tolist() if isinstance(self.values, np.ndarray) else self.values
        )
        width = self.shape[1] if len(self.shape) == 2 else 1
        return [values[place::width] for place in range(width)]


def tensor_from_json(
    name: str, datatype: Datatype, shape: Sequence[int], data: list[Any]
) -> Tensor:
    """Read a tensor from parsed JSON.

    Args:
        name: Its name.
        datatype: Its datatype.
        shape: One or two sizes.
        data: Its elements in row-major order, flat or as a list of rows; null is a missing value.

    Raises:
        InvalidBodyError: If they are not as many as the shape says, or do not fit the datatype.
    """
    size = _size_of(name, shape)
    if data and type(data[0]) is list:
        width = shape[1] if len(shape) == 2 else 0
        if len(data) != shape[0] or any(type(row) is not list or len(row) != width for row in data):
            raise _refused(name, f"is not nested as its shape {list(shape)} says.")
        data = list(chain.from_iterable(data))
    if len(data) != size:
        raise _refused(name, f"has {len(data)} elements, and its shape {list(shape)} {size}.")
    return Tensor(name, datatype, tuple(shape), _checked(name, datatype, data))


def tensor_from_bytes(name: str, datatype: Datatype, shape: Sequence[int], raw: bytes) -> Tensor:
    """Read a tensor from its binary form.

    Args:
        name: Its name.
        datatype: Its datatype.
        shape: One or two sizes.
        raw: Its elements in row-major order.

    Raises:
        InvalidBodyError: If they are not as many as the shape says, or do not fit the datatype.
    """
    size = _size_of(name, shape)
    if datatype == "BYTES":
        return Tensor(name, datatype, tuple(shape), _texts_of(name, raw, size))
    dtype = DTYPES[datatype]
    if len(raw) != size * dtype.itemsize:
        problem = f"has {len(raw)} bytes, and its shape {list(shape)} of {datatype} "
        raise _refused(name, f"{problem}{size * dtype.itemsize}.")
    if datatype == "BOOL" and raw.translate(None, b"\x00\x01"):
        raise _refused(name, "has bytes that are neither 0 nor 1, and its datatype is BOOL.")
    return Tensor(name, datatype, tuple(shape), np.frombuffer(raw, dtype))


def texts_as_bytes(texts: Iterable[str]) -> bytes:
    """Return the binary form of texts as elements of BYTES."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return b"".join(chain.from_iterable((_LENGTH.pack(len(text)), text) for text in encoded))


def rows_of(tensors: Sequence[Tensor], columns: Sequence[Column]) -> LazyRows:
    """Return the rows that tensors hold.

    Args:
        tensors: One of shape (n,) or (n, 1) for each column, under its name, of which optional
            ones may be left out; or a single one of numbers, of shape (n, columns).
        columns: The columns of the model's signature, in its order.

    Returns:
        n rows, as objects by column name.

    Raises:
        InvalidBodyError: If a tensor is unknown, given twice, missing, or of another shape.
    """
    names = [column.name for column in columns]
    if _is_matrix(tensors, names):
        (matrix,) = tensors
        _check_numeric(matrix, columns)
        return LazyRows(matrix.shape[0], lambda: _objects(names, matrix.columns()))
    given = _by_name(tensors, names)
    missing = [column.name for column in columns if column.required and column.name not in given]
    if missing:
        raise InvalidBodyError(
            problem=f"There is no input {missing[0]!r}.", expected=_all_of(names)
        )
    first = tensors[0]
    for tensor in tensors:
        if tensor.shape[1:] not in ((), (1,)):
            raise _refused(
                tensor.name, f"has the shape {list(tensor.shape)}.", "[n] or [n, 1] for a column"
            )
        if tensor.shape[0] != first.shape[0]:
            problem = f"has {tensor.shape[0]} rows, and {first.name!r} {first.shape[0]}."
            raise _refused(tensor.name, problem, "tensors of equal length")
    return LazyRows(
        first.shape[0],
        lambda: _objects(list(given), [tensor.columns()[0] for tensor in given.values()]),
    )


def _objects(names: Sequence[str], columns: Sequence[Sequence[object]]) -> Iterable[Row]:
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_matrix(tensors: Sequence[Tensor], names: Sequence[str]) -> bool:
    """Return whether there is one tensor with all columns, which may have any name."""
    if len(tensors) != 1 or tensors[0].shape[1:] != (len(names),):
        return False
    return len(names) > 1 or tensors[0].name not in names


def _check_numeric(matrix: Tensor, columns: Sequence[Column]) -> None:
    other = next((column for column in columns if column.type not in _NUMERIC), None)
    if other is not None:
        problem = f"holds all columns at once, and column {other.name!r} is {other.type.value}."
        raise _refused(matrix.name, problem, "one tensor for each column, under its name")
    if matrix.datatype in ("BOOL", "BYTES"):
        problem = f"is of {matrix.datatype}, and all columns are numbers."
        raise _refused(matrix.name, problem, "a tensor of numbers")


def _by_name(tensors: Sequence[Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    given: dict[str, Tensor] = {}
    for tensor in tensors:
        if tensor.name not in names:
            raise _refused(tensor.name, "is no column of the model.", _all_of(names))
        if tensor.name in given:
            raise _refused(tensor.name, "is there twice.", _all_of(names))
        given[tensor.name] = tensor
    return given


def _all_of(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names)
    return f"one input for each of {listed}, or one of the shape [n, {len(names)}]"


def _size_of(name: str, shape: Sequence[int]) -> int:
    if len(shape) not in (1, 2):
        raise _refused(name, f"has {len(shape)} sizes.", "the shape [n] or [n, k]")
    return math.prod(shape)


def _checked(name: str, datatype: Datatype, data: list[Any]) -> Values:
    """Return elements as the datatype holds them: rounded to it, but for missing ones."""
    types, expected = _JSON_TYPES[datatype.rstrip("0123456789")]
    if not (types | {type(None)}).issuperset(map(type, data)):
        place, wrong = next(
            each for each in enumerate(data) if each[1] is not None and type(each[1]) not in types
        )
        problem = f"has {reprlib.repr(wrong)} at place {place}, and its datatype is {datatype}."
        raise _refused(name, problem, expected)
    if datatype.startswith("FP"):
        return _rounded(name, datatype, data)
    if datatype in DTYPES and datatype != "BOOL":
        bounds = np.iinfo(DTYPES[datatype])
        present = [value for value in data if value is not None]
        for extreme in (min(present, default=0), max(present, default=0)):
            if not bounds.min <= extreme <= bounds.max:
                raise _refused(name, f"has {reprlib.repr(extreme)}, too large for {datatype}.")
    return data


def _rounded(name: str, datatype: Datatype, data: list[Any]) -> npt.NDArray[Any]:
    try:
        wide = np.array(data, dtype=np.float64)
        with np.errstate(over="ignore"):
            narrow: npt.NDArray[Any] = wide.astype(DTYPES[datatype])
    except OverflowError:
        raise _refused(name, f"has a number too large for {datatype}.") from None
    if (np.isinf(narrow) & np.isfinite(wide)).any():
        raise _refused(name, f"has a number too large for {datatype}.")
    return narrow


def _texts_of(name: str, raw: bytes, size: int) -> list[str]:
    """Return the texts in the binary form of BYTES."""
    if len(raw) < size * _LENGTH.size:
        raise _refused(name, f"has {len(raw)} bytes, too few for {size} elements of BYTES.")
    texts: list[str] = []
    offset = 0
    for place in range(size):
        start = offset + _LENGTH.size
        if start > len(raw) or start + (length := _LENGTH.unpack_from(raw, offset)[0]) > len(raw):
            raise _refused(name, f"ends within its element {place}.")
        offset = start + length
        try:
            texts.append(raw[start:offset].decode())
        except UnicodeDecodeError:
            raise _refused(name, f"has an element {place} that is not UTF-8.") from None
    if offset != len(raw):
        raise _refused(name, f"has {len(raw) - offset} bytes after its last element.")
    return texts


def _refused(name: str, problem: str, expected: str = _ELEMENTS) -> InvalidBodyError:
    return InvalidBodyError(problem=f"Input {name!r} {problem}", expected=expected)
