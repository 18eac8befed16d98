"""Which fields can be read in code, without graphql-core's way of resolving them."""

import keyword
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from gql_platform.graphql.execution.plans.slots import Reader

_BASIC = "GraphQLCoreConverter.from_resolver.<locals>._get_basic_result"
_RESOLVED = "GraphQLCoreConverter.from_resolver.<locals>._resolver"


def reader_of(
    schema: GraphQLSchema, definition: GraphQLField, nodes: list[FieldNode]
) -> Reader | None:
    """Return how a field is read.

    Args:
        schema: The schema.
        definition: The field in it.
        nodes: Where the document selects it.

    Returns:
        None where graphql-core must resolve it: it takes arguments, it is async, its resolver
        wants to know of the request, or an extension stands in between.
    """
    field: Any = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if (
        definition.args
        or not isinstance(field, StrawberryField)
        or type(field).get_result is not StrawberryField.get_result
        or field.extensions
        or any(node.arguments for node in nodes)
    ):
        return None
    made_by = getattr(definition.resolve, "__qualname__", "")
    if made_by == _BASIC and field.default_resolver is getattr:
        return Reader(field.python_name) if _is_name(field.python_name) else None
    if made_by == _RESOLVED and not field.is_async and field.base_resolver is not None:
        return _resolver_reader(schema, field.base_resolver)
    return None


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _resolver_reader(schema: GraphQLSchema, resolver: StrawberryResolver[Any]) -> Reader | None:
    handlers = getattr(getattr(schema, "_strawberry_schema", None), "exception_handlers", None)
    if handlers != () or resolver.info_parameter or not callable(resolver.wrapped_func):
        return None
    by_keyword = [
        parameter.name
        for parameter in (resolver.parent_parameter, resolver.root_parameter)
        if parameter
    ]
    if resolver.self_parameter and not by_keyword:
        return Reader(resolver=resolver.wrapped_func)
    if len(by_keyword) == 1 and not resolver.self_parameter:
        return Reader(resolver=resolver.wrapped_func, keyword=by_keyword[0])
    return None
