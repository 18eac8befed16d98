"""A schema whose operations come from a store of documents and run by compiled plans.

It is a Strawberry schema, and `execute`, `subscribe` and `stream` are its doors as ever; what lies
behind them is made for a server.
A document is measured, validated and planned once; what an operation may cost is known before it
runs; and no operation runs for longer than its deadline.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import strawberry
from graphql import ExecutionResult as CoreResult
from graphql import (
    GraphQLError,
    OperationType,
    create_source_event_stream,
    execute_root_selection_set,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType as StrawberryOperationType
from strawberry.utils.await_maybe import await_maybe

from gql_platform.graphql.execution.documents import CheckedDocument, DocumentStore
from gql_platform.graphql.execution.hooks import OperationHooks
from gql_platform.graphql.execution.limits.guard import Guard, MeasuredOperation
from gql_platform.graphql.execution.limits.refusals import (
    DeadlineExceededError,
    LimitExceededError,
    UnknownOperationError,
    UnnamedOperationError,
)
from gql_platform.graphql.execution.plans import CompiledExecution, EventPlan, OperationPlan
from gql_platform.graphql.execution.request import OperationRequest
from gql_platform.graphql.execution.trusted import TrustedDocument

DEADLINE_SECONDS = 30.0
ANY_TYPE: frozenset[OperationType] = frozenset(OperationType)

Types: TypeAlias = Collection[OperationType]
Variables: TypeAlias = dict[str, Any]
Results: TypeAlias = AsyncGenerator[ExecutionResult, None]


class OperationTypeError(Exception):
    """The operation is of a type that the transport does not take.

    Args:
        operation_type: What it is.
    """

    def __init__(self, operation_type: OperationType) -> None:
        super().__init__(operation_type.value)
        self.operation_type = operation_type


@dataclass
class Refusal(PreExecutionError):  # noqa: N818 - it is a result, no exception
    """The answer to an operation that did not run.

    Attributes:
        is_bad_request: Whether the request itself is at fault, such as for naming an operation
            that its document does not have, rather than what the document says.
    """

    is_bad_request: bool = False


@dataclass(slots=True)
class _Operation:
    """An operation on its way.

    Attributes:
        request: Who asked for it.
        context: Its context.
        checked: Its document.
        measured: What is known of it beforehand; None when it will not run.
        requested: What it costs at most.
        seen: The errors that were told.
        started: The clock when it began.
    """

    request: OperationRequest
    context: Any
    checked: CheckedDocument
    measured: MeasuredOperation | None
    requested: int
    seen: list[GraphQLError]
    started: float


class CompiledSchema(strawberry.Schema):
    """A Strawberry schema that is made for a server.

    Args:
        query: The root type of queries.
        mutation: The root type of mutations.
        subscription: The root type of subscriptions.
        types: Further types.
        config: As for Strawberry.
        hooks: What the product does with operations.
        introspection: Whether documents may ask for the schema.
        suggestions: Whether errors suggest names that the schema has.
        deadline_seconds: How long a query or mutation may take.
        trusted: Documents that are kept for good.
        only_trusted: Whether no others run.
    """

    def __init__(
        self,
        query: type,
        mutation: type | None = None,
        subscription: type | None = None,
        *,
        types: Iterable[type] = (),
        config: StrawberryConfig | None = None,
        hooks: OperationHooks,
        introspection: bool = True,
        suggestions: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
        trusted: Iterable[TrustedDocument] = (),
        only_trusted: bool = False,
    ) -> None:
        super().__init__(
            query,
            mutation,
            subscription,
            types=types,
            config=config,
            execution_context_class=CompiledExecution,
        )
        guard = Guard(self._schema, introspection=introspection, suggestions=suggestions)
        self.documents = DocumentStore(guard, trusted=trusted, only_trusted=only_trusted)
        self._hooks = hooks
        self._suggestions = suggestions
        self._deadline_seconds = deadline_seconds

    @property
    def type_names(self) -> frozenset[str]:
        """The names of all its types."""
        return frozenset(self._schema.type_map)

    async def execute(
        self,
        query: str | None,
        variable_values: Variables | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[StrawberryOperationType] | None = None,
        operation_extensions: Mapping[str, Any] | None = None,
    ) -> ExecutionResult:
        """Run a query or mutation; as Strawberry's method of this name."""
        request = _request(query, variable_values, root_value, operation_name, operation_extensions)
        return await self.run(request, context_value, allowed=_allowed(allowed_operation_types))

    async def stream(
        self,
        query: str | None,
        variable_values: Variables | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: Mapping[str, Any] | None = None,
        allowed_operation_types: Iterable[StrawberryOperationType] | None = None,
    ) -> Results:
        """Run an operation of any type; as Strawberry's method of this name."""
        request = _request(query, variable_values, root_value, operation_name, operation_extensions)
        return await self.results(request, context_value, allowed=_allowed(allowed_operation_types))

    async def run(
        self, request: OperationRequest, context: Any, *, allowed: Types = ANY_TYPE
    ) -> ExecutionResult:
        """Run a query or mutation.

        Args:
            request: What to run.
            context: What its resolvers see.
            allowed: The types of operation that may run.

        Returns:
            The answer; a `Refusal` when nothing ran.

        Raises:
            OperationTypeError: If it is of a type that may not run.
        """
        operation = await self._begun(request, context, allowed)
        try:
            return await self._answer(operation)
        finally:
            self._end(operation)

    async def results(
        self, request: OperationRequest, context: Any, *, allowed: Types = ANY_TYPE
    ) -> Results:
        """Run an operation of any type.

        Args:
            request: What to run.
            context: What its resolvers see.
            allowed: The types of operation that may run.

        Returns:
            Its answers: the events of a subscription, or a single one.

        Raises:
            OperationTypeError: If it is of a type that may not run.
        """
        operation = await self._begun(request, context, allowed)
        measured = operation.measured
        if measured is not None and measured.type is OperationType.SUBSCRIPTION:
            return self._events(operation)
        return self._single(operation)

    async def _single(self, operation: _Operation) -> Results:
        try:
            yield await self._answer(operation)
        finally:
            self._end(operation)

    async def _begun(self, request: OperationRequest, context: Any, allowed: Types) -> _Operation:
        """Find the operation, and what stands against it."""
        started = time.perf_counter()
        checked = await self.documents.find(request)
        operation = _Operation(request, context, checked, None, 0, checked.errors, started)
        if checked.errors or checked.measured is None:
            return operation
        operation.measured = checked.measured.operation(request.operation_name)
        if operation.measured is None:
            operation.seen = [_unknown(request.operation_name)]
            return operation
        if operation.measured.type not in allowed:
            raise OperationTypeError(operation.measured.type)
        try:
            operation.requested = operation.measured.requested(request.variables)
        except LimitExceededError as error:
            operation.seen = [error]
        return operation

    async def _answer(self, operation: _Operation) -> ExecutionResult:
        """Run a query or mutation within its deadline."""
        if operation.seen:
            return self._refusal(operation, operation.seen)
        try:
            async with asyncio.timeout(self._deadline_seconds):
                result: CoreResult = await await_maybe(self._executed(operation))
        except TimeoutError:
            late = DeadlineExceededError(self._deadline_seconds)
            return self._told(operation, CoreResult(None, [late]))
        if result.data is None and all(error.path is None for error in result.errors or ()):
            # It was about the variables, which are looked at before anything runs.
            return self._refusal(operation, result.errors or [], in_document=False)
        return self._told(operation, result)

    def _executed(self, operation: _Operation) -> Any:
        measured = operation.measured
        if measured is not None and measured.is_introspection:
            # The schema of many models takes a second, and nothing of it waits for the loop.
            return asyncio.to_thread(self._begun_execution, operation)
        return self._begun_execution(operation)

    def _begun_execution(self, operation: _Operation) -> Any:
        execution = self._execution(operation)
        if isinstance(execution, list):
            return CoreResult(None, execution)
        return execute_root_selection_set(execution)

    def _execution(self, operation: _Operation) -> CompiledExecution | list[GraphQLError]:
        """Return the execution of an operation by its plan, or what its variables lack."""
        measured, checked = operation.measured, operation.checked
        assert measured is not None and checked.document is not None  # noqa: S101, PT018 - it runs
        plan = checked.plans.get(measured.name)
        if plan is None:
            plan = checked.plans[measured.name] = OperationPlan(
                self._schema,
                checked.document,
                measured.node,
                hide_suggestions=not self._suggestions,
            )
        return plan.execution(operation.context, operation.request.variables)

    async def _events(self, operation: _Operation) -> Results:
        """Run a subscription, whose first event tells the cost."""
        try:
            begun = await self._source(operation)
            if isinstance(begun, Refusal):
                yield begun
                return
            execution, source = begun
            is_first = True
            try:
                plan = EventPlan(execution)
                async with aclosing(source):
                    async for payload in source:
                        result = await plan.result(payload)
                        if is_first or result.errors:
                            result = self._told(operation, result, is_costed=is_first)
                            is_first = False
                        yield result
            except Exception as error:  # noqa: BLE001 - it becomes the last answer
                wrapped = GraphQLError(str(error), original_error=error)
                yield self._told(operation, CoreResult(None, [wrapped]), is_costed=False)
        finally:
            self._end(operation)

    async def _source(self, operation: _Operation) -> tuple[CompiledExecution, Any] | Refusal:
        """Return a subscription's execution and the source of its events."""
        if operation.seen:
            return self._refusal(operation, operation.seen)
        execution = self._execution(operation)
        if isinstance(execution, list):
            return self._refusal(operation, execution, in_document=False)
        source: Any = await await_maybe(create_source_event_stream(execution))
        if isinstance(source, CoreResult):
            return self._refusal(operation, source.errors or [], in_document=False)
        return execution, source

    def _told(
        self,
        operation: _Operation,
        result: CoreResult | ExecutionResult,
        *,
        is_costed: bool = True,
    ) -> ExecutionResult:
        """Return an answer with its cost, and errors that the caller may see."""
        errors = result.errors
        if errors:
            errors = self._hooks.translated(errors, operation.context, in_document=False)
            operation.seen = [*operation.seen, *errors]
        extensions = {"cost": self._cost(operation, result.data)} if is_costed else None
        return ExecutionResult(data=result.data, errors=errors, extensions=extensions)

    def _cost(self, operation: _Operation, data: dict[str, Any] | None) -> dict[str, int]:
        assert operation.measured is not None  # noqa: S101 - it ran
        actual = operation.measured.actual(data, operation.request.variables)
        return {"requested": operation.requested, "actual": actual}

    def _refusal(
        self, operation: _Operation, errors: list[GraphQLError], *, in_document: bool = True
    ) -> Refusal:
        """Return the answer to an operation that did not run."""
        told = self._hooks.translated(errors, operation.context, in_document=in_document)
        operation.seen = told
        is_bad = any(getattr(error, "is_bad_request", False) for error in errors)
        return Refusal(data=None, errors=told, is_bad_request=is_bad)

    def _end(self, operation: _Operation) -> None:
        measured = operation.measured
        self._hooks.ended(
            operation.context,
            name=measured.name if measured else None,
            operation_type=measured.type.value if measured else "unknown",
            seconds=time.perf_counter() - operation.started,
            errors=operation.seen,
        )


def _allowed(types: Iterable[StrawberryOperationType] | None) -> Types:
    return ANY_TYPE if types is None else {OperationType(each.value) for each in types}


def _request(
    query: str | None,
    variables: Variables | None,
    root_value: Any,
    operation_name: str | None,
    extensions: Mapping[str, Any] | None,
) -> OperationRequest:
    """Return a request of what Strawberry's methods are given.

    Raises:
        TypeError: If there is a value of the root, or there are extensions: no resolver sees them.
    """
    if root_value is not None or extensions:
        raise TypeError("operations have no root value, and no extensions, here")
    return OperationRequest(query or "", operation_name, variables)


def _unknown(name: str | None) -> GraphQLError:
    return UnnamedOperationError() if name is None else UnknownOperationError(name)
