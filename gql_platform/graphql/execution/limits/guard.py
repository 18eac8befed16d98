"""The door of the server: what a document may be, and what it costs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    Source,
    get_introspection_query,
    parse,
)
from graphql.language import Lexer, Token
from graphql.language.parser import Parser

from gql_platform.graphql.execution.limits.bounds import SATURATED, Limit, Limits
from gql_platform.graphql.execution.limits.declarations import CostTable
from gql_platform.graphql.execution.limits.expansion import Expansion, Measures
from gql_platform.graphql.execution.limits.refusals import (
    IntrospectionDisabledError,
    LimitExceededError,
)
from gql_platform.graphql.execution.limits.response import ResponseCost
from gql_platform.graphql.execution.limits.sizes import size_of_literal
from gql_platform.graphql.execution.limits.sums import Formula
from gql_platform.graphql.execution.limits.survey import Survey, count_definitions, survey
from gql_platform.graphql.execution.limits.validation import find_errors

_MANY_TOKENS = "tokens. Parsing aborted."
_NO_VARIABLES: Mapping[str, object] = {}


class MeasuredOperation:
    """An operation that is within the limits, as far as they do not depend on variables.

    Args:
        node: The operation.
        measures: What it holds, with its fragments written out.
        formula: Its nodes and its cost.
        response: Makes what knows the cost of its answers; called when the first one is looked at.
        limits: The limits.

    Attributes:
        node: The same.
        type: Whether it is a query, a mutation, or a subscription.
        name: Its name, if it has one.
        is_introspection: Whether it asks for the schema alone.
        measured: What was measured of it, by limit.
    """

    def __init__(
        self,
        node: OperationDefinitionNode,
        measures: Measures,
        formula: Formula,
        response: Callable[[], ResponseCost],
        limits: Limits,
    ) -> None:
        self.node = node
        self.type: OperationType = node.operation
        self.name = node.name.value if node.name else None
        self.is_introspection = all(map(_asks_for_schema, node.selection_set.selections))
        self.measured: dict[Limit, int] = _static_measures(measures)
        self._formula = formula
        self._limits = limits
        self._make_response = response
        self._defaults = {
            each.variable.name.value: size_of_literal(each.default_value)
            for each in node.variable_definitions or ()
            if each.default_value is not None
        }
        self._constant: int | None = None
        constants = formula.constants
        if constants is not None:
            nodes, self._constant = constants
            self.measured |= {Limit.NODES: nodes, Limit.COST: self._constant}

    def requested(self, variables: Mapping[str, object] | None = None) -> int:
        """Return what the operation costs at most with these variables, as the client sent them.

        Raises:
            LimitExceededError: If that is too much, or the answer may hold too many objects.
        """
        if self._constant is not None:
            return self._constant
        nodes, cost = self._formula.evaluate(variables or _NO_VARIABLES, self._defaults)
        if nodes > self._limits.nodes or cost > self._limits.cost:
            self._limits.check({Limit.NODES: nodes, Limit.COST: cost})
        return cost

    def actual(
        self, data: dict[str, Any] | None, variables: Mapping[str, object] | None = None
    ) -> int:
        """Return what an answer has cost.

        Args:
            data: The answer's data, as plain dictionaries and lists.
            variables: As the client sent them.
        """
        return self._response.of(data, variables or _NO_VARIABLES, self._defaults)

    @cached_property
    def _response(self) -> ResponseCost:
        return self._make_response()


class MeasuredDocument:
    """A document that is within the limits.

    Attributes:
        operations: Its operations by name; one without a name has the key None.
    """

    def __init__(self, operations: Mapping[str | None, MeasuredOperation]) -> None:
        self.operations = operations

    def operation(self, name: str | None) -> MeasuredOperation | None:
        """Return the operation that ``operationName`` means; None when that is not clear."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name)


_OF_THE_SCHEMA = frozenset(("__schema", "__type", "__typename"))

INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    one_of=True,
)
"""The usual document of tools that ask for the whole schema."""

UNLIMITED = Limits(nodes=SATURATED - 1, cost=SATURATED - 1)


