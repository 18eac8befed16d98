"""What documents cost, and which are refused for it."""

from typing import Any

import pytest

from gql_platform.services import Services
from gql_platform.testing import REQUEST_ID, GraphQLClient

pytestmark = pytest.mark.anyio

ROWS = """query ($rows: Rows!) {
    predictRows(model: "house_price", rows: $rows) {
        version
        predictions { ... on ValuePrediction { value } }
    }
}"""
TYPED = """query ($rows: [HousePriceRow!]!) {
    predict { housePrice(rows: $rows) { version predictions { value } } }
}"""
DEEP_PAGES = """{ models(first: 100) { nodes { versions(first: 100) { nodes { model {
    versions(first: 100) { nodes { version } } } } } } } }"""
HOUSE = {"livingAreaM2": 100, "numberOfRooms": 4, "hasAGarden": True}


async def cost_of(client: GraphQLClient, document: str, **variables: Any) -> dict[str, int]:
    """Return the cost that an answer tells."""
    result = await client.schema.execute(
        document, variable_values=variables, context_value=client.context()
    )
    assert result.errors is None
    assert result.extensions is not None
    cost: dict[str, int] = result.extensions["cost"]
    return cost


@pytest.mark.parametrize("rows", [1, 10, 500])
async def test_a_prediction_costs_by_its_rows(client: GraphQLClient, rows: int) -> None:
    # The field once per row, its two fields, and one value for each prediction.
    untyped = await cost_of(client, ROWS, rows=[[100, 4, True]] * rows)
    typed = await cost_of(client, TYPED, rows=[HOUSE] * rows)

    assert untyped == {"requested": 2 * rows + 2, "actual": 2 * rows + 2}
    assert typed == {"requested": 2 * rows + 3, "actual": 2 * rows + 3}


async def test_a_page_costs_what_it_may_hold_and_then_what_it_held(client: GraphQLClient) -> None:
    query = "query ($first: Int!) { models(first: $first) { nodes { name description } } }"

    assert await cost_of(client, query, first=50) == {"requested": 102, "actual": 6}


async def test_nodes_cost_by_their_ids(client: GraphQLClient) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert await cost_of(client, query, ids=["TW9kZWw6aG91c2VfcHJpY2U"] * 3) == {
        "requested": 4,
        "actual": 4,
    }


@pytest.mark.parametrize(
    ("document", "variables", "limit"),
    [
        ("{ server { state } }" + " " * 70_000, {}, "bytes"),
        ("{" + " server { state }" * 2000 + "}", {}, "tokens"),
        ("{" + " ".join(f"a{n}: server {{ state }}" for n in range(21)) + "}", {}, "rootFields"),
        ("{ server { " + " ".join(f"a{n}: state" for n in range(51)) + " } }", {}, "aliases"),
        (ROWS, {"rows": [[1]] * 100_001}, "nodes"),
        (DEEP_PAGES, {}, "nodes"),
    ],
)
async def test_what_is_too_much_is_refused_before_it_runs(
    client: GraphQLClient,
    services: Services,
    document: str,
    variables: dict[str, object],
    limit: str,
) -> None:
    answer = await client.execute(document, variables)
    (error,) = answer["errors"]

    assert answer["data"] is None
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", limit)
    assert error["extensions"]["value"] > error["extensions"]["maximum"]
    assert error["extensions"]["requestId"] == REQUEST_ID
    assert services.metrics is not None
    assert b"gql_platform_prediction_errors_total{" not in services.metrics.exposition()[0]


async def test_a_chain_of_fragments_is_refused_at_once(client: GraphQLClient) -> None:
    chain = "".join(f"fragment F{n} on Server {{ ...F{n + 1} ...F{n + 1} }} " for n in range(40))
    answer = await client.execute(
        "{ server { ...F0 } } " + chain + "fragment F40 on Server { state }"
    )

    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_refused_subscription_is_told(client: GraphQLClient) -> None:
    document = "subscription { liveMetrics { models { " + "model " * 1001 + "} } }"
    (event,) = [event async for event in client.subscribe(document)]

    assert event["errors"][0]["extensions"]["limit"] == "fields"
