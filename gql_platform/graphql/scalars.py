"""Scalars with a meaning."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NewType

import numpy as np
import numpy.typing as npt
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from gql_platform.graphql.vectors import FLOAT_MATRIX, FLOAT_VECTOR, INT64_VECTOR, Bulk
from gql_platform.serving.records import Rows

Int64 = NewType("Int64", int)
"""A whole number of 64 bits, for counts and sizes."""

JSON = NewType("JSON", object)
"""Any value of JSON, where its shape depends on something else."""

RowsInput = NewType("RowsInput", list)  # type: ignore[type-arg]
"""Rows as they arrive: a list of objects, or of arrays."""

FloatVector = NewType("FloatVector", npt.NDArray[np.float64])
"""Numbers as one array of shape (n,); resolvers may also return an `array`, a list or a tuple."""

FloatMatrix = NewType("FloatMatrix", npt.NDArray[np.float64])
"""Rows of numbers as one array of shape (n, k)."""

Int64Vector = NewType("Int64Vector", npt.NDArray[np.int64])
"""Whole numbers as one array of shape (n,)."""

ExactNumber = NewType("ExactNumber", object)
"""A float that may be NaN or infinite, for which JSON has no numbers."""

_LIMIT = 2**63
_NO_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _int64(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphQLError(f"Int64 cannot represent {value!r}; it is no whole number.")
    if not -_LIMIT <= value < _LIMIT:
        raise GraphQLError(f"Int64 cannot represent {value}; it has more than 64 bits.")
    return value


def _exact_number(value: object) -> float | str:
    # A text that is none of the three is refused where it is used, item by item.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise GraphQLError(f"ExactNumber cannot represent {value!r}; it is no number and no text.")
    return value


def _exact_number_text(value: float) -> float | str:
    return float(value) if math.isfinite(value) else _NO_NUMBERS[str(float(value))]


def _exact_number_literal(
    node: ValueNode, variables: dict[str, object] | None = None
) -> float | str:
    return _exact_number(value_from_ast_untyped(node, variables))


def _datetime(value: object) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None:
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise GraphQLError(
        f"DateTime cannot represent {value!r}; write it as ISO 8601, such as "
        '"2026-01-31T12:00:00Z".'
    )


def _datetime_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rows(value: object) -> Rows:
    if not isinstance(value, list):
        raise GraphQLError("Rows must be a list of objects, or of arrays in signature order.")
    for index, row in enumerate(value):
        if not isinstance(row, Mapping | list):
            raise GraphQLError(f"Row {index} must be an object or an array.")
    return value


def _rows_literal(node: ValueNode, variables: dict[str, object] | None = None) -> Rows:
    return _rows(value_from_ast_untyped(node, variables))


def scalar(
    name: str,
    description: str,
    specified_by: str | None,
    origin: type,
    **functions: object,
) -> ScalarDefinition:
    """Define a scalar; ``functions`` are its serialize, parse_value and parse_literal."""
    return ScalarDefinition(
        name=name,
        description=description,
        specified_by_url=specified_by,
        serialize=functions.get("serialize"),  # type: ignore[arg-type]
        parse_value=functions.get("parse_value"),  # type: ignore[arg-type]
        parse_literal=functions.get("parse_literal"),  # type: ignore[arg-type]
        origin=origin,
    )


def _bulk(bulk: Bulk, description: str) -> ScalarDefinition:
    return scalar(
        bulk.name,
        description,
        None,
        np.ndarray,
        serialize=bulk.serialize,
        parse_value=bulk.parse,
        parse_literal=bulk.parse_literal,
    )


SCALARS: dict[object, ScalarDefinition] = {
    Int64: scalar(
        "Int64",
        "A whole number of 64 bits, from -2^63 to 2^63 - 1, written as a JSON number.",
        "https://scalars.graphql.org/jakobmerrild/long.html",
        int,
        serialize=_int64,
        parse_value=_int64,
    ),
    ExactNumber: scalar(
        "ExactNumber",
        "A number of 64 bits, written as a JSON number. NaN and the infinities, which JSON does "
        'not know, are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`, as in protobuf\'s JSON.',
        "https://protobuf.dev/programming-guides/json/",
        object,
        serialize=_exact_number_text,
        parse_value=_exact_number,
        parse_literal=_exact_number_literal,
    ),
    datetime: scalar(
        "DateTime",
        "A point in time as ISO 8601 in UTC, such as `2026-01-31T12:00:00Z`.",
        "https://scalars.graphql.org/andimarek/date-time.html",
        datetime,
        serialize=_datetime_text,
        parse_value=_datetime,
    ),
    JSON: scalar(
        "JSON",
        "Any value of JSON, where its shape depends on something else, such as an event's type.",
        "https://ecma-international.org/publications-and-standards/standards/ecma-404/",
        object,
        serialize=lambda value: value,
    ),
    RowsInput: scalar(
        "Rows",
        'Input rows: a list of objects by column name, `[{"mean radius": 14.1, ...}]`, or of '
        "arrays in the order of the model's signature, `[[14.1, ...]]`.",
        None,
        list,
        serialize=_rows,
        parse_value=_rows,
        parse_literal=_rows_literal,
    ),
    FloatVector: _bulk(
        FLOAT_VECTOR,
        "Numbers of 64 bits as one list, `[0.5, 2, null]`. JSON knows neither NaN nor infinity: in "
        "an answer, null stands in their place. An input holds finite numbers only.",
    ),
    FloatMatrix: _bulk(
        FLOAT_MATRIX,
        "Rows of numbers of 64 bits, all of the same length, `[[0.5, 2], [1, null]]`. In an "
        "answer, null stands for NaN and infinity. An input holds finite numbers only.",
    ),
    Int64Vector: _bulk(
        INT64_VECTOR,
        "Whole numbers from -2^63 to 2^63 - 1 as one list, `[0, 1, 2]`.",
    ),
}
