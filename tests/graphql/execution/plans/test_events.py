"""Events of subscriptions: the answers are graphql-core's, event by event."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    create_source_event_stream,
    parse,
    subscribe,
)
from strawberry.types import ExecutionResult

from gql_platform.graphql.execution.plans import EventPlan, InstanceOf, OperationPlan, plans_of

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Reading:
    """An event."""

    number: Any
    text: str | None


@strawberry.type
class ReadingType:
    """An event."""

    is_type_of = InstanceOf(Reading)

    number: int
    text: str | None

    @strawberry.field
    @staticmethod
    async def later(parent: strawberry.Parent[Reading]) -> str:
        """Answer later, or fail."""
        if parent.number == 3:
            raise ValueError("three")
        return f"later {parent.number}"


@strawberry.type
class Query:
    """A query, which every schema has."""

    nothing: bool = False


@strawberry.type
class Subscription:
    """The subscription."""

    @strawberry.subscription(graphql_type=ReadingType | None)  # type: ignore[untyped-decorator]
    async def readings(self, count: int = 5) -> AsyncIterator[Any]:
        """Yield readings, some of which are wrong."""
        wrong = {1: None, 2: "x", 4: 2**40}
        for number in range(count):
            yield Reading(wrong.get(number, number), "text" if number % 2 else None)
        yield None


SCHEMA = strawberry.Schema(query=Query, subscription=Subscription)._schema


@pytest.mark.parametrize(
    "text",
    [
        "subscription { readings { number text } }",
        """subscription ($c: Int!) { r: readings(count: $c) { text ...F later } }
        fragment F on ReadingType { number __typename }""",
        "subscription ($no: Boolean!) { readings { text number @include(if: $no) } }",
    ],
)
@pytest.mark.parametrize("no", [True, False])
async def test_answers_are_those_of_graphql_core(text: str, no: bool) -> None:
    document, raw = parse(text), {"c": 6, "no": no}
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    expected: Any = subscribe(SCHEMA, document, variable_values=raw)
    expected = [
        each async for each in (await expected if hasattr(expected, "__await__") else expected)
    ]

    execution = OperationPlan(SCHEMA, document, operation).execution(None, raw)
    assert not isinstance(execution, list)
    source: Any = create_source_event_stream(execution)
    source = await source if hasattr(source, "__await__") else source
    plan = EventPlan(execution)
    assert plan._field is not None, "Strawberry's resolver of events was not recognised"
    found = [await plan.result(payload) async for payload in source]

    assert len(found) == len(expected) > 5
    for ours, theirs in zip(found, expected, strict=True):
        assert repr(ours.data) == repr(theirs.data)
        assert [(e.message, e.path, e.locations) for e in ours.errors or ()] == [
            (e.message, e.path, e.locations) for e in theirs.errors or ()
        ]


async def plan_of(text: str, schema: GraphQLSchema, context: Any = None) -> tuple[EventPlan, Any]:
    """Return the plan of a subscription and the source of its events."""
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    execution = OperationPlan(schema, document, operation).execution(context, None)
    assert not isinstance(execution, list)
    source: Any = create_source_event_stream(execution)
    return EventPlan(execution), await source


async def test_selection_is_compiled_from_the_second_event_on() -> None:
    schema = strawberry.Schema(query=Query, subscription=Subscription)
    plan, source = await plan_of("subscription { readings { text } }", schema._schema)
    used = []
    async for payload in source:
        await plan.result(payload)
        used.append(plans_of(schema).used)
    # The last event is null.
    assert used == [0, 1, 2, 3, 4, 4]


@dataclass(frozen=True, slots=True)
class Pair:
    """An event of which parts come later.

    Attributes:
        is_wrong: Whether both parts fail, the second one when the gate opens.
    """

    is_wrong: bool


@strawberry.type
class PairType:
    """An event of which parts come later."""

    is_type_of = InstanceOf(Pair)

    is_wrong: bool

    @strawberry.field
    @staticmethod
    async def now(parent: strawberry.Parent[Pair]) -> str:
        """Fail at once, or answer."""
        if parent.is_wrong:
            raise ValueError("now")
        return "now"

    @strawberry.field
    @staticmethod
    async def then(
        parent: strawberry.Parent[Pair], info: strawberry.Info[asyncio.Event, None]
    ) -> str | None:
        """Fail when the gate opens, or open it."""
        if not parent.is_wrong:
            info.context.set()
            return "then"
        await info.context.wait()
        raise ValueError("then")


@strawberry.type
class PairSubscription:
    """The subscription."""

    @strawberry.subscription(graphql_type=PairType | None)  # type: ignore[untyped-decorator]
    async def pairs(self) -> AsyncIterator[Pair]:
        """Yield what is right, what is wrong, and what is right."""
        for is_wrong in (False, True, False):
            yield Pair(is_wrong)


async def test_what_fails_late_is_no_error_of_the_next_event() -> None:
    schema = strawberry.Schema(query=Query, subscription=PairSubscription)
    text = "subscription { pairs { isWrong now then } }"
    plan, source = await plan_of(text, schema._schema, asyncio.Event())
    found = []
    async for payload in source:
        if payload.is_wrong:
            plan._execution.context_value.clear()
        result = await plan.result(payload)
        found.append((result.data, [(each.message, each.path) for each in result.errors or ()]))
    right = {"pairs": {"isWrong": False, "now": "now", "then": "then"}}

    assert found == [
        (right, []),
        ({"pairs": None}, [("now", ["pairs", "now"])]),
        (right, []),
    ]


async def test_events_without_waiting_share_one_execution() -> None:
    plan, source = await plan_of("subscription { readings(count: 2) { number } }", SCHEMA)
    first, second, last = [payload async for payload in source]
    assert await plan.result(first) == ExecutionResult({"readings": {"number": 0}}, None)
    execution = plan._used
    assert execution is not None
    # A number that is missing is an error, behind which nothing is used again.
    failed = await plan.result(second)
    assert failed.data == {"readings": None}
    assert plan._used is None
    assert await plan.result(last) == ExecutionResult({"readings": None}, None)
    assert plan._used is not execution
