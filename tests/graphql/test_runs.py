"""Experiments, pages of runs, comparisons and series over GraphQL."""

from typing import Any

import pytest

from gql_platform.graphql.node import encode_id
from gql_platform.testing import GraphQLClient, InMemoryLoader, InMemoryStore, in_memory_services
from gql_platform.tracking.records import LoggedDataset, RunState

pytestmark = pytest.mark.anyio

WINE = LoggedDataset("wine", "abc", "local", "wine.csv", "training")


@pytest.fixture
def store() -> InMemoryStore:
    """A store with five runs in two experiments, and a version that one of them trained."""
    store = InMemoryStore()
    search = store.add_experiment("search", tags={"team": "botany"}).experiment_id
    for number in range(4):
        store.add_run(
            f"run-{number}",
            name=f"try {number}",
            params={"depth": str(number), "kind": "tree"},
            metrics={"val_loss": 1.0 - number / 10, "auc": 0.5, "f1_score": number},
            tags={"by": "test"},
            datasets=[WINE],
            experiment_id=search,
        )
    store.add_run("astray", state=RunState.FAILED, metrics={"val_loss": float("nan")})
    store.add_version("iris", run_id="run-2", aliases=["champion"])
    return store


@pytest.fixture
def client(store: InMemoryStore) -> GraphQLClient:
    """Return a client of a server over that store."""
    return GraphQLClient(in_memory_services(store, InMemoryLoader({})))


async def data_of(client: GraphQLClient, query: str, **variables: Any) -> Any:
    """Return the data of an answer without errors."""
    answer = await client.execute(query, variables)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


async def code_of(client: GraphQLClient, query: str, **variables: Any) -> str:
    """Return the code of the one error of an answer."""
    (error,) = (await client.execute(query, variables))["errors"]
    return str(error["extensions"]["code"])


