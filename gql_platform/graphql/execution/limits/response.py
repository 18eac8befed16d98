"""The cost of what was really returned, from the answer's data.

A field that is in the answer costs its weight, and each item of a list what is selected in it.
Nothing is looked at twice: where all items of a list are alike, because their type is an object
type and neither lists nor nulls lie in them, one of them is looked at, and the rest are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gql_platform.graphql.execution.limits.declarations import CostTable, FieldFacts
from gql_platform.graphql.execution.limits.expansion import own_cost
from gql_platform.graphql.execution.limits.sums import Formula, Steps, Sum

_Objects = Sequence[dict[str, Any]]
_Selections = Sequence[tuple[SelectionSetNode, GraphQLCompositeType | None]]


@dataclass(slots=True)
class _Child:
    """Objects within objects."""

    key: str
    shape: "_Shape"
    list_levels: int
    never_null: bool


@dataclass(slots=True)
class _Shape:
    """What objects of one selection look like.

    Attributes:
        concrete: Whether all of them have the same keys.
        uniform: Whether all of them cost the same.
        weighted: Keys of fields that do not weigh 1, each with the place of its weight.
        children: Keys of fields with selections of their own.
    """

    concrete: bool
    uniform: bool = True
    weighted: list[tuple[str, int]] = field(default_factory=list)
    children: list[_Child] = field(default_factory=list)


class ResponseCost:
    """The cost of an operation's answers.

    Args:
        table: The facts of the schema's fields.
        operation: The operation, which must be valid and within the limits.
        fragments: All fragments of the document by name.
    """

    def __init__(
        self,
        table: CostTable,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        reader = _Reader(table, fragments)
        root = table.root_type(operation.operation)
        self._shape = reader.shape([(operation.selection_set, root)], root)
        self._weights: Formula = reader.steps.formula(*reader.weights)
        self._fixed = self._weights.constants

    def of(
        self,
        data: dict[str, Any] | None,
        variables: Mapping[str, object],
        defaults: Mapping[str, int | None],
    ) -> int:
        """Return the cost of an answer.

        Args:
            data: The answer's data, as plain dictionaries and lists.
            variables: As the client sent them.
            defaults: The sizes of the defaults that the operation declares.
        """
        if not data:
            return 0
        weights = self._fixed or self._weights.evaluate(variables, defaults)
        return _cost(self._shape, [data], weights)


def _cost(shape: _Shape, objects: _Objects, weights: Sequence[int]) -> int:
    count = len(objects)
    if not count:
        return 0
    if shape.uniform and count > 1:
        return count * _cost(shape, objects[:1], weights)
    # Each key counts 1 here, and what its field weighs beyond that is added.
    total = count * len(objects[0]) if shape.concrete else sum(map(len, objects))
    for key, place in shape.weighted:
        total += sum(key in each for each in objects) * (weights[place] - 1)
    for child in shape.children:
        total += _cost(child.shape, _within(child, objects), weights)
    return total


def _within(child: _Child, objects: _Objects) -> _Objects:
    """Return the objects under one key of all objects, out of any lists around them."""
    key = child.key
    found: Sequence[Any] = [value for each in objects if (value := each.get(key)) is not None]
    for _ in range(child.list_levels):
        # One list, the most usual case, needs no copy.
        found = found[0] if len(found) == 1 else list(chain.from_iterable(found))
        if not child.never_null:
            found = [value for value in found if value is not None]
    return found


class _Reader:
    """Read the shapes of a document's selections."""

    def __init__(self, table: CostTable, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.steps = Steps()
        self.weights: list[Sum] = []
        self._table = table
        self._fragments = fragments

    def shape(self, selections: _Selections, parent: GraphQLCompositeType | None) -> _Shape:
        """Return the shape of what several selections on the same objects make together."""
        shape = _Shape(concrete=isinstance(parent, GraphQLObjectType))
        for key, merged in self._by_key(selections).items():
            _, facts = merged[0]
            heaviest = max((own_cost(self.steps, f, n) for n, f in merged), key=_rank)
            if heaviest.terms or heaviest.constant != 1:
                shape.weighted.append((key, len(self.weights)))
                self.weights.append(heaviest)
            inner = [(n.selection_set, f.type) for n, f in merged if n.selection_set is not None]
            if inner:
                # Of an abstract type, members may have different fields under the same key.
                types = {f.type.name if f.type else None for _, f in merged}
                single = facts.type if len(types) == 1 else None
                never_null = all(f.never_null for _, f in merged)
                child = _Child(key, self.shape(inner, single), facts.list_levels, never_null)
                shape.children.append(child)
                shape.uniform &= never_null and not child.list_levels and child.shape.uniform
        shape.uniform &= shape.concrete
        return shape

    def _by_key(self, selections: _Selections) -> dict[str, list[tuple[FieldNode, FieldFacts]]]:
        found: dict[str, list[tuple[FieldNode, FieldFacts]]] = {}
        spread: set[str] = set()
        waiting = list(reversed(selections))
        while waiting:
            selection_set, parent = waiting.pop()
            for selection in selection_set.selections:
                if isinstance(selection, FieldNode):
                    name = selection.alias or selection.name
                    facts = self._table.field(parent, selection.name.value)
                    found.setdefault(name.value, []).append((selection, facts))
                elif isinstance(selection, InlineFragmentNode):
                    condition = selection.type_condition
                    inner = self._table.type_named(condition.name.value) if condition else parent
                    waiting.append((selection.selection_set, inner))
                elif isinstance(selection, FragmentSpreadNode):
                    # Spreading a fragment once more adds nothing to what is merged.
                    waiting.extend(self._spread(selection.name.value, spread))
        return found

    def _spread(
        self, name: str, spread: set[str]
    ) -> list[tuple[SelectionSetNode, GraphQLCompositeType | None]]:
        fragment = self._fragments.get(name)
        if name in spread or fragment is None:
            return []
        spread.add(name)
        return [
            (fragment.selection_set, self._table.type_named(fragment.type_condition.name.value))
        ]


def _rank(cost: Sum) -> tuple[bool, int]:
    return bool(cost.terms), cost.constant
