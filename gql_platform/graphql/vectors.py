"""Bulk numbers: arrays that go into an answer whole, and come out of a request checked.

A list of twenty thousand `Float!` is completed number by number; an array is looked at once, and
orjson writes its memory as JSON.
"""

import math
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from graphql.pyutils import inspect

Numbers: TypeAlias = "npt.NDArray[Any] | array[Any] | list[Any] | tuple[Any, ...]"
"""What resolvers return for bulk numbers."""

_INT64_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Bulk:
    """How a scalar of bulk numbers is written and read.

    Attributes:
        name: The scalar's name.
        dimensions: 1 for a list of numbers, shape (n,); 2 for a list of rows, shape (n, k).
        dtype: ``float64`` or ``int64``.
        number: Returns one number as Python has it, or raises ValueError.
        plain: The classes of numbers that need no look one by one.
        noun: What one number is, for errors.
    """

    name: str
    dimensions: int
    dtype: type[np.float64 | np.int64]
    number: Callable[[object], float]
    plain: frozenset[type]
    noun: str

    def serialize(self, value: object) -> npt.NDArray[Any]:
        """Return numbers as an answer holds them.

        Args:
            value: `Numbers` of any type that the dtype holds without loss.

        Returns:
            An array of the scalar's dimensions and dtype, in C order and the machine's bytes, which
            is what orjson writes; without a copy if it is one already. Floats that are not finite
            stay in it, and orjson writes them as null.

        Raises:
            GraphQLError: If the value is of another shape, or is not made of numbers.
        """
        try:
            found = np.asarray(value)
        except ValueError as error:
            raise self._refusal(value, "its rows are not of equal length") from error
        if found.size == 0 and found.ndim < self.dimensions:
            found = np.empty((0,) * self.dimensions, self.dtype)
        if found.ndim != self.dimensions:
            raise self._refusal(value, f"it has not {self.dimensions} dimensions")
        is_lossless = found.dtype.kind != "b" and np.can_cast(found.dtype, self.dtype)
        if found.size and not is_lossless:
            raise self._refusal(
                value, f"it is not made of numbers that {self.dtype.__name__} holds"
            )
        return np.ascontiguousarray(found, dtype=self.dtype)

    def parse(self, value: object) -> npt.NDArray[Any]:
        """Return numbers that came in as JSON.

        Args:
            value: A list of numbers; for two dimensions, a list of such lists of equal length.

        Returns:
            An array of the scalar's dimensions and dtype; every number in it is finite.

        Raises:
            GraphQLError: If it is anything else; it names the first position that is wrong.
        """
        if self.dimensions == 1:
            return self._row(value, "")
        if not isinstance(value, list):
            raise self._refusal(value, "it is no list of rows")
        rows = [self._row(row, f" of row {index}") for index, row in enumerate(value)]
        for index, row in enumerate(rows):
            if row.size != rows[0].size:
                raise GraphQLError(
                    f"{self.name} has rows of equal length; row {index} has {row.size} numbers, "
                    f"and row 0 has {rows[0].size}."
                )
        return np.array(rows, self.dtype) if rows else np.empty((0, 0), self.dtype)

    def parse_literal(
        self, node: ValueNode, variables: Mapping[str, Any] | None = None
    ) -> npt.NDArray[Any]:
        """Return numbers that stand in the document, as `parse` does."""
        return self.parse(value_from_ast_untyped(node, dict(variables or {})))

    def _row(self, value: object, where: str) -> npt.NDArray[Any]:
        if not isinstance(value, list):
            raise self._refusal(value, f"it is no list of numbers{where}")
        if self.plain.issuperset(map(type, value)):
            with suppress(OverflowError):
                found = np.array(value, self.dtype)
                if np.isfinite(found).all():
                    return found
        return np.array([self._number(*each, where) for each in enumerate(value)], self.dtype)

    def _number(self, index: int, value: object, where: str) -> float:
        try:
            return self.number(value)
        except ValueError as error:
            raise GraphQLError(
                f"{self.name} cannot represent {inspect(value)} at position {index}{where}; "
                f"it is no {self.noun}."
            ) from error

    def _refusal(self, value: object, reason: str) -> GraphQLError:
        return GraphQLError(f"{self.name} cannot represent {inspect(value)}; {reason}.")


def _finite(value: object) -> float:
    """Return a finite number of JSON."""
    if type(value) in (int, float):
        with suppress(OverflowError):
            number = float(value)  # type: ignore[arg-type]
            if math.isfinite(number):
                return number
    raise ValueError


def _whole(value: object) -> int:
    """Return a whole number of 64 bits, which JSON may also write as 3.0."""
    if type(value) is int or (type(value) is float and value.is_integer()):
        number = int(value)
        if -_INT64_LIMIT <= number < _INT64_LIMIT:
            return number
    raise ValueError


_FLOATS = frozenset({int, float})

FLOAT_VECTOR = Bulk("FloatVector", 1, np.float64, _finite, _FLOATS, "finite number")
FLOAT_MATRIX = Bulk("FloatMatrix", 2, np.float64, _finite, _FLOATS, "finite number")
INT64_VECTOR = Bulk("Int64Vector", 1, np.int64, _whole, frozenset({int}), "whole number of 64 bits")
