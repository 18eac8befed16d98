"""Bulk numbers arrive over every transport, whether compiled code or graphql-core has them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import numpy as np
import numpy.typing as npt
import pytest
import strawberry
from starlette.testclient import TestClient
from strawberry.schema.config import StrawberryConfig

from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.plans import InstanceOf
from gql_platform.graphql.execution.plans.store import plans_of
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.websocket import PROTOCOL, WebSocketEndpoint
from gql_platform.graphql.scalars import SCALARS, FloatMatrix, FloatVector, Int64Vector
from tests.graphql.execution.products import Hooks

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Columns:
    """Bulk numbers of each kind."""

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    rows: npt.NDArray[np.float64]


@strawberry.type
class ColumnsType:
    """Bulk numbers of each kind."""

    is_type_of = InstanceOf(Columns)

    steps: Int64Vector
    values: FloatVector
    rows: FloatMatrix


COLUMNS = Columns(
    steps=np.array([0, 2**53 + 1]),
    values=np.array([0.1, np.nan]),
    rows=np.array([[1.0, np.inf], [3.0, 4.0]]),
)
AS_TYPE = cast("ColumnsType", COLUMNS)
"""The same, as resolvers name it."""
SELECTION = "{ steps values rows }"
SENT = {"steps": [0, 2**53 + 1], "values": [0.1, None], "rows": [[1.0, None], [3.0, 4.0]]}


@strawberry.type
class Query:
    """Bulk numbers, out and in."""

    @strawberry.field
    async def columns(self) -> ColumnsType:
        """Return them."""
        return AS_TYPE

    @strawberry.field
    async def several(self) -> list[ColumnsType]:
        """Return them twice."""
        return [AS_TYPE, AS_TYPE]

    @strawberry.field
    async def lengths(self, rows: FloatMatrix, weights: FloatVector | None = None) -> FloatVector:
        """Return the length of each row."""
        factor = np.ones(rows.shape[1]) if weights is None else weights
        return FloatVector(np.sqrt((factor * rows**2).sum(axis=1)))

    @strawberry.field
    async def wrong(self) -> FloatVector | None:
        """Return what is no vector."""
        return cast("FloatVector", ["a"])


@strawberry.type
class Subscription:
    """Bulk numbers, again and again."""

    @strawberry.subscription
    async def columns(self) -> AsyncIterator[ColumnsType]:
        """Yield them twice."""
        yield AS_TYPE
        yield AS_TYPE


def schema() -> CompiledSchema:
    """Return a schema of them."""
    return CompiledSchema(
        Query,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        hooks=Hooks(),
    )


def endpoint() -> GraphQLEndpoint:
    """Return an endpoint over that schema."""
    made = schema()
    return GraphQLEndpoint(
        lambda _: made,
        context_of=lambda _: None,
        request_id_of=lambda _: "r1",
        websocket=WebSocketEndpoint(
            lambda _: made, context_of=lambda _: None, greet=lambda *_: True
        ),
    )


def client() -> httpx2.AsyncClient:
    """Return a client of that endpoint."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(endpoint()), base_url="http://localhost"
    )


async def test_a_post_has_them() -> None:
    async with client() as sender:
        answers = [
            (await sender.post("/", json={"query": f"{{ columns {SELECTION} }}"})).json()
            for _ in range(3)
        ]

    assert (
        answers
        == [
            {
                "data": {"columns": SENT},
                "extensions": {"cost": {"requested": 4, "actual": 4}},
            }
        ]
        * 3
    )


async def test_a_list_costs_by_its_fields_and_not_by_the_numbers() -> None:
    async with client() as sender:
        answer = (await sender.post("/", json={"query": f"{{ several {SELECTION} }}"})).json()

    assert answer["data"] == {"several": [SENT, SENT]}
    assert answer["extensions"]["cost"] == {"requested": 31, "actual": 7}


async def test_a_get_has_them() -> None:
    async with client() as sender:
        answer = await sender.get("/", params={"query": f"{{ columns {SELECTION} }}"})

    assert answer.json()["data"] == {"columns": SENT}


