"""Executions of every kind: asynchronous, synchronous, incremental, subscribed, observed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionResult

from gql_platform.graphql.execution.plans import CompiledExecution, PlanStore
from gql_platform.graphql.execution.plans.store import keep_plans
from tests.graphql.execution.plans.comparison import leaves, root
from tests.graphql.execution.plans.example import (
    LeavesType,
    QuietSchema,
    build,
    build_eager,
)

pytestmark = pytest.mark.anyio


class TestSynchronous:
    def test_answer(self) -> None:
        """A synchronous execution uses the same functions."""
        schema, store = build_eager()
        result = schema.execute_sync("{ leaves { text } }", root_value=root(leaves=[leaves()]))
        assert isinstance(result, ExecutionResult)
        assert result.data == {"leaves": [{"text": "a"}]}
        assert store.used == 1


class Upper(SchemaExtension):
    """An extension that looks at every field."""

    def resolve(
        self, _next: Callable[..., Any], root: Any, info: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Change what is text."""
        value = _next(root, info, *args, **kwargs)
        return value.upper() if isinstance(value, str) else value


class TestEverythingInBetween:
    def test_extension_that_resolves(self) -> None:
        """Where an extension wants to see each field, graphql-core executes all of them."""
        schema, store = build_eager(extensions=[Upper])
        result = schema.execute_sync("{ leaves { text } }", root_value=root(leaves=[leaves()]))
        assert isinstance(result, ExecutionResult)
        assert result.data == {"leaves": [{"text": "A"}]}
        assert store.used == 0

    def test_default_resolver_of_ones_own(self) -> None:
        """A schema that does not read attributes is asked for each field."""

        def read(source: Any, name: str) -> Any:
            return source[name]

        @strawberry.type
        class Row:
            a: int

        @strawberry.type
        class Rows:
            rows: list[Row]

        schema = QuietSchema(
            query=Rows,
            execution_context_class=CompiledExecution,
            config=StrawberryConfig(default_resolver=read),
        )
        keep_plans(schema, PlanStore(schema._schema, patience=0))
        result = schema.execute_sync("{ rows { a } }", root_value={"rows": [{"a": 1}]})
        assert isinstance(result, ExecutionResult)
        assert result.data == {"rows": [{"a": 1}]}

    def test_path_that_resolvers_see(self) -> None:
        """Resolvers and tests of types that graphql-core calls are told the place as ever."""
        seen: list[Any] = []

        @strawberry.type
        class Leaf:
            @classmethod
            def is_type_of(cls, _value: object, info: Any) -> bool:
                seen.append(_places(info.path))
                return True

            name: str

            @strawberry.field
            def place(self, info: strawberry.Info) -> str:
                seen.append(_places(info.path))
                return info.field_name

        @strawberry.type
        class Tree:
            leaf: Leaf
            leaves: list[list[Leaf]]
            other: str

        @strawberry.type
        class Forest:
            trees: list[Tree]

        tree = _Plain(leaf=_Plain(name="n"), leaves=[[_Plain(name="m")]], other="o")
        document = "{ t: trees { leaf { name place } leaves { name p: place } other } }"
        found = []
        for execution in (None, CompiledExecution):
            schema = QuietSchema(query=Forest, execution_context_class=execution)
            keep_plans(schema, PlanStore(schema._schema, patience=0))
            for _ in range(2):
                seen.clear()
                result = schema.execute_sync(document, root_value=_Plain(trees=[tree, tree]))
                assert isinstance(result, ExecutionResult)
                assert result.errors is None
                found.append((result.data, sorted(set(seen))))
        assert found[1:] == found[:1] * 3
        assert (("t", "Forest"), (1, None), ("leaf", "Tree"), ("place", "Leaf")) in found[0][1]


