"""How the values of leaf types are checked and converted in code.

Only what is usual is told here: values of exactly one class, which graphql-core would answer as
they are, members of an enum, and what a scalar of ours converts into plain JSON or an array.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLNamedOutputType,
    GraphQLScalarType,
    GraphQLString,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from gql_platform.graphql.execution.plans.slots import Leaf

Bind = Callable[[str, Any], str]
"""Gives a value a name in compiled code: takes a hint and the value, returns the name."""

_AS_IT_IS: dict[GraphQLScalarType, str] = {
    GraphQLString: "type({v}) is str",
    GraphQLID: "type({v}) is str",
    GraphQLBoolean: "type({v}) is bool",
    # Numbers of up to 30 bits are compared much faster than those of up to 32.
    GraphQLInt: (
        "type({v}) is int and (-1073741824 < {v} < 1073741824 or -2147483648 <= {v} <= 2147483647)"
    ),
    # The difference is NaN for NaN and the infinities.
    GraphQLFloat: "type({v}) is float and {v} - {v} == 0.0",
}

SERIALIZED = frozenset({str, int, float, bool, list, dict, tuple, np.ndarray})
"""What a scalar's serialize function may return; anything else could be null or awaitable."""


def leaf_of(
    leaf_type: GraphQLNamedOutputType, *, nullable: bool, plain: set[type], bind: Bind
) -> Leaf | None:
    """Return how values of a leaf type are checked.

    Args:
        leaf_type: The type.
        nullable: Whether null is a value, too.
        plain: The classes that were met and found to be plain; others are added later.
        bind: Names the constants of the code.

    Returns:
        None for a type that only graphql-core can complete.
    """
    if isinstance(leaf_type, GraphQLEnumType):
        return _enum(leaf_type, nullable=nullable, bind=bind)
    if not isinstance(leaf_type, GraphQLScalarType):
        return None
    as_it_is = _AS_IT_IS.get(leaf_type)
    if as_it_is is not None:
        return Leaf(as_it_is, converts=False, nullable=nullable)
    serialize = bind("serialize", leaf_type.coerce_output_value)
    serialized, known = bind("serialized", SERIALIZED), bind("plain", plain)
    condition = f"type({{v}}) in {known} and type({{x}} := {serialize}({{v}})) in {serialized}"
    return Leaf(condition, converts=True, nullable=nullable)


def _enum(enum_type: GraphQLEnumType, *, nullable: bool, bind: Bind) -> Leaf | None:
    if type(enum_type) is not CustomGraphQLEnumType:
        return None
    cls: Any = enum_type.wrapped_cls
    names: dict[str, str] = {}
    for member in cls:
        # A member that the schema does not show is an error, which graphql-core tells.
        with suppress(ValueError, GraphQLError):
            names[member.name] = enum_type.coerce_output_value(member)
    enum, table = bind("enum", cls), bind("names", names)
    condition = f"type({{v}}) is {enum} and ({{x}} := {table}.get({{v}}._name_)) is not None"
    return Leaf(condition, converts=True, nullable=nullable)
