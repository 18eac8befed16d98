"""What is known of an operation before any request: all but its variables and its context."""

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.execution import optimized_is_awaitable

from gql_platform.graphql.execution.plans.chain import chain_of
from gql_platform.graphql.execution.plans.executor import CompiledExecution
from gql_platform.graphql.execution.plans.variables import NotPlannableError, Variables


class OperationPlan:
    """Make the executions of an operation.

    graphql-core would look for the operation and its fragments anew for each of them, and coerce
    the variables by walking through their types.

    Args:
        schema: The schema.
        document: A document that is valid for it.
        operation: One of its operations.
        hide_suggestions: Whether errors of variables leave out what the schema has.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        *,
        hide_suggestions: bool = False,
    ) -> None:
        self._schema = schema
        self._document = document
        self._operation = operation
        self._hide_suggestions = hide_suggestions
        self._definitions = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._fragments = {
            name: FragmentDetails(definition) for name, definition in self._definitions.items()
        }
        self._variables = self._planned_variables()
        self._chain = chain_of(schema, operation)

    def execution(
        self, context: Any, variables: Mapping[str, Any] | None
    ) -> CompiledExecution | list[GraphQLError]:
        """Return an execution, or what is wrong with the variables.

        Args:
            context: What resolvers see.
            variables: The values of the variables, as they came in.
        """
        values = self._variables.values(variables) if self._variables else None
        if values is None:
            built: CompiledExecution | list[GraphQLError] = self._built(context, variables)
            return built
        execution = CompiledExecution(
            self._schema,
            self._definitions,
            self._fragments,
            None,
            context,
            self._operation,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=self._hide_suggestions,
            operation_extensions=None,
        )
        execution.chain = self._chain
        return execution

    def _built(self, context: Any, variables: Mapping[str, Any] | None) -> Any:
        """Let graphql-core make it, which knows what is wrong with variables."""
        name = self._operation.name
        return CompiledExecution.build(
            self._schema,
            self._document,
            None,
            context,
            dict(variables or {}),
            name.value if name else None,
            is_awaitable=cast(Any, optimized_is_awaitable),
            hide_suggestions=self._hide_suggestions,
            operation_extensions=None,
        )

    def _planned_variables(self) -> Variables | None:
        if any(each.variable_definitions for each in self._definitions.values()):
            return None
        try:
            return Variables(self._schema, self._operation.variable_definitions or ())
        except NotPlannableError:
            return None