class TestTypesThatAreAwaited:
    async def test_answer(self) -> None:
        """A type may take its time to tell whether a value is of it."""

        @strawberry.type
        class Slow:
            @classmethod
            async def is_type_of(cls, value: object, _info: object) -> bool:
                return value != "x"

            real: float

        @strawberry.type
        class Query:
            slow: list[Slow | None]

            @strawberry.field
            @staticmethod
            def fixed() -> str:
                return "f"

        found = []
        for execution in (None, CompiledExecution):
            schema = QuietSchema(query=Query, execution_context_class=execution)
            keep_plans(schema, PlanStore(schema._schema, patience=0))
            for _ in range(2):
                result = await schema.execute(
                    "{ slow { real } fixed }", root_value=_Plain(slow=[1, "x", 2.5])
                )
                assert isinstance(result, ExecutionResult)
                found.append((result.data, [error.path for error in result.errors or ()]))
        assert (
            found
            == [({"slow": [{"real": 1.0}, None, {"real": 2.5}], "fixed": "f"}, [["slow", 1]])] * 4
        )


class TestRememberedSelections:
    def test_they_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An operation with very many selections remembers those that it met last."""
        monkeypatch.setattr("gql_platform.graphql.execution.plans.executor.MAX_AT_HAND", 2)
        schema, store = build_eager()
        fields = " ".join(f"b{index}: leaves {{ text }}" for index in range(5))
        result = schema.execute_sync(f"{{ {fields} }}", root_value=root(leaves=[leaves()]))
        assert isinstance(result, ExecutionResult)
        assert result.data == {f"b{index}": [{"text": "a"}] for index in range(5)}
        assert store.used == 5


class _Plain:
    """An object with any attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__ |= values


def _places(path: Any) -> tuple[Any, ...]:
    return (*_places(path.prev), (path.key, path.typename)) if path else ()


class TestAsynchronous:
    async def test_fields_are_awaited_side_by_side(self) -> None:
        """Asynchronous fields of compiled objects wait for each other without a deadlock."""
        arrived = asyncio.Barrier(4)

        @strawberry.type
        class Item:
            name: str

            @strawberry.field
            async def late(self) -> str:
                async with arrived:
                    return "late"

            @strawberry.field
            async def later(self) -> str:
                async with arrived:
                    return "later"

        @strawberry.type
        class Items:
            items: list[Item]

        schema = QuietSchema(query=Items, execution_context_class=CompiledExecution)
        keep_plans(schema, store := PlanStore(schema._schema, patience=0))
        data = Items(items=[Item(name="a"), Item(name="b")])
        async with asyncio.timeout(5):
            result = await schema.execute("{ items { late name later } }", root_value=data)
        assert isinstance(result, ExecutionResult)
        assert result.data == {
            "items": [{"late": "late", "name": name, "later": "later"} for name in "ab"]
        }
        assert store.used > 0


@strawberry.type
class Subscription:
    """Events that are records."""

    @strawberry.subscription(graphql_type=list[LeavesType])  # type: ignore[untyped-decorator]
    @staticmethod
    async def many(count: int) -> AsyncIterator[Any]:
        """Yield lists."""
        for index in range(count):
            yield [leaves(number=index)]


class TestSubscriptions:
    async def test_events(self) -> None:
        """Events use the functions from the second one on, and what one knows does not add up."""
        executors: list[CompiledExecution] = []

        class Watched(CompiledExecution):
            def build_per_event_executor(self, payload: Any) -> CompiledExecution:
                executors.append(super().build_per_event_executor(payload))
                return executors[-1]

        schema = build(Watched, subscription=Subscription)
        keep_plans(schema, store := PlanStore(schema._schema))
        events = await schema.subscribe("subscription { many(count: 5) { number } }")
        assert not isinstance(events, ExecutionResult)
        found = [event.data async for event in events]
        assert found == [{"many": [{"number": index}]} for index in range(5)]
        assert store.used == 4
        assert max(len(each._at_hand) + len(each._left) for each in executors) == 2
        assert len({id(executor._at_hand) for executor in executors}) == 5
