"""The events of a subscription, whose selection is collected once for all of them."""

from typing import Any, cast

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType
from graphql.execution.collect_fields import collect_fields

from gql_platform.graphql.execution.plans.executor import CompiledExecution


class EventPlan:
    """Execute the events of one subscription.

    graphql-core would collect the fields of the root anew for each event. As the variables stay
    the same, so do the fields; and what is known by the fields stays known.

    Args:
        execution: The execution of the subscription.

    Raises:
        GraphQLError: If a directive has a variable that is null where it may not be.
    """

    def __init__(self, execution: CompiledExecution) -> None:
        self._execution = execution
        self._root_type = cast(GraphQLObjectType, execution.schema.subscription_type)
        self._collected = collect_fields(
            execution.schema,
            execution.fragments,
            execution.variable_values,
            self._root_type,
            execution.operation,
            execution.hide_suggestions,
        )

    async def result(self, payload: Any) -> ExecutionResult:
        """Return the answer to an event.

        Args:
            payload: What the source of the subscription yielded.
        """
        execution = self._execution.for_event(payload)
        fields, deferred, _ = self._collected
        try:
            data: Any = execution.execute_collected_root_fields(
                self._root_type, payload, fields, False, deferred
            )
            if execution.is_awaitable(data):
                data = await data
        except GraphQLError as error:
            execution.collected_errors.add(error, None)
            data = None
        response: Any = execution.build_response(data)
        answer: ExecutionResult = execution.finish(response)
        return answer
