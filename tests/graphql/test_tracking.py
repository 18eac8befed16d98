"""Runs and their metrics over GraphQL."""

from typing import Any

import pytest

from gql_platform.graphql.node import encode_id
from gql_platform.testing import (
    REQUEST_ID,
    GraphQLClient,
    InMemoryLoader,
    InMemoryStore,
    in_memory_services,
)

pytestmark = pytest.mark.anyio

RUN = encode_id("Run", "run")


@pytest.fixture
def store() -> InMemoryStore:
    """A store with a run of ten steps."""
    store = InMemoryStore()
    store.add_run("run", metrics={"accuracy": 0.5})
    store.log_metric("run", "loss", [(step, 10.0 / (1 + step)) for step in range(10)])
    return store


@pytest.fixture
def client(store: InMemoryStore) -> GraphQLClient:
    """Return a client of a server over that store."""
    return GraphQLClient(in_memory_services(store, InMemoryLoader({})))


class TestMetricHistory:
    QUERY = """
        query ($id: ID!, $key: String!, $maxPoints: Int! = 1000) {
          node(id: $id) {
            ... on Run {
              metricHistory(key: $key, maxPoints: $maxPoints) {
                steps values sampled totalPoints
              }
            }
          }
        }
    """

    async def history(self, client: GraphQLClient, **variables: Any) -> Any:
        """Return the series of a metric of the run."""
        answer = await client.execute(self.QUERY, {"id": RUN, **variables})
        assert "errors" not in answer
        return answer["data"]["node"]["metricHistory"]

    async def test_all_points_come_by_step(self, client: GraphQLClient) -> None:
        assert await self.history(client, key="loss") == {
            "steps": list(range(10)),
            "values": [10.0 / (1 + step) for step in range(10)],
            "sampled": False,
            "totalPoints": 10,
        }

    async def test_a_long_history_is_cut_down_and_says_so(self, client: GraphQLClient) -> None:
        assert await self.history(client, key="loss", maxPoints=4) == {
            "steps": [0, 1, 8, 9],
            "values": [10.0, 5.0, 10.0 / 9, 1.0],
            "sampled": True,
            "totalPoints": 10,
        }

    async def test_a_metric_that_was_never_logged_is_null(self, client: GraphQLClient) -> None:
        assert await self.history(client, key="auc") is None

    async def test_what_is_no_finite_number_is_null(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        store.log_metric("run", "gone", [(0, 1.0), (1, float("nan")), (2, float("inf"))])

        assert (await self.history(client, key="gone"))["values"] == [1.0, None, None]

    @pytest.mark.parametrize("max_points", [3, 10_001, -1])
    async def test_a_wrong_number_of_points_is_a_typed_error(
        self, client: GraphQLClient, store: InMemoryStore, max_points: int
    ) -> None:
        variables = {"id": RUN, "key": "loss", "maxPoints": max_points}
        answer = await client.execute(self.QUERY, variables)
        (error,) = answer["errors"]

        assert answer["data"] == {"node": {"metricHistory": None}}
        assert error["path"] == ["node", "metricHistory"]
        assert error["extensions"] == {
            "code": "INVALID_POINT_COUNT",
            "requestId": REQUEST_ID,
            "maxPoints": max_points,
            "minimum": 4,
            "maximum": 10_000,
        }
        assert store.calls == {"runs": 1}

    async def test_a_wrong_one_leaves_the_others(self, client: GraphQLClient) -> None:
        query = """query ($id: ID!) { node(id: $id) { ... on Run {
            wrong: metricHistory(key: "loss", maxPoints: 1) { totalPoints }
            right: metricHistory(key: "loss", maxPoints: 4) { totalPoints }
        } } }"""
        answer = await client.execute(query, {"id": RUN})

        assert answer["data"] == {"node": {"wrong": None, "right": {"totalPoints": 10}}}
        assert [error["path"] for error in answer["errors"]] == [["node", "wrong"]]

    async def test_it_costs_by_the_points_that_it_may_have(self, client: GraphQLClient) -> None:
        for variables, points in (({}, 1000), ({"maxPoints": 40}, 40)):
            result = await client.schema.execute(
                self.QUERY,
                variable_values={"id": RUN, "key": "loss", **variables},
                context_value=client.context(),
            )
            expected = {"requested": points + 5, "actual": points + 5}
            assert (result.errors, result.extensions) == (None, {"cost": expected})


async def test_a_page_of_histories_is_one_read() -> None:
    store = InMemoryStore()
    for number in range(50):
        store.add_run(f"run-{number}", metrics={"loss": number, "auc": 0.5})
        store.add_version(f"model-{number:02}", run_id=f"run-{number}")
    client = GraphQLClient(in_memory_services(store, InMemoryLoader({})))
    query = """{ models(first: 50) { nodes { servingVersion { run {
        loss: metricHistory(key: "loss", maxPoints: 10) { values }
        again: metricHistory(key: "loss", maxPoints: 10) { values }
        auc: metricHistory(key: "auc", maxPoints: 20) { values } } } } } }"""

    answer = await client.execute(query)

    runs = [model["servingVersion"]["run"] for model in answer["data"]["models"]["nodes"]]
    assert runs == [
        {"loss": {"values": [n]}, "again": {"values": [n]}, "auc": {"values": [0.5]}}
        for n in range(50)
    ]
    assert store.calls == {
        "models": 1, "versions": 1, "runs": 1, "metric_histories": 1,
    }  # fmt: skip
