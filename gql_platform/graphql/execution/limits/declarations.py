"""What a schema declares about the cost of its fields and the size of its lists.

The directives follow the GraphQL cost directives specification of IBM in names and meaning, with
these differences: every field weighs 1 by default, scalars included; a weight is a whole number;
of several slicing arguments the largest counts; and ``multipliers`` are an addition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)
from strawberry.schema_directive import Location

from gql_platform.graphql.execution.limits.sizes import size_of_value

DEFAULT_WEIGHT = 1
DEFAULT_ASSUMED_SIZE = 10
DEFAULT_SLICING_ARGUMENTS = ("first", "last")
"""Arguments that are taken for the size of a list without a declaration."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="What the field itself costs; 1 where nothing is declared.",
)
class Cost:
    """The declaration of a field's own cost.

    Attributes:
        weight: What the field costs, without the fields selected in it.
        multipliers: Arguments by whose size the weight is multiplied: the number that is given,
            or the length of the list. An argument that tells none, not even by its default,
            multiplies by 1.
    """

    weight: int = strawberry.directive_field(name="weight")
    multipliers: list[str] | None = strawberry.directive_field(
        name="multipliers", default=strawberry.UNSET
    )


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How many items a list has.",
)
class ListSize:
    """The declaration of the size of a list.

    Attributes:
        assumed_size: The size when no slicing argument tells it.
        slicing_arguments: Arguments that tell the size: the number that is given, or the length
            of the list.
        sized_fields: Where the field is an object around lists, such as a connection: its fields
            that have that size; by default all its lists that declare none themselves.
    """

    assumed_size: int | None = strawberry.directive_field(
        name="assumedSize", default=strawberry.UNSET
    )
    slicing_arguments: list[str] | None = strawberry.directive_field(
        name="slicingArguments", default=strawberry.UNSET
    )
    sized_fields: list[str] | None = strawberry.directive_field(
        name="sizedFields", default=strawberry.UNSET
    )


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What is known of a field before it runs.

    Attributes:
        type: The type of the objects that it holds; None for scalars and enums.
        list_levels: How many lists lie around them.
        never_null: Whether neither it nor an item of it can be null.
        weight: What the field costs itself.
        multipliers: Arguments that multiply the weight.
        slicing_arguments: Arguments that tell the size.
        sized_fields: See `ListSize`.
        assumed_size: The size when no argument tells it.
        declares_size: Whether the schema declares that size.
        default_sizes: The sizes that arguments ask for when they are null or not given.
    """

    type: GraphQLCompositeType | None = None
    list_levels: int = 0
    never_null: bool = False
    weight: int = DEFAULT_WEIGHT
    multipliers: tuple[str, ...] = ()
    slicing_arguments: tuple[str, ...] = ()
    sized_fields: frozenset[str] | None = None
    assumed_size: int = DEFAULT_ASSUMED_SIZE
    declares_size: bool = False
    default_sizes: Mapping[str, int | None] | None = None


UNKNOWN_FIELD = FieldFacts()
"""A field that the schema does not have; validation will tell."""


class CostTable:
    """The facts of all fields of one schema, looked up as documents need them.

    Args:
        schema: The schema.
        assumed_size: The size of lists of which nothing is declared.
    """

    def __init__(self, schema: GraphQLSchema, *, assumed_size: int = DEFAULT_ASSUMED_SIZE) -> None:
        self._schema = schema
        self._assumed_size = assumed_size
        self._introspection_sizes = _introspection_sizes(schema)
        self._facts: dict[tuple[str, str], FieldFacts] = {}

    def type_named(self, name: str) -> GraphQLCompositeType | None:
        """Return the type of a type condition; None if there is none of that name."""
        found = self._schema.get_type(name)
        return found if is_composite_type(found) else None

    def root_type(self, operation: Any) -> GraphQLObjectType | None:
        """Return the type that an operation begins at."""
        return self._schema.get_root_type(operation)

    def field(self, parent: GraphQLCompositeType | None, name: str) -> FieldFacts:
        """Return the facts of a field."""
        if parent is None:
            return UNKNOWN_FIELD
        key = (parent.name, name)
        facts = self._facts.get(key)
        if facts is None:
            found = self._schema.get_field(parent, name)
            if found is None:
                return UNKNOWN_FIELD
            facts = self._facts[key] = self._facts_of(parent, name, found)
        return facts

    def _facts_of(self, parent: GraphQLCompositeType, name: str, found: GraphQLField) -> FieldFacts:
        declared = [found, *self._implementations(parent, name)]
        costs = [cost for each in declared if (cost := _declared(each, Cost))]
        sizes = [size for each in declared if (size := _declared(each, ListSize))]
        named = get_named_type(found.type)
        heaviest = max(costs, key=lambda cost: cost.weight, default=Cost(weight=DEFAULT_WEIGHT))
        assumed = [each.assumed_size for each in sizes if isinstance(each.assumed_size, int)]
        own_size = self._introspection_sizes.get((parent.name, name), self._assumed_size)
        slicing = next((size.slicing_arguments for size in sizes if size.slicing_arguments), None)
        multipliers = tuple(heaviest.multipliers or ())
        if slicing is None:
            slicing = [each for each in DEFAULT_SLICING_ARGUMENTS if each in found.args]
        sized = next((size.sized_fields for size in sizes if size.sized_fields), None)
        return FieldFacts(
            type=named if is_composite_type(named) else None,
            list_levels=_list_levels(found.type),
            never_null=_never_null(found.type),
            weight=heaviest.weight,
            multipliers=multipliers,
            slicing_arguments=tuple(slicing),
            sized_fields=None if sized is None else frozenset(sized),
            assumed_size=max(assumed, default=own_size),
            declares_size=bool(assumed),
            default_sizes=_default_sizes(found, (*slicing, *multipliers)),
        )

    def _implementations(self, parent: GraphQLCompositeType, name: str) -> Sequence[GraphQLField]:
        """Return the same field of all types that implement an interface."""
        if not isinstance(parent, GraphQLInterfaceType):
            return ()
        possible = self._schema.get_possible_types(parent)
        return [each.fields[name] for each in possible if name in each.fields]


def _declared(field: GraphQLField, directive: type[Any]) -> Any:
    definition = field.extensions.get("strawberry-definition")
    directives = getattr(definition, "directives", ())
    return next((each for each in directives if isinstance(each, directive)), None)


def _list_levels(type_: Any) -> int:
    levels = 0
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        levels += isinstance(type_, GraphQLList)
        type_ = type_.of_type
    return levels


def _never_null(type_: Any) -> bool:
    while isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
        if not isinstance(type_, GraphQLList):
            return True
        type_ = type_.of_type
    return False


def _default_sizes(field: GraphQLField, names: Sequence[str]) -> Mapping[str, int | None]:
    defaults = {name: field.args[name].default_value for name in names if name in field.args}
    return {
        name: size_of_value(value) if isinstance(value, int | list) else None
        for name, value in defaults.items()
    }


def _introspection_sizes(schema: GraphQLSchema) -> Mapping[tuple[str, str], int]:
    """Return the sizes of introspection's lists: of a type's lists, the average, rounded up."""
    types = list(schema.type_map.values())
    fields = [field for each in types for field in getattr(each, "fields", {}).values()]
    arguments = sum(len(getattr(field, "args", ())) for field in fields)
    values = sum(len(getattr(each, "values", ())) for each in types)
    directive_arguments = sum(len(each.args) for each in schema.directives)
    return {
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(schema.directives),
        ("__Type", "fields"): _average(len(fields), len(types)),
        ("__Type", "inputFields"): _average(len(fields), len(types)),
        ("__Type", "enumValues"): _average(values, len(types)),
        ("__Type", "interfaces"): 1,
        ("__Type", "possibleTypes"): 1,
        ("__Field", "args"): _average(arguments, len(fields)),
        ("__Directive", "args"): _average(directive_arguments, len(schema.directives)),
    }


def _average(total: int, count: int) -> int:
    return -(-total // max(count, 1))