async def test_a_stream_of_events_has_them() -> None:
    async with client() as sender:
        answer = await sender.post(
            "/",
            json={"query": f"subscription {{ columns {SELECTION} }}"},
            headers={"Accept": "text/event-stream"},
        )

    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [json.loads(each)["data"] for each in data] == [{"columns": SENT}] * 2


def test_a_websocket_has_them() -> None:
    query = {"query": f"subscription {{ columns {SELECTION} }}"}
    with TestClient(endpoint()).websocket_connect("/", subprotocols=[PROTOCOL]) as socket:
        socket.send_json({"type": "connection_init"})
        socket.receive_json()
        socket.send_json({"id": "1", "type": "subscribe", "payload": query})
        messages = [socket.receive_json() for _ in range(3)]

    assert [each.get("payload", {}).get("data") for each in messages] == [
        {"columns": SENT},
        {"columns": SENT},
        None,
    ]


async def test_python_gets_the_arrays_themselves() -> None:
    result = await schema().execute(f"{{ columns {SELECTION} }}")

    assert (result.errors, list(result.data or {})) == (None, ["columns"])
    columns: dict[str, Any] = (result.data or {})["columns"]
    assert columns["values"] is COLUMNS.values
    assert columns["steps"] is COLUMNS.steps


async def test_graphql_core_alone_gives_the_same() -> None:
    plain = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
    result: Any = await plain.execute(f"{{ columns {SELECTION} }}")

    assert (result.errors, result.data["columns"]["values"] is COLUMNS.values) == (None, True)


async def test_compiled_code_has_them() -> None:
    made, document = schema(), f"{{ columns {SELECTION} }}"
    for _ in range(3):
        # The classes of the values are learned in the first ones.
        await made.execute(document)
    plans = plans_of(made)
    used, handed_over = plans.used, plans.handed_over
    result = await made.execute(document)

    assert (plans.used - used, plans.handed_over - handed_over) == (1, 0)
    assert (result.data or {})["columns"]["values"] is COLUMNS.values


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ lengths(rows: [[3, 4], [0, 0.5]]) }", {}),
        ("{ lengths(rows: [[3, 4], [0, 0.5]], weights: [1, 1.0]) }", {}),
        ("query ($rows: FloatMatrix!) { lengths(rows: $rows) }", {"rows": [[3, 4], [0, 0.5]]}),
        (
            "query ($rows: FloatMatrix!, $w: FloatVector) { lengths(rows: $rows, weights: $w) }",
            {"rows": [[3.0, 4.0], [0.0, 0.5]], "w": None},
        ),
    ],
)
async def test_they_are_taken_as_arrays(query: str, variables: dict[str, Any]) -> None:
    async with client() as sender:
        answer = (await sender.post("/", json={"query": query, "variables": variables})).json()

    assert answer["data"] == {"lengths": [5.0, 0.5]}


@pytest.mark.parametrize(
    ("query", "variables", "reason"),
    [
        (
            "query ($rows: FloatMatrix!) { lengths(rows: $rows) }",
            {"rows": [[1], [1, 2]]},
            "row 1 has 2 numbers, and row 0 has 1.",
        ),
        (
            "query ($rows: FloatMatrix!) { lengths(rows: $rows) }",
            {"rows": [[1, None]]},
            "None at position 1 of row 0; it is no finite number.",
        ),
        ("{ lengths(rows: [[1, true]]) }", {}, "True at position 1 of row 0"),
        ("{ lengths(rows: [[" + "1" * 5000 + "]]) }", {}, "FloatMatrix"),
    ],
)
async def test_what_is_none_is_refused(query: str, variables: dict[str, Any], reason: str) -> None:
    async with client() as sender:
        answer = (await sender.post("/", json={"query": query, "variables": variables})).json()

    assert "data" not in answer
    assert reason in answer["errors"][0]["message"]


async def test_a_resolver_that_returns_something_else_has_an_error() -> None:
    async with client() as sender:
        answer = (await sender.post("/", json={"query": "{ wrong }"})).json()

    assert answer["data"] == {"wrong": None}
    assert answer["errors"][0]["path"] == ["wrong"]
