"""The execution of an operation, with compiled selections where there are some."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from graphql import GraphQLField, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path, is_awaitable
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql_platform.graphql.execution.plans.chain import Link, chained
from gql_platform.graphql.execution.plans.plan import Plan
from gql_platform.graphql.execution.plans.slots import Function
from gql_platform.graphql.execution.plans.store import Key, plans_of

MAX_AT_HAND = 1_000


class CompiledExecution(StrawberryGraphQLCoreExecutionContext):
    """Executes an operation as Strawberry does, but plain selections by compiled functions.

    Data, errors, their paths and their order are the same.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans = plans_of(self.schema)
        # The function of each selection that this operation met, by the ids of what it is made
        # of; the objects stand beside it so that no id is used again.
        self._at_hand: dict[Key, tuple[object, Function]] = {}
        # The same for selections that are left to graphql-core this time.
        self._left: dict[Key, object] = {}
        self.chain: Link | None = None
        middleware = self.middleware_manager
        self._compiles = (
            # Where parts of an answer may come later, graphql-core is in charge of all of it.
            self.schema.get_directive("defer") is None
            and not (middleware and middleware.middlewares)
            and self.is_awaitable in (optimized_is_awaitable, is_awaitable)
        )  # fmt: skip

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute the operation; along its chain, if it is one."""
        if self.chain is not None and self._compiles and self.abort_signal is None:
            return chained(self, self.chain)
        return super().execute_operation(serially)

    def build_per_event_executor(self, payload: Any) -> "CompiledExecution":
        """Return an execution for an event of a subscription.

        What an execution remembers by the ids of lists grows with each event, since each collects
        its fields anew. So every event begins with nothing.
        """
        executor = cast(CompiledExecution, super().build_per_event_executor(payload))
        executor._at_hand = {}  # noqa: SLF001 - it is one of our own
        executor._left = {}  # noqa: SLF001
        executor._relevant_sub_fields = {}  # noqa: SLF001
        return executor

    def for_event(
        self, payload: Any, used: "CompiledExecution | None" = None
    ) -> "CompiledExecution":
        """Return an execution for an event, of a subscription whose fields were collected once.

        What this one remembers by the ids of lists holds for all events then. But what it left to
        graphql-core may be worth compiling by now, since each event is an execution of its own.

        Args:
            payload: The event.
            used: The execution of an earlier event, when nothing refers to it any more; taking it
                costs less than making another one.
        """
        if used is None:
            event = object.__new__(type(self))
            event.__dict__.update(self.__dict__)
            event.collected_errors = CollectedErrors()
            event._left = {}
        else:
            event = used
            event._left.clear()  # noqa: SLF001
        event.root_value = payload
        return event

    def collect_and_execute_subfields(
        self,
        return_type: GraphQLObjectType,
        field_details_list: list[FieldDetails],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete an object whose type is known and checked."""
        if position_context is None and self._compiles:
            function = self._object(return_type, field_details_list)
            if function is not None:
                self.plans.used += 1
                return function(self, result, path)
        return super().collect_and_execute_subfields(
            return_type, field_details_list, path, result, position_context
        )

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Complete the items of a list."""
        if position_context is None and self._compiles and type(items) in (list, tuple):
            function = self._list(info, item_type, field_details_list, len(items))  # type: ignore[arg-type]
            if function is not None:
                self.plans.used += 1
                return function(self, items, path)
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def _object(self, of_type: GraphQLObjectType, details: list[FieldDetails]) -> Function | None:
        return self._function(
            (of_type,), details, lambda plan: plan.of_object(self, of_type, details), size=1
        )

    def _list(
        self,
        info: GraphQLResolveInfo[Any],
        item_type: GraphQLOutputType,
        details: list[FieldDetails],
        size: int,
    ) -> Function | None:
        parent_type = info.parent_type

        def make(plan: Plan) -> Function:
            # Its list is there to be completed, so the field exists.
            definition = cast(GraphQLField, self.schema.get_field(parent_type, info.field_name))
            return plan.of_list(self, plan.slot(parent_type, definition, details, item_type))

        return self._function((parent_type, item_type), details, make, size=size)

    def _function(
        self,
        of: Key,
        details: list[FieldDetails],
        make: Callable[[Plan], Function],
        *,
        size: int,
    ) -> Function | None:
        # A list that is worth compiling at once asks again where a shorter one did not wait.
        key = (*of, id(details), size >= self.plans.at_once)
        at_hand = self._at_hand.get(key)
        if at_hand is not None:
            return at_hand[1]
        if key in self._left:
            return None
        function = None
        if not any(each.fragment_variable_values for each in details):
            nodes = [each.node for each in details]
            function = self.plans.function(self, of, nodes, make, size)
        if function is None:
            _remember(self._left, key, details)
        else:
            _remember(self._at_hand, key, (details, function))
        return function


def _remember(at_hand: dict[Key, Any], key: Key, value: object) -> None:
    if len(at_hand) >= MAX_AT_HAND:
        at_hand.clear()
    at_hand[key] = value
