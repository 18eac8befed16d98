"""Validation with bounded effort.

Three things make graphql-core's validation slow on hostile documents that are small enough: the
search for fields that cannot be merged compares each pair of them; each error may look for names
that are spelled alike; and messages repeat what the client sent, however long it is.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from graphql import (
    SKIP,
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    ObjectValueNode,
    OverlappingFieldsCanBeMergedRule,
    ParallelVisitor,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableNode,
    Visitor,
    VisitorAction,
    specified_rules,
    visit,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.utilities import validate_input_literal
from graphql.validation.validate import ValidationAbortedError
from graphql.validation.validation_context import NodeWithSelectionSet, VariableUsage
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gql_platform.graphql.execution.limits.bounds import Limit
from gql_platform.graphql.execution.limits.refusals import LimitExceededError

_VISITED = {
    kind: tuple(key for key in keys if key != "description")
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""Where values lie that mean something; descriptions are strings that mean nothing."""

MAX_ERRORS = 5
MAX_MESSAGE_LENGTH = 500


def find_errors(
    schema: GraphQLSchema,
    document: DocumentNode,
    *,
    comparisons: int,
    suggestions: bool = False,
    max_errors: int = MAX_ERRORS,
) -> list[GraphQLError]:
    """Validate a document, by the rules of the specification and of Strawberry.

    Args:
        schema: The schema.
        document: A document that is within the other limits.
        comparisons: See `Limits`.
        suggestions: Whether errors suggest names that the schema has.
        max_errors: How many errors are returned at most.

    Raises:
        LimitExceededError: If finding fields that cannot be merged takes more comparisons.
    """
    errors: list[GraphQLError] = []

    def report(error: GraphQLError) -> None:
        if len(errors) == max_errors:
            raise ValidationAbortedError("these are enough")
        errors.append(error)

    type_info = TypeInfo(schema)
    context = _Context(schema, document, type_info, report, not suggestions)
    rules = [rule(context) for rule in _rules(comparisons)]
    side_by_side = ParallelVisitor(rules)
    visitor = TypeInfoVisitor(type_info, side_by_side)
    try:
        visit(document, visitor, _VISITED)
    except ValidationAbortedError as aborted:
        if len(errors) < max_errors:
            limit, made = Limit.COMPARISONS, comparisons + 1
            raise LimitExceededError(limit, made, comparisons, at_least=True) from aborted
    finally:
        _let_go([visitor, side_by_side, *rules], type_info, context)
    for error in errors:
        if len(error.message) > MAX_MESSAGE_LENGTH:
            error.message = error.message[:MAX_MESSAGE_LENGTH] + "…"
    return errors


def _let_go(visitors: Sequence[Visitor], type_info: TypeInfo, context: "_Context") -> None:
    """Empty the visitors, which refer to themselves.

    Without what they hold of a document it is gone as soon as it is refused; with it, it stays
    until the garbage collector holds everything up.
    """
    for each in (*visitors, type_info):
        vars(each).clear()
    for usages in context.found_usages:
        usages.clear()


class _Context(ValidationContext):
    """A context that knows what visitors of its own have found.

    Attributes:
        found_usages: The variables that they found.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.found_usages: list[list[VariableUsage]] = []

    def get_variable_usages(self, node: NodeWithSelectionSet) -> list[VariableUsage]:
        """Return the uses of variables in a definition."""
        usages = super().get_variable_usages(node)
        self.found_usages.append(usages)
        return usages


@cache
def _rules(comparisons: int) -> Sequence[type[ASTValidationRule]]:
    class BoundedOverlap(OverlappingFieldsCanBeMergedRule):
        """The rule of the specification, with a budget of its own instead of the module's."""

        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self.rule_context.remaining_complexity_budget = comparisons

    bounded: dict[type[ASTValidationRule], type[ASTValidationRule]] = {
        OverlappingFieldsCanBeMergedRule: BoundedOverlap,
        ValuesOfCorrectTypeRule: BoundedValuesRule,
    }
    specified = [bounded.get(rule, rule) for rule in specified_rules]
    return (*specified, MaybeNullValidationRule, OneOfRule)


class _FoundError(Exception):
    """The first error of a literal was reported."""


class BoundedValuesRule(ValuesOfCorrectTypeRule):
    """The rule of the specification, which stops at the first error of a long literal.

    Each of its errors prints the literal.
    """

    def is_valid_value_node(
        self, node: ValueNode, input_type: GraphQLInputType | None
    ) -> VisitorAction:
        """Report what is wrong with a literal."""
        if input_type is None or node.loc is None:
            return super().is_valid_value_node(node, input_type)
        is_long = node.loc.end - node.loc.start > MAX_MESSAGE_LENGTH

        def report(error: GraphQLError, _: object) -> None:
            self.report_error(error)
            if is_long:
                raise _FoundError

        with suppress(_FoundError):
            validate_input_literal(
                node, input_type, report, hide_suggestions=self.context.hide_suggestions
            )
        return SKIP


class OneOfRule(OneOfInputValidationRule):
    """Strawberry's rule, which fails on fragments that stand before their operation.

    A variable that is not declared yet is left to the coercion of variables, which refuses null.
    """

    def __init__(self, validation_context: ValidationContext) -> None:
        super().__init__(validation_context)
        self.variable_definitions = {}

    def enter_object_value(self, node: ObjectValueNode, *args: Any) -> None:
        """Check an object, if its variables are known."""
        values = (each.value for each in node.fields)
        names = {value.name.value for value in values if isinstance(value, VariableNode)}
        if names <= self.variable_definitions.keys():
            super().enter_object_value(node, *args)
