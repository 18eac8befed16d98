"""The measures of a document with its fragments written out, each fragment visited once.

A selection's measures are a few numbers and two sums. Those of a fragment do not depend on where
it is spread, with one exception: how long its outermost lists are may be told by an argument of
the field around the spread, as the `first` of a connection tells the length of its `nodes`. Such
lists stay open, item by item, until the field around them is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from gql_platform.graphql.execution.limits.bounds import SATURATED
from gql_platform.graphql.execution.limits.declarations import CostTable, FieldFacts
from gql_platform.graphql.execution.limits.sizes import Size, Slot, size_of_literal
from gql_platform.graphql.execution.limits.sums import Steps, Sum


@dataclass(slots=True)
class Amount:
    """Objects and cost, together."""

    nodes: Sum = field(default_factory=Sum)
    cost: Sum = field(default_factory=Sum)

    def add(self, other: "Amount") -> None:
        """Add another amount."""
        self.nodes.add(other.nodes)
        self.cost.add(other.cost)


_OpenList = tuple[str, int, bool]
"""The name of a list field, its size if nothing tells it, and whether it declares that size."""


@dataclass(slots=True)
class Measures:
    """What selections hold, written out; the numbers are those of `Limits`."""

    depth: int = 0
    nesting: int = 0
    root_fields: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    amount: Amount = field(default_factory=Amount)
    open: dict[_OpenList, Amount] = field(default_factory=dict)
    """What one item of each list holds whose size is not known yet."""

    def add_counts(self, part: "Measures") -> None:
        """Add the numbers that sum up."""
        self.fields = min(self.fields + part.fields, SATURATED)
        self.aliases = min(self.aliases + part.aliases, SATURATED)
        self.directives = min(self.directives + part.directives, SATURATED)
        self.nesting = max(self.nesting, part.nesting)

    def open_list(self, key: _OpenList) -> Amount:
        """Return what is known of the items of an open list."""
        return self.open.setdefault(key, Amount())

    def add_fragment(self, part: "Measures") -> None:
        """Add the selections of a fragment, which stand at this very level."""
        self.add_counts(part)
        self.depth = max(self.depth, part.depth)
        self.root_fields = min(self.root_fields + part.root_fields, SATURATED)
        self.amount.add(part.amount)
        for key, amount in part.open.items():
            self.open_list(key).add(amount)


class Expansion:
    """Measure the operations of one document.

    Args:
        table: The facts of the schema's fields.
    """

    def __init__(self, table: CostTable) -> None:
        self.steps = Steps()
        self._table = table
        self._fragments: dict[str, Measures] = {}

    def add_fragment(self, node: FragmentDefinitionNode) -> None:
        """Measure a fragment; all that it spreads must have been added before."""
        parent = self._table.type_named(node.type_condition.name.value)
        measures = self._selections(node.selection_set, parent)
        measures.directives += len(node.directives or ())
        for amount in (measures.amount, *measures.open.values()):
            amount.nodes = self.steps.settled(amount.nodes)
            amount.cost = self.steps.settled(amount.cost)
        self._fragments[node.name.value] = measures

    def operation(self, node: OperationDefinitionNode) -> Measures:
        """Measure an operation, with no list left open."""
        measures = self._selections(node.selection_set, self._table.root_type(node.operation))
        measures.directives += len(node.directives or ())
        for variable in node.variable_definitions or ():
            measures.directives += len(variable.directives or ())
        measures.amount = self._closed(measures, FieldFacts(), None)
        measures.open.clear()
        return measures

    def _selections(
        self, selection_set: SelectionSetNode, parent: GraphQLCompositeType | None
    ) -> Measures:
        measures = Measures()
        for selection in selection_set.selections:
            measures.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self._add_field(measures, selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._table.type_named(condition.name.value) if condition else parent
                measures.add_fragment(self._selections(selection.selection_set, inner))
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments.get(selection.name.value)
                if fragment is not None:
                    measures.add_fragment(fragment)
        measures.nesting += 1
        return measures

    def _add_field(
        self, measures: Measures, node: FieldNode, parent: GraphQLCompositeType | None
    ) -> None:
        facts = self._table.field(parent, node.name.value)
        measures.fields += 1
        measures.root_fields += 1
        measures.aliases += node.alias is not None
        measures.amount.cost.add(own_cost(self.steps, facts, node))
        if node.selection_set is None:
            measures.depth = max(measures.depth, 1)
            return
        inner = self._selections(node.selection_set, facts.type)
        measures.add_counts(inner)
        measures.depth = max(measures.depth, inner.depth + 1)
        size = argument_size(facts.slicing_arguments, facts, node, otherwise=facts.assumed_size)
        item = self._closed(inner, facts, None if facts.list_levels else size)
        item.nodes.constant = min(item.nodes.constant + 1, SATURATED)
        if not facts.list_levels:
            measures.amount.add(item)
            return
        for _ in range(facts.list_levels - 1):
            item = self._product(item, facts.assumed_size)
        if size is None:
            key = (node.name.value, facts.assumed_size, facts.declares_size)
            measures.open_list(key).add(item)
        else:
            measures.amount.add(self._product(item, size))

    def _closed(self, inner: Measures, facts: FieldFacts, size: Size | None) -> Amount:
        """Return what selections hold, given how long the lists directly in them are."""
        total = Amount()
        total.add(inner.amount)
        for (name, assumed_size, declares_size), item in inner.open.items():
            named = facts.sized_fields
            told = not declares_size if named is None else name in named
            total.add(self._product(item, size if told and size is not None else assumed_size))
        return total

    def _product(self, amount: Amount, size: Size) -> Amount:
        return Amount(self.steps.product(amount.nodes, size), self.steps.product(amount.cost, size))


def own_cost(steps: Steps, facts: FieldFacts, node: FieldNode) -> Sum:
    """Return what a field costs itself, without what is selected in it."""
    cost = Sum(facts.weight)
    for multiplier in facts.multipliers:
        size = argument_size((multiplier,), facts, node, otherwise=1)
        if size is not None:
            cost = steps.product(cost, size)
    return cost


def argument_size(
    names: Iterable[str], facts: FieldFacts, node: FieldNode, *, otherwise: int
) -> Size | None:
    """Return the size that a field's arguments ask for, the largest if there are several.

    Args:
        names: The arguments that count.
        facts: What is known of the field.
        node: The field with its arguments.
        otherwise: The size when variables turn out to be null, and no default stands in.

    Returns:
        The size; None when no argument tells it.
    """
    known: int | None = None
    variables: list[tuple[str, int | None]] = []
    given = {each.name.value: each for each in node.arguments or ()} if names else {}
    for name in names:
        default = (facts.default_sizes or {}).get(name)
        size = _given_size(given.get(name), default)
        if isinstance(size, tuple):
            variables.append(size)
        elif size is not None:
            known = size if known is None else max(known, size)
    if variables:
        return Slot(tuple(variables), known, otherwise)
    return known


def _given_size(
    argument: ArgumentNode | None, default: int | None
) -> int | tuple[str, int | None] | None:
    """Return the size that one argument asks for; null stands for the argument's default."""
    if argument is None:
        return default
    if isinstance(argument.value, VariableNode):
        return argument.value.name.value, default
    size = size_of_literal(argument.value)
    return default if size is None else size
