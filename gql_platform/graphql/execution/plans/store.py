"""The plans of a schema, kept by the nodes of the documents that they were made for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, TypeAlias

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    SelectionNode,
    VariableNode,
)

from gql_platform.graphql.execution.plans.plan import UNCOMPILABLE, Plan
from gql_platform.graphql.execution.plans.slots import Execution, Function

MAX_PLANS = 500
MAX_SEEN = 5_000
MAX_VARIANTS = 16
"""The outcomes of ``@skip`` and ``@include`` that a selection keeps functions for."""

_EXTENSION: Final = "gql_platform.plans"
_CONDITIONS = frozenset({"skip", "include"})

Key: TypeAlias = tuple[object, ...]
Make: TypeAlias = Callable[[Plan], Function]


@dataclass(slots=True)
class _Entry:
    """A selection.

    Attributes:
        nodes: Its nodes, which must live as long as their ids are part of a key.
        conditions: The variables that decide what is selected.
        fragments: The fragments that it spreads.
        functions: Its function by the values of the conditions; None where graphql-core executes
            it.
    """

    nodes: tuple[FieldNode, ...]
    conditions: tuple[str, ...]
    fragments: dict[str, FragmentDefinitionNode | None]
    functions: dict[tuple[object, ...], Function | None] = field(default_factory=dict)


class PlanStore:
    """The plans that were used last, for one schema.

    A selection is compiled when it is executed for the second time, since compiling costs as much
    as executing it on some dozens of objects; or at once, where there are that many.

    Args:
        schema: The schema.
        capacity: For how many selections plans are kept.
        patience: How often a selection is left to graphql-core before it is compiled.
        at_once: The length from which on a list is worth compiling at once.

    Attributes:
        at_once: The same.
        compiled: How many functions were asked for and made.
        used: How many values were completed by the function of a plan.
        handed_over: How many values within these were handed over to graphql-core.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        capacity: int = MAX_PLANS,
        patience: int = 1,
        at_once: int = 64,
    ) -> None:
        self.compiled = 0
        self.used = 0
        self.handed_over = 0
        self._schema = schema
        self._capacity = capacity
        self._patience = patience
        self.at_once = at_once
        self._plain: set[type] = set()
        self._entries: dict[Key, _Entry] = {}
        self._seen: dict[Key, int] = {}
        # Synchronous executions may run in several threads.
        self._lock = Lock()

    def __len__(self) -> int:
        """Return for how many selections plans are kept."""
        return len(self._entries)

    def function(
        self, execution: Execution, of: Key, nodes: Iterable[FieldNode], make: Make, size: int = 1
    ) -> Function | None:
        """Return the function of a selection, if there is one by now.

        Args:
            execution: The execution that asks.
            of: The types that the selection is executed for.
            nodes: The fields whose selections are merged.
            make: Compiles it.
            size: How many values there are to complete.
        """
        with self._lock:
            return self._function(execution, of, tuple(nodes), make, size)

    def _function(
        self, execution: Execution, of: Key, nodes: tuple[FieldNode, ...], make: Make, size: int
    ) -> Function | None:
        key = (*of, *map(id, nodes))
        # Popped and put back, it is the newest.
        entry = self._entries.pop(key, None)
        if entry is not None and _is_current(entry, execution):
            self._entries[key] = entry
        elif self._is_due(key):
            entry = self._entries[key] = _entry_of(execution, nodes)
            if len(self._entries) > self._capacity:
                del self._entries[next(iter(self._entries))]
        elif size >= self.at_once:
            entry = _entry_of(execution, nodes)
        else:
            return None
        return self._variant(execution, entry, make)

    def _is_due(self, key: Key) -> bool:
        """Count an execution of a selection without a plan, and tell whether they suffice.

        The ids in the key may meanwhile belong to another document. Then it is compiled too early,
        which does no harm.
        """
        seen = self._seen.pop(key, 0)
        if seen >= self._patience:
            return True
        self._seen[key] = seen + 1
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        return False

    def _variant(self, execution: Execution, entry: _Entry, make: Make) -> Function | None:
        values = execution.variable_values.coerced
        outcome = tuple(values.get(name) for name in entry.conditions)
        if outcome not in entry.functions:
            if len(entry.functions) >= MAX_VARIANTS:
                entry.functions.clear()
            entry.functions[outcome] = self._compiled(make)
        return entry.functions[outcome]

    def _compiled(self, make: Make) -> Function | None:
        self.compiled += 1
        try:
            return make(Plan(self._schema, self._plain, self._count))
        except UNCOMPILABLE:
            return None

    def _count(self) -> None:
        self.handed_over += 1


def plans_of(schema: strawberry.Schema | GraphQLSchema) -> PlanStore:
    """Return the plans of a schema; they live as long as the schema does."""
    core = schema if isinstance(schema, GraphQLSchema) else schema._schema  # noqa: SLF001
    store: PlanStore | None = core.extensions.get(_EXTENSION)
    if store is None:
        store = core.extensions[_EXTENSION] = PlanStore(core)
    return store


def keep_plans(schema: strawberry.Schema, store: PlanStore) -> None:
    """Give a schema a store other than the one that it would get."""
    schema._schema.extensions[_EXTENSION] = store  # noqa: SLF001 - there is no public way


def _is_current(entry: _Entry, execution: Execution) -> bool:
    """Tell whether the fragments are the same; nodes can be shared by documents made by code."""
    definitions = execution.fragment_definitions
    return all(definitions.get(name) is found for name, found in entry.fragments.items())


def _entry_of(execution: Execution, nodes: tuple[FieldNode, ...]) -> _Entry:
    """Find the variables and fragments that decide what is selected below some fields."""
    conditions: dict[str, None] = {}
    fragments: dict[str, FragmentDefinitionNode | None] = {}
    ahead = list(_selections(nodes))
    while ahead:
        node = ahead.pop()
        conditions.update(dict.fromkeys(_conditions(node)))
        if not isinstance(node, FragmentSpreadNode):
            ahead += _selections([node])
        elif node.name.value not in fragments:
            definition = execution.fragment_definitions.get(node.name.value)
            fragments[node.name.value] = definition
            ahead += definition.selection_set.selections if definition else ()
    return _Entry(nodes, tuple(conditions), fragments)


def _selections(nodes: Iterable[SelectionNode]) -> Iterator[SelectionNode]:
    for node in nodes:
        selection_set = getattr(node, "selection_set", None)
        yield from selection_set.selections if selection_set else ()


def _conditions(node: SelectionNode) -> Iterator[str]:
    """Yield the variables in the directives that include or exclude a node."""
    for directive in node.directives or ():
        if directive.name.value in _CONDITIONS:
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value
