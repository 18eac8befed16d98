"""Random documents of the shop, and their measures by writing all fragments out."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from hypothesis import strategies as st

from tests.graphql.execution.limits.shop import CONDITIONS, FACTS, LEAF, Facts

Draw = st.DrawFn

UNDECLARED = ["nodes"]
"""The lists of connections that declare no size."""

DEFAULTS = {"n": 3}
"""The defaults of the operation's variables."""


@dataclass
class Totals:
    """The measures of some selections."""

    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    depth: int = 0
    nesting: int = 0
    nodes: int = 0
    cost: int = 0


@dataclass
class Naive:
    """The measures of a document that is small when it is written out."""

    document: DocumentNode
    variables: Mapping[str, object]

    def operation(self) -> Totals:
        """Measure its one operation."""
        (node,) = [d for d in self.document.definitions if isinstance(d, OperationDefinitionNode)]
        totals = self.selections(node.selection_set, "Query", {})
        totals.directives += len(node.directives or ())
        return totals

    def selections(
        self, selection_set: SelectionSetNode, parent: str, sizes: Mapping[str, int]
    ) -> Totals:
        """Measure selections; ``sizes`` are those of lists that the field around them tells."""
        totals = Totals()
        for selection in selection_set.selections:
            totals.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self.field(totals, selection, parent, sizes)
                continue
            part = self.part(selection, parent, sizes)
            for name, value in vars(part).items():
                together = max if name in ("depth", "nesting") else int.__add__
                setattr(totals, name, together(getattr(totals, name), value))
        totals.nesting += 1
        return totals

    def part(self, selection: object, parent: str, sizes: Mapping[str, int]) -> Totals:
        """Measure a fragment where it is spread."""
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            inner = condition.name.value if condition else parent
            return self.selections(selection.selection_set, inner, sizes)
        assert isinstance(selection, FragmentSpreadNode)
        for node in self.document.definitions:
            if isinstance(node, FragmentDefinitionNode) and node.name.value == selection.name.value:
                inner = node.type_condition.name.value
                totals = self.selections(node.selection_set, inner, sizes)
                totals.directives += len(node.directives or ())
                return totals
        raise KeyError(selection.name.value)

    def field(self, totals: Totals, node: FieldNode, parent: str, sizes: Mapping[str, int]) -> None:
        """Add the measures of a field."""
        name = node.name.value
        facts = FACTS[parent].get(name, LEAF)
        given = self.argument(node, facts)
        totals.fields += 1
        totals.root_fields += 1
        totals.aliases += bool(node.alias)
        totals.depth = max(totals.depth, 1)
        totals.cost += facts.weight * (given if facts.multiplies and given is not None else 1)
        if node.selection_set is None:
            return
        told = {}
        if given is not None and not facts.levels and facts.type is not None:
            told = dict.fromkeys(facts.sized or UNDECLARED, given)
        part = self.selections(node.selection_set, facts.type or "", told)
        times = 1
        if facts.levels:
            length = given if given is not None else sizes.get(name, facts.assumed)
            times = length * facts.assumed ** (facts.levels - 1)
        totals.fields += part.fields
        totals.aliases += part.aliases
        totals.directives += part.directives
        totals.depth = max(totals.depth, part.depth + 1)
        totals.nesting = max(totals.nesting, part.nesting)
        totals.nodes += times * (1 + part.nodes)
        totals.cost += times * part.cost

    def argument(self, node: FieldNode, facts: Facts) -> int | None:
        """Return the size that a field's argument asks for."""
        for argument in node.arguments or ():
            value = argument.value
            if isinstance(value, VariableNode):
                return self.variable(value.name.value, facts)
            if isinstance(value, NullValueNode):
                return facts.default
            if isinstance(value, ListValueNode):
                return len(value.values)
            assert isinstance(value, IntValueNode)
            return int(value.value)
        return facts.default

    def variable(self, name: str, facts: Facts) -> int | None:
        """Return the size that a variable asks for."""
        found = self.variables.get(name, DEFAULTS.get(name))
        if isinstance(found, list):
            return len(found)
        return facts.default if found is None else int(str(found))


@st.composite
def documents(draw: Draw) -> tuple[str, dict[str, object]]:
    """Draw a valid document of one operation with variables; its expansion is small."""
    count = draw(st.integers(0, 4))
    types = [draw(st.sampled_from([*FACTS])) for _ in range(count)]
    fragments = [
        f"fragment F{at} on {type_} {_selections(draw, type_, types, at + 1, 2)}"
        for at, type_ in enumerate(types)
    ]
    body = _selections(draw, "Query", types, 0, 3)
    # Fragments may stand on either side of the operation.
    declared = "$n: Int! = 3, $m: Int, $k: Int = null, $rows: [Int!]!"
    texts = [f"query ({declared}) {body}", *fragments]
    variables: dict[str, object] = {"rows": [1] * draw(st.integers(0, 4))}
    if draw(st.booleans()):
        variables["n"] = draw(st.integers(1, 5))
    for name in ("m", "k"):
        if draw(st.booleans()):
            variables[name] = draw(st.none() | st.integers(1, 5))
    return "\n".join(draw(st.permutations(texts))), variables


def _selections(draw: Draw, parent: str, types: list[str], spread_from: int, depth: int) -> str:
    parts = [
        _selection(draw, parent, types, spread_from, depth) for _ in range(draw(st.integers(1, 4)))
    ]
    return "{ " + " ".join(parts) + " }"


def _selection(draw: Draw, parent: str, types: list[str], spread_from: int, depth: int) -> str:
    conditions = CONDITIONS.get(parent, [parent])
    spreads = [at for at in range(spread_from, len(types)) if types[at] in conditions]
    kind = draw(
        st.sampled_from(["field"] * 4 + ["inline"] * (depth > 0) + ["spread"] * bool(spreads))
    )
    include = draw(st.sampled_from(["", "", "@include(if: true)", "@skip(if: false)"]))
    if kind == "spread":
        return f"...F{draw(st.sampled_from(spreads))} {include}"
    if kind == "inline":
        condition = draw(st.sampled_from(["", *conditions]))
        inner = _selections(draw, condition or parent, types, spread_from, depth - 1)
        return f"... {'on ' + condition if condition else ''} {include} {inner}"
    return _field(draw, parent, types, spread_from, depth, include)


def _field(
    draw: Draw, parent: str, types: list[str], spread_from: int, depth: int, include: str
) -> str:
    known = [name for name, facts in FACTS[parent].items() if depth or facts.type is None]
    name = draw(st.sampled_from([*known, "__typename"]))
    facts = FACTS[parent].get(name, LEAF)
    choices = {
        "first": [
            "", "(first: 2)", "(first: $n)", "(first: null)", "(first: $m)", "(first: $k)",
        ],
        "last": ["", "(last: 1)", "(last: $n)", "(last: null)", "(last: $m)", "(last: $k)"],
        "ids": ['(ids: ["1", "2"])', "(ids: [])"],
        "rows": ["(rows: $rows)", "(rows: [1, 2])"],
    }.get(facts.argument or "", [""])  # fmt: skip
    at = draw(st.integers(0, len(choices) - 1))
    # Fields with different arguments have different aliases, so that all of them can be merged.
    alias = f"{name}_{at}: " if at or draw(st.booleans()) else ""
    text = f"{alias}{name}{choices[at]} {include}"
    if facts.type is None:
        return text
    return text + _selections(draw, facts.type, types, spread_from, depth - 1)
