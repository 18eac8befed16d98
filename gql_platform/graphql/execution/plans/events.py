"""The events of a subscription, whose selection is collected once for all of them."""

from typing import Any, NamedTuple, cast

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    get_nullable_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.pyutils import Path
from strawberry.types import ExecutionResult

from gql_platform.graphql.execution.plans.classes import record_of
from gql_platform.graphql.execution.plans.executor import CompiledExecution

_EVENT_ITSELF = "GraphQLCoreConverter.from_field.<locals>.<lambda>"
"""The name of Strawberry's resolver for a subscription's field, which returns the event itself."""


class _RootField(NamedTuple):
    """The one field of the root, whose value is the event itself.

    Attributes:
        key: Its key in the response.
        definition: The field in the schema.
        details: The nodes of the document that select it.
        nodes: The same, without their context.
        path: Its place.
        nullable_type: Its type without the mark of what is never null.
        record: The class whose instances are values of that type for certain, if there is one.
    """

    key: str
    definition: GraphQLField
    details: list[FieldDetails]
    nodes: list[FieldNode]
    path: Path
    nullable_type: Any
    record: type | None


class EventPlan:
    """Execute the events of one subscription, one after the other.

    graphql-core would collect the fields of the root and coerce their arguments anew for each
    event. As the variables stay the same, so do the fields; and what is known by them stays known.

    Args:
        execution: The execution of the subscription.

    Raises:
        GraphQLError: If a directive has a variable that is null where it may not be.
    """

    def __init__(self, execution: CompiledExecution) -> None:
        self._execution = execution
        self._used: CompiledExecution | None = None
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
        """Return the answer to an event, before the next one is asked for.

        Args:
            payload: What the source of the subscription yielded.
        """
        execution = self._execution.for_event(payload, self._used)
        self._used = None
        is_waiting = False
        try:
            data = self._data(execution, payload)
            is_waiting = execution.is_awaitable(data)
            if is_waiting:
                data = await data
        except GraphQLError as error:
            execution.collected_errors.add(error, None)
            data = None
        errors = execution.collected_errors.errors
        if not errors and not is_waiting:
            # Nothing is left that could still report to it.
            self._used = execution
        return ExecutionResult(data, errors or None)

    def _data(self, execution: CompiledExecution, payload: Any) -> Any:
        """Return the data, or what makes them."""
        field = self._field
        if field is None or (type(payload) is not field.record and execution.is_awaitable(payload)):
            return self._executed(execution, payload)
        try:
            value = self._completed(execution, field, payload)
            if execution.is_awaitable(value):
                return self._later(execution, field, value)
        except Exception as error:  # noqa: BLE001 - it becomes the field's error
            value = _failed(execution, field, error)
        return {field.key: value}

    async def _later(self, execution: CompiledExecution, field: _RootField, value: Any) -> Any:
        try:
            return {field.key: await value}
        except Exception as error:  # noqa: BLE001 - it becomes the field's error
            return {field.key: _failed(execution, field, error)}

    def _executed(self, execution: CompiledExecution, payload: Any) -> Any:
        fields, deferred, _ = self._collected
        return execution.execute_collected_root_fields(
            self._root_type, payload, fields, False, deferred
        )

    def _completed(self, execution: CompiledExecution, field: _RootField, payload: Any) -> Any:
        """Complete the event as the value of the root's one field."""
        details, path = field.details, field.path
        if type(payload) is field.record:
            return execution.collect_and_execute_subfields(
                field.nullable_type, details, path, payload, None
            )
        definition = field.definition
        info = execution.build_resolve_info(definition, field.nodes, self._root_type, path)
        return execution.complete_value(definition.type, details, info, path, payload, None)

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
        of_type = get_nullable_type(definition.type)
        return _RootField(
            key,
            definition,
            details,
            [each.node for each in details],
            Path(None, key, self._root_type.name),
            of_type,
            record_of(of_type) if is_object_type(of_type) else None,
        )


def _failed(execution: CompiledExecution, field: _RootField, error: Exception) -> Any:
    return execution.handle_field_error(error, field.definition.type, field.details, field.path)
