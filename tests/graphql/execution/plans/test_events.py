"""Events of subscriptions: the answers are graphql-core's, event by event."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, create_source_event_stream, parse, subscribe

from gql_platform.graphql.execution.plans import EventPlan, InstanceOf, OperationPlan

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
