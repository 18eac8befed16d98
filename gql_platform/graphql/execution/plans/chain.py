"""Operations that are one chain of fields, such as ``{ predict { wine(rows: $rows) { ... } } }``.

Each link but the last selects one field. graphql-core would collect the fields of every link anew
for each request, walk through the arguments, and await one coroutine inside another; most requests
for a prediction spend more time there than in the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_argument_values,
    get_nullable_type,
    is_object_type,
    is_required_argument,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from graphql.utilities.coerce_input_value import coerce_default_value

from gql_platform.graphql.execution.plans.fields import reader_of
from gql_platform.graphql.execution.plans.runtime import accepts
from gql_platform.graphql.execution.plans.slots import Execution

_PLAIN_DEFAULTS = (bool, int, float, str, type(None))
"""Defaults that nobody can change, so that all requests share them."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a field that are variables, or left out.

    Attributes:
        variables: The name that the resolver has for an argument, and the variable.
        defaults: What the resolver is given for those that are left out.
    """

    variables: tuple[tuple[str, str], ...]
    defaults: Mapping[str, Any]

    def values(self, coerced: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the values, or None where a variable is missing or null.

        Args:
            coerced: The values of the operation's variables.
        """
        found = dict(self.defaults)
        for name, variable in self.variables:
            value = coerced.get(variable)
            if value is None:
                return None
            found[name] = value
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A field of the chain.

    Attributes:
        key: Its key in the response.
        parent_type: The type whose field it is.
        definition: The field in the schema.
        details: Where the document selects it.
        arguments: Its arguments, if they are all variables or left out.
        object_type: Its type, if that is an object.
        following: The field that is selected of its value; None for the last of the chain.
    """

    key: str
    parent_type: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    arguments: Arguments | None
    object_type: GraphQLObjectType | None
    following: "Link | None"


def chain_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Link | None:
    """Return the first link of an operation that is a chain.

    Args:
        schema: The schema.
        operation: A valid operation; that of a subscription is never a chain.
    """
    root = schema.get_root_type(operation.operation)
    if root is None or operation.operation is OperationType.SUBSCRIPTION:
        return None
    node = _only_field(operation.selection_set)
    return _link(schema, root, node) if node is not None else None


async def chained(execution: Execution, first: Link) -> ExecutionResult:
    """Execute an operation along its chain, with the answer that graphql-core would give."""
    try:
        data = {first.key: await _followed(execution, first, execution.root_value, None)}
    except GraphQLError as error:
        execution.collected_errors.add(error, None)
        return cast(ExecutionResult, execution.build_response(None))
    return cast(ExecutionResult, execution.build_response(data))


async def _followed(execution: Execution, link: Link, source: object, before: Path | None) -> Any:
    """Return the value of a field in the response."""
    definition, details = link.definition, link.details
    path = Path(before, link.key, link.parent_type.name)
    nodes = [each.node for each in details]
    info = execution.build_resolve_info(definition, nodes, link.parent_type, path)
    try:
        resolve = definition.resolve or execution.field_resolver
        value = resolve(source, info, **_arguments(execution, link))
        if execution.is_awaitable(value):
            value = await value
        if link.following is not None and _is_object(link, value, info):
            following = link.following
            return {following.key: await _followed(execution, following, value, path)}
        completed = execution.complete_value(definition.type, details, info, path, value, None)
        if execution.is_awaitable(completed):
            completed = await completed
    except Exception as error:  # noqa: BLE001 - it becomes the field's error
        execution.handle_field_error(error, definition.type, details, path)
        return None
    return completed


def _is_object(link: Link, value: object, info: Any) -> bool:
    """Return whether a value is plainly one of the link's type; graphql-core has the others."""
    of_type = link.object_type
    if of_type is None or value is None or value is Undefined or isinstance(value, Exception):
        return False
    return of_type.is_type_of is None or accepts(of_type.is_type_of, value, info)


def _arguments(execution: Execution, link: Link) -> dict[str, Any]:
    if link.arguments is not None:
        values = link.arguments.values(execution.variable_values.coerced)
        if values is not None:
            return values
    node = link.details[0].node
    return get_argument_values(
        link.definition, node, execution.variable_values, None, execution.hide_suggestions
    )


def _link(schema: GraphQLSchema, parent_type: GraphQLObjectType, node: FieldNode) -> Link | None:
    definition = schema.get_field(parent_type, node.name.value)
    if definition is None or node.name.value.startswith("__"):
        return None
    of_type = get_nullable_type(definition.type)
    object_type = of_type if is_object_type(of_type) else None
    below = _only_field(node.selection_set) if object_type is not None else None
    following = None
    if below is not None and object_type is not None:
        following = _resolved_link(schema, object_type, below)
    return Link(
        (node.alias or node.name).value,
        parent_type,
        definition,
        [FieldDetails(node, None)],
        _planned(definition, node),
        object_type,
        following,
    )


def _resolved_link(
    schema: GraphQLSchema, parent_type: GraphQLObjectType, node: FieldNode
) -> Link | None:
    """Return a link for a field that is not read in code, as a compiled selection does it."""
    definition = schema.get_field(parent_type, node.name.value)
    if definition is None or reader_of(schema, definition, [node]) is not None:
        return None
    return _link(schema, parent_type, node)


def _only_field(selections: SelectionSetNode | None) -> FieldNode | None:
    """Return what is selected, if it is one field without conditions."""
    if selections is None or len(selections.selections) != 1:
        return None
    (node,) = selections.selections
    return node if isinstance(node, FieldNode) and not node.directives else None


def _planned(definition: GraphQLField, node: FieldNode) -> Arguments | None:
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    variables: list[tuple[str, str]] = []
    defaults: dict[str, Any] = {}
    for name, argument in definition.args.items():
        out_name = argument.out_name or name
        value = given.get(name)
        if isinstance(value, VariableNode):
            variables.append((out_name, value.name.value))
        elif value is not None or is_required_argument(argument):
            return None
        else:
            default = coerce_default_value(argument)
            if default is Undefined:
                continue
            if type(default) not in _PLAIN_DEFAULTS:
                return None
            defaults[out_name] = default
    return Arguments(tuple(variables), MappingProxyType(defaults))
