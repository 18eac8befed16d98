"""Resolvers that take arguments as graphql-core coerced them, past Strawberry's conversion."""

from collections.abc import Mapping
from typing import Any, cast

import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter
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


def resolve_directly(schema: strawberry.Schema, type_name: str, field_name: str) -> None:
    """Call the resolver of a field with graphql-core's own arguments and info.

    Strawberry's way around a resolver takes some 20 µs. Without it, the resolver sees no
    `strawberry.Info` but graphql-core's, which has the same ``context``; arguments are not
    converted, and must have the same names in the schema and in Python.

    Args:
        schema: The schema that has the field.
        type_name: The object type of the field.
        field_name: Its name in the schema.

    Raises:
        TypeError: If the field has no resolver that takes ``info``, or extensions of its own.
    """
    core = cast(GraphQLObjectType, schema._schema.type_map[type_name])  # noqa: SLF001
    definition = core.fields[field_name]
    field: Any = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    resolver = field.base_resolver
    if resolver is None or resolver.info_parameter is None or field.extensions:
        raise TypeError(f"{type_name}.{field_name} cannot be resolved directly")
    call = resolver.wrapped_func

    def resolve(_: object, info: Any, **arguments: Any) -> Any:
        return call(info=info, **arguments)

    definition.resolve = resolve
