"""Plans: the compiled functions of one selection, for one outcome of its conditions."""

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails

from gql_platform.graphql.execution.plans.classes import is_plain, record_of, runtime_type
from gql_platform.graphql.execution.plans.fields import reader_of
from gql_platform.graphql.execution.plans.leaves import leaf_of
from gql_platform.graphql.execution.plans.slots import (
    Composite,
    Execution,
    Function,
    Leaf,
    Member,
    Selection,
    Slot,
)
from gql_platform.graphql.execution.plans.source import Source

MAX_DEPTH = 12
"""Deeper selections get plans of their own."""
MAX_MEMBERS = 500
"""The fields of one plan, which compiles in some 20 ms; what comes behind gets its own plans."""

Details: TypeAlias = list[FieldDetails]


class NotCompilableError(Exception):
    """A selection that graphql-core has to execute."""


UNCOMPILABLE = (NotCompilableError, GraphQLError, RecursionError)
"""What making a plan may raise: conditions whose variables are null are errors, which graphql-core
reports where they belong."""


class Plan:
    """The functions of a selection and of what is selected below it.

    Args:
        schema: The schema.
        plain: The classes that were met and found to be plain, in any plan of the schema.
        handed_over: Is called for each value that is handed over to graphql-core.
    """

    def __init__(
        self, schema: GraphQLSchema, plain: set[type], handed_over: Callable[[], None]
    ) -> None:
        self._schema = schema
        self._plain = plain
        self._handed_over = handed_over
        self._functions: dict[tuple[object, ...], Function] = {}
        self._resolvable: dict[Slot, tuple[list[GraphQLObjectType], dict[type, Function]]] = {}
        self._members = 0

    def of_object(
        self, execution: Execution, of_type: GraphQLObjectType, details: Details, depth: int = 0
    ) -> Function:
        """Return the function that completes objects of a type.

        Args:
            execution: An execution whose variables have the plan's outcome.
            of_type: The type.
            details: The fields that are of this type, merged.
            depth: How far below the plan's own selection it is.

        Raises:
            NotCompilableError: If graphql-core has to do it.
        """
        key = (of_type, *(id(each.node) for each in details))
        function = self._functions.get(key)
        if function is None:
            source = Source()
            selection = self._selection(execution, of_type, details, source, depth)
            function = self._functions[key] = source.function_of_object(selection)
        return function

    def of_list(self, execution: Execution, items: Slot, depth: int = 0) -> Function:
        """Return the function that completes lists.

        Args:
            execution: An execution whose variables have the plan's outcome.
            items: The items of the list.
            depth: How far below the plan's own selection it is.

        Raises:
            NotCompilableError: If graphql-core has to do it.
        """
        key = (items.parent_type, items.type, *map(id, items.nodes))
        function = self._functions.get(key)
        if function is None:
            source = Source()
            kind = self._kind(execution, items, source, depth, in_list=True)
            if kind is None:
                raise NotCompilableError
            function = self._functions[key] = source.function_of_list(items, kind)
        return function

    def slot(
        self, parent_type: GraphQLObjectType, definition: GraphQLField, details: Details,
        of_type: GraphQLOutputType,
    ) -> Slot:  # fmt: skip
        """Return a field, or the items of one, for compiled code."""
        nodes = [each.node for each in details]
        key = (nodes[0].alias or nodes[0].name).value
        return Slot(parent_type, definition, details, nodes, key, of_type, self._meet)

    def _selection(
        self, execution: Execution, of_type: GraphQLObjectType, details: Details,
        source: Source, depth: int,
    ) -> Selection:  # fmt: skip
        collected = execution.collect_subfields(of_type, details)
        grouped = collected.grouped_field_set
        self._members += len(grouped)
        if depth > MAX_DEPTH or self._members > MAX_MEMBERS:
            raise NotCompilableError
        selection = Selection(
            of_type,
            tuple(self._member(execution, of_type, each, source, depth)
                  for each in grouped.values()),
        )  # fmt: skip
        in_code = [member for member in selection.members if member.slot is None or member.reader]
        if selection.members and not in_code:
            raise NotCompilableError
        return selection

    def _member(
        self, execution: Execution, parent_type: GraphQLObjectType, details: Details,
        source: Source, depth: int,
    ) -> Member:  # fmt: skip
        name = details[0].node.name.value
        definition = self._schema.get_field(parent_type, name)
        is_bound = any(each.fragment_variable_values for each in details)
        if definition is None or is_bound:
            raise NotCompilableError
        slot = self.slot(parent_type, definition, details, definition.type)
        if name == "__typename":
            return Member(slot.key)
        reader = reader_of(self._schema, definition, slot.nodes)
        if reader is None:
            return Member(slot.key, slot)
        kind = self._kind(execution, slot, source, depth, in_list=False)
        return Member(slot.key, slot, reader, kind)

    def _kind(
        self, execution: Execution, slot: Slot, source: Source, depth: int, *, in_list: bool
    ) -> Leaf | Composite | None:
        """Return how the values of a slot are completed in code, or None if they cannot be."""
        nullable = not isinstance(slot.type, GraphQLNonNull)
        of_type: Any = get_nullable_type(slot.type)
        if is_leaf_type(of_type):
            return leaf_of(of_type, nullable=nullable, plain=self._plain, bind=source.bind)
        try:
            if isinstance(of_type, GraphQLList):
                return self._list_kind(execution, slot, of_type, nullable, source, depth)
            if is_abstract_type(of_type):
                return self._abstract_kind(slot, of_type, nullable, source)
            return self._object_kind(
                execution, slot, of_type, nullable, source, depth, in_list=in_list
            )
        except UNCOMPILABLE:
            return None

    def _list_kind(
        self, execution: Execution, slot: Slot, of_type: GraphQLList[Any], nullable: bool,
        source: Source, depth: int,
    ) -> Composite:  # fmt: skip
        items = self.slot(slot.parent_type, slot.definition, slot.details, of_type.of_type)
        function = source.bind("list", self.of_list(execution, items, depth + 1))
        test = "type({v}) is list or type({v}) is tuple"
        return Composite(test, function, "list", nullable)

    def _object_kind(
        self, execution: Execution, slot: Slot, of_type: GraphQLObjectType, nullable: bool,
        source: Source, depth: int, *, in_list: bool,
    ) -> Composite:  # fmt: skip
        test = self._object_test(of_type, source)
        if in_list:
            selection = self._selection(execution, of_type, slot.details, source, depth + 1)
            return Composite(test, "", "dict", nullable, selection)
        function = self.of_object(execution, of_type, slot.details, depth + 1)
        return Composite(test, source.bind("object", function), "dict", nullable)

    def _object_test(self, of_type: GraphQLObjectType, source: Source) -> str:
        """Return the expression that is true for the usual objects of a type."""
        record = record_of(of_type)
        if record is not None:
            return f"type({{v}}) is {source.bind('record', record)}"
        plain = f"type({{v}}) in {source.bind('plain', self._plain)}"
        if of_type.is_type_of is None:
            return plain
        test = source.bind("test", of_type.is_type_of)
        return f"{plain} and accepts({test}, {{v}}, {{info}})"

    def _abstract_kind(self, slot: Slot, of_type: Any, nullable: bool, source: Source) -> Composite:
        possible = list(self._schema.get_possible_types(of_type))
        functions: dict[type, Function] = {}
        self._resolvable[slot] = possible, functions
        name = source.bind("functions", functions)
        test = f"(function := {name}.get(type({{v}}))) is not None"
        return Composite(test, "function", "dict", nullable)

    def _meet(self, slot: Slot, execution: Execution, value: object) -> None:
        """Learn from a value that compiled code hands over to graphql-core."""
        self._handed_over()
        cls = type(value)
        if cls not in self._plain and is_plain(cls):
            self._plain.add(cls)
        possible, functions = self._resolvable.get(slot, ([], {}))
        member = runtime_type(possible, cls) if cls not in functions else None
        if member is not None:
            try:
                functions[cls] = self.of_object(execution, member, slot.details)
            except UNCOMPILABLE:
                return