class TestRuns:
    QUERY = """
        query ($first: Int, $after: String, $filter: RunFilterInput, $orderBy: RunOrderInput) {
          runs(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
            nodes { runId }
            pageInfo { hasNextPage endCursor }
          }
        }
    """

    async def ids(self, client: GraphQLClient, **variables: Any) -> list[str]:
        """Return the ids of the runs of a page."""
        data = await data_of(client, self.QUERY, **variables)
        return [run["runId"] for run in data["runs"]["nodes"]]

    async def test_newest_come_first(self, client: GraphQLClient) -> None:
        assert await self.ids(client) == ["astray", "run-3", "run-2", "run-1", "run-0"]

    async def test_a_metric_orders_page_after_page(self, client: GraphQLClient) -> None:
        order = {"field": "METRIC", "metric": "val_loss", "direction": "ASC"}
        found, after, more = [], None, True
        while more:
            data = await data_of(client, self.QUERY, first=2, after=after, orderBy=order)
            found += [run["runId"] for run in data["runs"]["nodes"]]
            after = data["runs"]["pageInfo"]["endCursor"]
            more = data["runs"]["pageInfo"]["hasNextPage"]
        assert found == ["run-3", "run-2", "run-1", "run-0", "astray"]

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            ({"states": ["FAILED"]}, ["astray"]),
            ({"params": [{"key": "depth", "value": "2"}]}, ["run-2"]),
            (
                {"metrics": [{"key": "val_loss", "comparator": "LTE", "value": 0.8}]},
                ["run-3", "run-2"],
            ),
            ({"metrics": [{"key": "nothing", "comparator": "GT", "value": 0}]}, []),
            ({"tags": [{"key": "by"}], "text": "TRY 1"}, ["run-1"]),
            ({"model": "iris"}, ["run-2"]),
            ({"model": "nothing"}, []),
            ({"experimentIds": ["0"]}, ["astray"]),
            ({"startedBefore": "2026-01-01T00:02:00Z"}, ["run-0"]),
            ({"startedFrom": "2026-01-01T00:08:00Z"}, ["astray"]),
        ],
    )
    async def test_filters_choose(
        self, client: GraphQLClient, chosen: dict[str, Any], expected: list[str]
    ) -> None:
        assert await self.ids(client, filter=chosen) == expected

    @pytest.mark.parametrize(
        "variables",
        [
            {"filter": {"params": [{"key": "x" * 251}]}},
            {"filter": {"params": [{"key": "x"}] * 21}},
            {"filter": {"text": "\x00"}},
            {"orderBy": {"field": "METRIC"}},
            {"orderBy": {"metric": "loss"}},
        ],
    )
    async def test_what_cannot_be_told_is_a_typed_error(
        self, client: GraphQLClient, store: InMemoryStore, variables: dict[str, Any]
    ) -> None:
        assert await code_of(client, self.QUERY, **variables) == "INVALID_RUN_FILTER"
        assert store.calls == {}

    async def test_a_cursor_of_another_order_is_refused(self, client: GraphQLClient) -> None:
        data = await data_of(client, self.QUERY, first=1)
        order = {"field": "METRIC", "metric": "auc"}
        after = data["runs"]["pageInfo"]["endCursor"]
        for given in (after, "nonsense", encode_id("Run", "run-1")):
            assert await code_of(client, self.QUERY, after=given, orderBy=order) == "INVALID_CURSOR"

    async def test_a_store_that_is_away_is_told(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        store.is_available = False
        for query in (self.QUERY, "{ experiments { nodes { name } } }"):
            assert await code_of(client, query) == "REGISTRY_UNAVAILABLE"

    async def test_a_page_is_read_in_few_calls_whatever_the_fields(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        query = """{ runs(first: 100) { nodes {
            id runId name state isDeleted timing { startedAt durationMs }
            params { key value } metrics { key value step } tags { key value }
            datasets { name digest sourceType source context }
            experiment { name } modelVersions { version aliases model { name } } } } }"""

        data = await data_of(client, query)

        run = data["runs"]["nodes"][2]
        assert (run["runId"], run["experiment"]) == ("run-2", {"name": "search"})
        assert run["modelVersions"] == [
            {"version": 1, "aliases": ["champion"], "model": {"name": "iris"}}
        ]
        assert run["datasets"][0]["context"] == "training"
        assert data["runs"]["nodes"][0]["metrics"] == [
            {"key": "val_loss", "value": None, "step": 0}
        ]
        assert store.calls == {
            "run_page": 1, "experiments_by_id": 1, "versions_of_runs": 1, "models_named": 1,
        }  # fmt: skip


class TestCounts:
    async def test_the_whole_list_is_counted_when_asked(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """Whatever the page is, and for each list by itself."""
        query = """{
            runs(first: 1, filter: {states: [FINISHED]}) { nodes { runId } ...Counted }
            experiments(first: 1) {
                ... { totalCount } nodes { runs(first: 1) { count: totalCount } }
            }
        } fragment Counted on RunConnection { totalCount }"""
        data = await data_of(client, query)
        assert data["runs"]["totalCount"] == 4
        assert data["experiments"] == {"totalCount": 2, "nodes": [{"runs": {"count": 1}}]}
        assert store.calls == {
            "run_page": 2, "run_count": 2, "experiments": 1, "experiment_count": 1,
        }  # fmt: skip

    async def test_nothing_is_counted_when_not_asked(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """Nor for a field of that name elsewhere in the document."""
        query = "{ runs { nodes { runId } } models { totalCount } experiments { nodes { name } } }"
        await data_of(client, query)
        assert store.calls == {"run_page": 1, "experiments": 1, "models": 1, "model_count": 1}


class TestRun:
    async def test_it_is_found_by_either_id(self, client: GraphQLClient) -> None:
        query = "query ($by: RunBy!) { run(by: $by) { name } }"
        for by in ({"runId": "run-1"}, {"id": encode_id("Run", "run-1")}):
            assert await data_of(client, query, by=by) == {"run": {"name": "try 1"}}
        assert await data_of(client, query, by={"runId": "none"}) == {"run": None}
        by = {"id": encode_id("Model", "iris")}
        assert await code_of(client, query, by=by) == "INVALID_ID"


class TestExperiments:
    async def test_they_come_by_name_with_their_runs(self, client: GraphQLClient) -> None:
        query = """{ experiments { nodes { name tags { key value } runs(first: 1) {
            nodes { runId } pageInfo { hasNextPage } } } } }"""
        nodes = (await data_of(client, query))["experiments"]["nodes"]
        assert nodes == [
            {
                "name": "Default",
                "tags": [],
                "runs": {"nodes": [{"runId": "astray"}], "pageInfo": {"hasNextPage": False}},
            },
            {
                "name": "search",
                "tags": [{"key": "team", "value": "botany"}],
                "runs": {"nodes": [{"runId": "run-3"}], "pageInfo": {"hasNextPage": True}},
            },
        ]

    async def test_one_is_found_by_name_or_id(self, client: GraphQLClient) -> None:
        query = "query ($by: ExperimentBy!) { experiment(by: $by) { id experimentId name } }"
        found = (await data_of(client, query, by={"name": "search"}))["experiment"]
        assert found["experimentId"] == "1"
        assert (await data_of(client, query, by={"id": found["id"]}))["experiment"] == found
        assert await data_of(client, query, by={"name": "none"}) == {"experiment": None}
        node = "query ($id: ID!) { node(id: $id) { ... on Experiment { name } } }"
        assert await data_of(client, node, id=found["id"]) == {"node": {"name": "search"}}

    async def test_a_filter_narrows_and_never_widens(self, client: GraphQLClient) -> None:
        query = """{ experiment(by: {name: "search"}) {
            here: runs(filter: {experimentIds: ["1"], text: "2"}) { nodes { runId } }
            elsewhere: runs(filter: {experimentIds: ["0"]}) { nodes { runId } } } }"""
        assert (await data_of(client, query))["experiment"] == {
            "here": {"nodes": [{"runId": "run-2"}]},
            "elsewhere": {"nodes": []},
        }


class TestComparison:
    QUERY = """
        query ($ids: [ID!]!, $diffOnly: Boolean! = false) {
          runComparison(ids: $ids, diffOnly: $diffOnly) {
            runs { runId } missing
            params { key values differs }
            metrics { key values differs betterWhen bestRunId }
          }
        }
    """

    async def test_runs_stand_side_by_side(self, client: GraphQLClient) -> None:
        ids = [encode_id("Run", each) for each in ("run-1", "run-3", "none", "astray", "run-1")]
        found = (await data_of(client, self.QUERY, ids=ids, diffOnly=True))["runComparison"]
        assert found == {
            "runs": [{"runId": "run-1"}, {"runId": "run-3"}, {"runId": "astray"}],
            "missing": ["none"],
            "params": [
                {"key": "depth", "values": ["1", "3", None], "differs": True},
                {"key": "kind", "values": ["tree", "tree", None], "differs": True},
            ],
            "metrics": [
                {
                    "key": "auc", "values": [0.5, 0.5, None], "differs": True,
                    "betterWhen": "UNKNOWN", "bestRunId": None,
                },
                {
                    "key": "f1_score", "values": [1.0, 3.0, None], "differs": True,
                    "betterWhen": "HIGHER", "bestRunId": "run-3",
                },
                {
                    "key": "val_loss", "values": [0.9, 0.7, None], "differs": True,
                    "betterWhen": "LOWER", "bestRunId": "run-3",
                },
            ],
        }  # fmt: skip

    async def test_what_is_the_same_can_be_left_out(self, client: GraphQLClient) -> None:
        ids = [encode_id("Run", each) for each in ("run-1", "run-2")]
        whole = (await data_of(client, self.QUERY, ids=ids))["runComparison"]
        differing = (await data_of(client, self.QUERY, ids=ids, diffOnly=True))["runComparison"]
        assert [each["key"] for each in whole["params"]] == ["depth", "kind"]
        assert [each["key"] for each in differing["params"]] == ["depth"]
        assert [each["key"] for each in differing["metrics"]] == ["f1_score", "val_loss"]

    async def test_too_many_and_wrong_ids_are_refused(self, client: GraphQLClient) -> None:
        ids = [encode_id("Run", f"run-{number}") for number in range(51)]
        assert await code_of(client, self.QUERY, ids=ids) == "TOO_MANY_IDS"
        ids = [encode_id("Model", "iris")]
        assert await code_of(client, self.QUERY, ids=ids) == "INVALID_ID"


class TestSeries:
    QUERY = """
        query ($runs: [ID!]!, $keys: [String!]!, $maxPoints: Int! = 4,
               $method: SamplingMethod! = MIN_MAX) {
          metricSeries(runs: $runs, keys: $keys, maxPoints: $maxPoints, method: $method) {
            runId key run { name } series { steps values sampled totalPoints }
          }
        }
    """
    RUNS = (encode_id("Run", "run-0"), encode_id("Run", "run-1"), encode_id("Run", "none"))

    async def test_series_come_in_columns_in_one_read(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        store.log_metric("run-0", "loss", [(step, float(step % 7)) for step in range(100)])
        found = await data_of(client, self.QUERY, runs=self.RUNS, keys=["loss", "auc"])
        series = {(each["runId"], each["key"]): each for each in found["metricSeries"]}
        assert list(series) == [("run-0", "loss"), ("run-0", "auc"), ("run-1", "auc")]
        assert series["run-0", "loss"]["series"]["sampled"]
        assert series["run-0", "loss"]["series"]["totalPoints"] == 100
        assert len(series["run-0", "loss"]["series"]["steps"]) <= 4
        assert series["run-1", "auc"]["run"] == {"name": "try 1"}
        assert store.calls == {"metric_histories": 1, "runs": 1}

    async def test_the_method_is_chosen(self, client: GraphQLClient, store: InMemoryStore) -> None:
        store.log_metric("run-0", "loss", [(step, float(step)) for step in range(10)])
        found = await data_of(
            client, self.QUERY, runs=self.RUNS[:1], keys=["loss"], method="EVERY_NTH"
        )
        assert found["metricSeries"][0]["series"]["steps"] == [0, 3, 6, 9]

    async def test_too_many_are_refused(self, client: GraphQLClient, store: InMemoryStore) -> None:
        keys = [f"m{number}" for number in range(101)]
        assert await code_of(client, self.QUERY, runs=self.RUNS[:2], keys=keys) == "TOO_MANY_SERIES"
        assert store.calls == {}
