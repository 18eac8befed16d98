"""The events of a subscription, whose selection is collected once for all of them."""

from typing import Any, NamedTuple, cast

from graphql import ExecutionResult, FieldNode, GraphQLError, GraphQLField, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.pyutils import Path

from gql_platform.graphql.execution.plans.executor import CompiledExecution

_EVENT_ITSELF = "GraphQLCoreConverter.from_field.<locals>.<lambda>"
"""The name of Strawberry's resolver for a subscription's field, which returns the event itself."""


class _RootField(NamedTuple):
    """The one field of the root, whose value is the event itself."""

    key: str
    definition: GraphQLField
    details: list[FieldDetails]
    nodes: list[FieldNode]
    path: Path


class EventPlan:
    """Execute the events of one subscription.

    graphql-core would collect the fields of the root and coerce their arguments anew for each
    event. As the variables stay the same, so do the fields; and what is known by them stays known.

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
        self._field = self._event_itself()

    async def result(self, payload: Any) -> ExecutionResult:
        """Return the answer to an event.

        Args:
            payload: What the source of the subscription yielded.
        """
        execution = self._execution.for_event(payload)
        try:
            if self._field is not None and not execution.is_awaitable(payload):
                data: Any = {
                    self._field.key: await self._completed(execution, self._field, payload)
                }
            else:
                data = self._executed(execution, payload)
                if execution.is_awaitable(data):
                    data = await data
        except GraphQLError as error:
            execution.collected_errors.add(error, None)
            data = None
        response: Any = execution.build_response(data)
        answer: ExecutionResult = execution.finish(response)
        return answer

    def _executed(self, execution: CompiledExecution, payload: Any) -> Any:
        fields, deferred, _ = self._collected
        return execution.execute_collected_root_fields(
            self._root_type, payload, fields, False, deferred
        )

    async def _completed(
        self, execution: CompiledExecution, field: _RootField, payload: Any
    ) -> Any:
        """Complete the event as the value of the root's one field."""
        _, definition, details, nodes, path = field
        info = execution.build_resolve_info(definition, nodes, self._root_type, path)
        try:
            value = execution.complete_value(definition.type, details, info, path, payload, None)
            return await value if execution.is_awaitable(value) else value
        except Exception as error:  # noqa: BLE001 - it becomes the field's error
            return execution.handle_field_error(error, definition.type, details, path)

    def _event_itself(self) -> _RootField | None:
        """Return the root's one field, if its value is the event; None otherwise."""
        fields = self._collected.grouped_field_set
        if len(fields) != 1:
            return None
        ((key, details),) = fields.items()
        name = details[0].node.name.value
        definition = self._execution.schema.get_field(self._root_type, name)
        if definition is None or getattr(definition.resolve, "__qualname__", "") != _EVENT_ITSELF:
            return None
        nodes = [each.node for each in details]
        return _RootField(key, definition, details, nodes, Path(None, key, self._root_type.name))
