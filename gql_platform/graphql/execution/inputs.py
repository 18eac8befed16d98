"""Input objects that resolvers take as plain dictionaries."""

from collections.abc import Mapping
from typing import Any, cast

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.types.base import get_object_definition


def take_as_dictionaries(
    schema: strawberry.Schema, input_type: type, keys: Mapping[str, str]
) -> None:
    """Let resolvers take the values of an input type as graphql-core coerced them.

    Strawberry would make an object of each, which takes as long as all else that is done for it.

    Args:
        schema: The schema that has the type.
        input_type: A Strawberry input type; its objects are never made then.
        keys: The key of each of its fields in the dictionaries, by the field's name in the schema.
    """
    definition = get_object_definition(input_type, strict=True)
    core = cast(GraphQLInputObjectType, schema._schema.type_map[definition.name])  # noqa: SLF001
    for name, field in core.fields.items():
        field.out_name = keys[name]
    # Strawberry hands on the values of scalars as they are, and asks this registry for them.
    registry = cast(dict[object, Any], schema.schema_converter.scalar_registry)
    registry[input_type] = definition
