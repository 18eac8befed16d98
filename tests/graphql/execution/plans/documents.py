"""Random documents for a schema."""

import random
from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

VARIABLES = {"a": "$a: Boolean!", "b": "$b: Boolean!", "c": "$c: Boolean = true"}
DIRECTIVES = (
    "@skip(if: $a)", "@include(if: $b)", "@include(if: $c)", "@skip(if: $c)", "@skip(if: false)",
    "@include(if: true)", "@skip(if: true)", "@include(if: false)",
    "@include(if: $a) @skip(if: $b)",
)  # fmt: skip


class Documents:
    """Draws documents from a source of random numbers.

    Args:
        source: The source.
        schema: What they are for.
    """

    def __init__(self, source: random.Random, schema: GraphQLSchema) -> None:
        self._source = source
        self._schema = schema
        self._fragments: list[tuple[GraphQLNamedType, str]] = []

    def document(self) -> str:
        """Draw a query; most are valid."""
        self._fragments = []
        assert self._schema.query_type is not None
        selection = self._selection(self._schema.query_type, depth=4)
        fragments = [
            f"fragment F{index} on {of_type.name} {text}"
            for index, (of_type, text) in enumerate(self._fragments)
        ]
        text = "\n".join([selection, *fragments])
        used = [declared for name, declared in VARIABLES.items() if f"${name})" in text]
        return f"query ({', '.join(used)}) {text}" if used else f"query {text}"

    def variables(self) -> dict[str, Any]:
        """Draw the variables."""
        drawn: dict[str, Any] = {name: self._source.random() < 0.5 for name in ("a", "b")}
        kind = self._source.randrange(8)
        if kind < 4:
            drawn["c"] = kind < 2
        if kind == 4:
            # Null is a value of the variable's type, but none of the directive's argument.
            drawn["c"] = None
        return drawn

    def _selection(self, of_type: GraphQLNamedType, depth: int) -> str:
        count = 1 + self._source.randrange(5)
        selected = [self._selected(of_type, depth) for _ in range(count)]
        # A composite type can always be asked for its name, so that no selection is empty.
        return "{ " + " ".join(each or "__typename" for each in selected) + " }"

    def _selected(self, of_type: GraphQLNamedType, depth: int) -> str:
        kind = self._source.random()
        if kind < 0.08:
            return f"{self._alias('__typename')}__typename {self._directive()}"
        if kind < 0.2:
            condition = self._condition(of_type)
            inner = self._selection(condition, depth - 1) if depth else "{ __typename }"
            shown = f" on {condition.name}" if condition is not of_type or kind < 0.14 else ""
            return f"...{shown} {self._directive()} {inner}"
        if kind < 0.3 and depth:
            return f"{self._spread(of_type, depth)} {self._directive()}"
        return self._field(of_type, depth)

    def _spread(self, of_type: GraphQLNamedType, depth: int) -> str:
        usable = [
            index
            for index, (condition, text) in enumerate(self._fragments)
            if text and condition in self._conditions(of_type)
        ]
        if usable and self._source.random() < 0.5:
            return f"...F{self._source.choice(usable)}"
        index = len(self._fragments)
        condition = self._condition(of_type)
        # Its text is not there yet, so that nothing inside can spread it.
        self._fragments.append((condition, ""))
        self._fragments[index] = (condition, self._selection(condition, depth - 1))
        return f"...F{index}"

    def _field(self, of_type: GraphQLNamedType, depth: int) -> str:
        fields = getattr(of_type, "fields", {})
        names = [
            name
            for name, field in fields.items()
            if depth or not is_composite_type(get_named_type(field.type))
        ]
        if not names:
            return "__typename"
        name = self._source.choice(names)
        inner: Any = get_named_type(fields[name].type)
        arguments = "(by: 3)" if name == "scaled" else ""
        selection = self._selection(inner, depth - 1) if is_composite_type(inner) else ""
        return f"{self._alias(name)}{name}{arguments} {self._directive()} {selection}"

    def _alias(self, name: str) -> str:
        # An alias belongs to one name, so that fields of the same key can be merged.
        return f"{name}_{self._source.randrange(2)}: " if self._source.random() < 0.2 else ""

    def _directive(self) -> str:
        return self._source.choice(DIRECTIVES) if self._source.random() < 0.15 else ""

    def _condition(self, of_type: GraphQLNamedType) -> GraphQLNamedType:
        return self._source.choice(self._conditions(of_type))

    def _conditions(self, of_type: GraphQLNamedType) -> Sequence[GraphQLNamedType]:
        """Return the types that a fragment inside a type can be on."""
        if isinstance(of_type, GraphQLObjectType):
            return [of_type, *of_type.interfaces]
        assert isinstance(of_type, GraphQLInterfaceType | GraphQLUnionType)
        return [of_type, *self._schema.get_possible_types(of_type)]