class Guard:
    """Take in the documents for one schema.

    Args:
        schema: The schema.
        limits: The largest document that is taken.
        introspection: Whether documents may ask for the schema.
        suggestions: Whether errors of validation suggest names that the schema has.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits | None = None,
        *,
        introspection: bool = True,
        suggestions: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self._schema = schema
        self._table = CostTable(schema)
        self._introspection = introspection
        self._suggestions = suggestions

    def parse(self, text: str) -> DocumentNode:
        """Parse a text within the limits of bytes and tokens.

        Raises:
            LimitExceededError: If it is too long.
            GraphQLSyntaxError: If it is no GraphQL.
        """
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        self.limits.check({Limit.BYTES: size})
        maximum = self.limits.tokens
        source = Source(text)
        lexer = Lexer(source)
        first = lexer.token
        try:
            return Parser(source, lexer=lexer, max_tokens=maximum).parse_document()
        except RecursionError:
            # Its frames are many; nobody is to see them, nor to keep them.
            reason = "Document is nested too deeply. Parsing aborted."
            raise GraphQLSyntaxError(source, lexer.token.start, reason) from None
        except GraphQLSyntaxError as error:
            if _MANY_TOKENS not in error.message:
                raise
            raise LimitExceededError(Limit.TOKENS, maximum + 1, maximum, at_least=True) from error
        finally:
            _unlink(first)

    def measure(self, document: DocumentNode) -> MeasuredDocument:
        """Measure a document, before it is validated.

        Raises:
            LimitExceededError: If it is too large, or would be too costly with any variables.
            IntrospectionDisabledError: If it asks for the schema, and may not.
            FragmentCycleError: If a fragment spreads itself.
        """
        self.limits.check(count_definitions(document))
        found = survey(document)
        self.limits.check(found.counted)
        if found.introspection is not None and not self._introspection:
            raise IntrospectionDisabledError(found.introspection)
        operations = self._operations(found, self.limits)
        is_introspection = all(each.is_introspection for each in operations.values())
        limits = self._limits_of_introspection if is_introspection else self.limits
        limits.check(_largest(operations))
        return MeasuredDocument(operations)

    @cached_property
    def _limits_of_introspection(self) -> Limits:
        """What documents may cost that ask for the schema alone: as much as the usual one.

        That one grows with the schema, and tools need it whatever the size.
        """
        found = survey(parse(INTROSPECTION))
        (usual,) = self._operations(found, UNLIMITED).values()
        return replace(
            self.limits,
            nodes=max(self.limits.nodes, usual.measured[Limit.NODES]),
            cost=max(self.limits.cost, usual.measured[Limit.COST]),
        )

    def validate(self, document: DocumentNode) -> list[GraphQLError]:
        """Validate a document that was measured, and return a few of its errors.

        Raises:
            LimitExceededError: If validating it takes too many comparisons.
        """
        return find_errors(
            self._schema,
            document,
            comparisons=self.limits.comparisons,
            suggestions=self._suggestions,
        )

    def _operations(self, found: Survey, limits: Limits) -> dict[str | None, MeasuredOperation]:
        expansion = Expansion(self._table)
        for fragment in found.fragments.values():
            expansion.add_fragment(fragment)
        operations: dict[str | None, MeasuredOperation] = {}
        for node in found.operations:
            measures = expansion.operation(node)
            formula = expansion.steps.formula(measures.amount.nodes, measures.amount.cost)
            response = partial(ResponseCost, self._table, node, found.fragments)
            measured = MeasuredOperation(node, measures, formula, response, limits)
            operations[measured.name] = measured
        return operations


def _asks_for_schema(selection: SelectionNode) -> bool:
    return isinstance(selection, FieldNode) and selection.name.value in _OF_THE_SCHEMA


def _static_measures(measures: Measures) -> dict[Limit, int]:
    return {
        Limit.NESTING: measures.nesting,
        Limit.DEPTH: measures.depth,
        Limit.ALIASES: measures.aliases,
        Limit.ROOT_FIELDS: measures.root_fields,
        Limit.DIRECTIVES: measures.directives,
        Limit.FIELDS: measures.fields,
    }


def _largest(operations: Mapping[str | None, MeasuredOperation]) -> dict[Limit, int]:
    """Return the largest measures of all operations, in the order of `Limit`."""
    largest: dict[Limit, int] = {}
    for operation in operations.values():
        for limit, value in operation.measured.items():
            largest[limit] = max(largest.get(limit, 0), value)
    return {limit: largest[limit] for limit in Limit if limit in largest}


def _unlink(token: Token | None) -> None:
    """Take the links between tokens away, which nobody follows any more.

    They refer to each other in both directions. Without the links a document that is refused is
    gone at once; with them it stays until the garbage collector holds everything up.
    """
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following
