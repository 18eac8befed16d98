"""What a compiled schema does around an operation."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from graphql import OperationType

from gql_platform.graphql.execution.request import OperationRequest
from gql_platform.graphql.execution.schema import OperationTypeError, Refusal
from tests.graphql.execution.products import Hooks, Stage, product

pytestmark = pytest.mark.anyio


class TestQueries:
    async def test_answer_tells_its_cost(self) -> None:
        """Beside the data stands what the operation cost."""
        result = await product().run(OperationRequest("{ hello }"), Stage())
        assert result.data == {"hello": "Hello, you"}
        assert result.extensions == {"cost": {"requested": 1, "actual": 1}}

    async def test_door_of_strawberry_is_the_same(self) -> None:
        """`execute` takes what Strawberry's takes."""
        result = await product().execute(
            "query A($n: String!) { hello(name: $n) } query B { wait }",
            variable_values={"n": "Ada"},
            context_value=Stage(),
            operation_name="A",
        )
        assert (result.data, result.errors) == ({"hello": "Hello, Ada"}, None)

    @pytest.mark.parametrize(
        "options", [{"root_value": object()}, {"operation_extensions": {"a": 1}}]
    )
    async def test_what_no_resolver_would_see_is_refused(self, options: dict[str, Any]) -> None:
        """Nothing that Strawberry's methods take is left out silently."""
        with pytest.raises(TypeError):
            await product().execute("{ hello }", context_value=Stage(), **options)

    @pytest.mark.parametrize(
        ("request_", "message", "is_bad"),
        [
            (OperationRequest("{ nope }"), "Cannot query field 'nope' on type 'Query'.", False),
            (OperationRequest("{"), "Syntax Error: Expected Name, found <EOF>.", False),
            (
                OperationRequest("query A { hello } query B { hello }"),
                "The document has several operations; `operationName` must name the one to run.",
                True,
            ),
            (
                OperationRequest("query A { hello }", "B"),
                "The document has no operation 'B'; `operationName` must name one that it has.",
                True,
            ),
            (
                OperationRequest("query ($n: String!) { hello(name: $n) }", None, {"n": 5}),
                "Variable '$n' has invalid value: String cannot represent a non string value: 5",
                False,
            ),
        ],
    )
    async def test_what_cannot_run_is_a_refusal(
        self, request_: OperationRequest, message: str, is_bad: bool
    ) -> None:
        """It says what was wrong, and whether the request or the document is at fault."""
        result = await product().run(request_, Stage())
        assert isinstance(result, Refusal)
        assert [error.message for error in result.errors or ()] == [message]
        assert result.is_bad_request is is_bad

    async def test_type_that_may_not_run_does_not(self) -> None:
        """A mutation that came by a way for queries changes nothing."""
        stage = Stage()
        with pytest.raises(OperationTypeError) as caught:
            await product().run(
                OperationRequest("mutation { change }"), stage, allowed={OperationType.QUERY}
            )
        assert caught.value.operation_type is OperationType.MUTATION
        assert stage.log == []

    async def test_deadline_ends_it(self) -> None:
        """An operation that takes too long is cancelled, and answers with that."""
        stage = Stage()
        result = await product(deadline_seconds=0.01).run(OperationRequest("{ wait }"), stage)
        codes = [(error.extensions or {})["code"] for error in result.errors or ()]
        assert codes == ["DEADLINE_EXCEEDED"]
        assert result.data is None
        assert stage.log == ["waiting", "cancelled"]


class TestSubscriptions:
    async def test_events_come_with_the_cost_of_the_first(self) -> None:
        """Each event is an answer; the cost is told once."""
        stage = Stage()
        stage.gate.set()
        results = await product().results(OperationRequest("subscription { count(to: 2) }"), stage)
        found = [(result.data, result.extensions) async for result in results]
        assert [data for data, _ in found] == [{"count": 1}, {"count": 2}]
        assert [extensions is not None for _, extensions in found] == [True, False]

    async def test_source_that_fails_ends_with_the_error(self) -> None:
        """What the source raises is the last answer."""
        results = await product().results(OperationRequest("subscription { fail }"), Stage())
        found = [result async for result in results]
        assert [result.data for result in found] == [{"fail": 1}, None]
        assert [error.message for error in found[-1].errors or ()] == ["the secret is 42"]

    async def test_source_is_closed_with_its_results(self) -> None:
        """Whoever stops listening leaves nothing running."""
        stage = Stage()
        async with aclosing(
            await product().results(OperationRequest("subscription { count }"), stage)
        ) as results:
            await anext(results)
        assert stage.log == ["closed"]

    async def test_a_query_is_one_answer(self) -> None:
        """A streaming transport runs queries as well."""
        results = await product().results(OperationRequest("{ hello }"), Stage())
        found = [each async for each in results]
        assert [each.data for each in found] == [{"hello": "Hello, you"}]


class TestHooks:
    async def test_each_end_is_told(self) -> None:
        """Whatever became of an operation, its end is noted once, with what the caller saw."""
        hooks = Hooks()
        schema, stage = product(hooks), Stage()
        await schema.run(OperationRequest("query Greet { hello }"), stage)
        await schema.run(OperationRequest("{ nope }"), stage)
        running = asyncio.create_task(schema.run(OperationRequest("query W { wait }"), stage))
        await stage.waiting.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert hooks.ends == [
            ("Greet", "query", []),
            (None, "unknown", ["Cannot query field 'nope' on type 'Query'."]),
            ("W", "query", []),
        ]
