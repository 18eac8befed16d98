"""Models and versions over GraphQL."""

import pytest

from gql_platform.graphql.node import encode_id
from gql_platform.paging import encode_cursor
from gql_platform.services import Services
from gql_platform.testing import (
    REQUEST_ID,
    GraphQLClient,
    InMemoryLoader,
    InMemoryStore,
    in_memory_services,
)

pytestmark = pytest.mark.anyio


class TestModels:
    QUERY = """
        query ($first: Int! = 20, $after: String) {
          models(first: $first, after: $after) {
            totalCount
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            edges { cursor node { name } }
            nodes { name }
          }
        }
    """

    async def test_all_models_come_by_name(self, client: GraphQLClient) -> None:
        first, last = encode_cursor("house_price"), encode_cursor("iris_species")
        expected = {
            "totalCount": 2,
            "pageInfo": {
                "hasNextPage": False,
                "hasPreviousPage": False,
                "startCursor": first,
                "endCursor": last,
            },
            "edges": [
                {"cursor": first, "node": {"name": "house_price"}},
                {"cursor": last, "node": {"name": "iris_species"}},
            ],
            "nodes": [{"name": "house_price"}, {"name": "iris_species"}],
        }

        assert {"data": {"models": expected}} == await client.execute(self.QUERY)

    async def test_pages_follow_each_other_by_cursor(self, client: GraphQLClient) -> None:
        first = await client.execute(self.QUERY, {"first": 1})
        cursor = first["data"]["models"]["pageInfo"]["endCursor"]
        second = await client.execute(self.QUERY, {"first": 1, "after": cursor})

        assert first["data"]["models"]["nodes"] == [{"name": "house_price"}]
        assert first["data"]["models"]["pageInfo"]["hasNextPage"]
        assert second["data"]["models"]["nodes"] == [{"name": "iris_species"}]
        assert not second["data"]["models"]["pageInfo"]["hasNextPage"]

    @pytest.mark.parametrize(
        ("variables", "code"),
        [
            ({"after": "not a cursor"}, "INVALID_CURSOR"),
            ({"first": 0}, "INVALID_PAGE_SIZE"),
            ({"first": 101}, "INVALID_PAGE_SIZE"),
        ],
    )
    async def test_a_wrong_page_is_a_typed_error(
        self, client: GraphQLClient, variables: dict[str, object], code: str
    ) -> None:
        answer = await client.execute(self.QUERY, variables)

        assert answer["data"] == {"models": None}
        assert code == answer["errors"][0]["extensions"]["code"]
        assert answer["errors"][0]["extensions"]["requestId"] == REQUEST_ID

    async def test_an_unreachable_registry_is_a_typed_error(self) -> None:
        store = InMemoryStore()
        services = in_memory_services(store, InMemoryLoader({}))
        store.is_available = False

        answer = await GraphQLClient(services).execute("{ models { totalCount } }")

        (error,) = answer["errors"]
        assert error["message"] == "The model registry does not answer; try again in a moment."
        assert error["extensions"] == {"code": "REGISTRY_UNAVAILABLE", "requestId": REQUEST_ID}


class TestModel:
    QUERY = """
        query ($by: ModelBy!) {
          model(by: $by) {
            id
            name
            description
            tags { key value }
            aliases { name version }
            servingVersion { version }
            versions { totalCount nodes { version description aliases } }
          }
        }
    """

    @pytest.mark.parametrize(
        "by", [{"name": "iris_species"}, {"id": encode_id("Model", "iris_species")}]
    )
    async def test_it_is_found_by_name_and_by_id(
        self, client: GraphQLClient, by: dict[str, str]
    ) -> None:
        expected = {
            "id": encode_id("Model", "iris_species"),
            "name": "iris_species",
            "description": "The species of an iris flower.",
            "tags": [{"key": "owner", "value": "botany"}],
            "aliases": [{"name": "champion", "version": 1}],
            "servingVersion": {"version": 1},
            "versions": {
                "totalCount": 2,
                "nodes": [
                    {"version": 2, "description": "Stronger regularised.", "aliases": []},
                    {"version": 1, "description": None, "aliases": ["champion"]},
                ],
            },
        }

        assert {"data": {"model": expected}} == await client.execute(self.QUERY, {"by": by})

    @pytest.mark.parametrize(
        "by", [{"name": "nope"}, {"name": ""}, {"id": encode_id("Model", "nope")}]
    )
    async def test_there_may_be_none(self, client: GraphQLClient, by: dict[str, str]) -> None:
        assert await client.execute(self.QUERY, {"by": by}) == {"data": {"model": None}}

    async def test_id_of_something_else_is_a_typed_error(self, client: GraphQLClient) -> None:
        answer = await client.execute(self.QUERY, {"by": {"id": encode_id("Run", "run-iris")}})

        assert answer["data"] == {"model": None}
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_ID"

    async def test_one_way_to_name_it_must_be_chosen(self, client: GraphQLClient) -> None:
        answer = await client.execute(self.QUERY, {"by": {"name": "a", "id": "b"}})

        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"

    async def test_versions_are_paged_newest_first(self, client: GraphQLClient) -> None:
        query = """
            query ($after: String) {
              model(by: {name: "iris_species"}) {
                versions(first: 1, after: $after) { nodes { version } pageInfo { endCursor } }
              }
            }
        """
        first = (await client.execute(query))["data"]["model"]["versions"]
        second = await client.execute(query, {"after": first["pageInfo"]["endCursor"]})

        assert first["nodes"] == [{"version": 2}]
        assert second["data"]["model"]["versions"]["nodes"] == [{"version": 1}]


class TestModelVersion:
    QUERY = """
        query ($by: ModelVersionBy!) {
          modelVersion(by: $by) {
            id
            version
            model { name }
            flavour
            sizeBytes
            signature { inputs { name type required } outputs { name type } }
            metrics { key value step }
            params { key value }
            run { runId name state timing { durationMs } }
          }
        }
    """
    ID = encode_id("ModelVersion", "1@iris_species")

    @pytest.mark.parametrize(
        "by",
        [
            {"id": ID},
            {"number": {"model": "iris_species", "version": 1}},
            {"alias": {"model": "iris_species", "alias": "champion"}},
        ],
    )
    async def test_it_is_found_in_three_ways(
        self, client: GraphQLClient, by: dict[str, object]
    ) -> None:
        answer = await client.execute(self.QUERY, {"by": by})
        found = answer["data"]["modelVersion"]

        assert found["id"] == self.ID
        assert (found["version"], found["model"]) == (1, {"name": "iris_species"})
        assert (found["flavour"], found["sizeBytes"]) == ("sklearn", 2048)
        assert (found["signature"]["inputs"][0]) == {
            "name": "sepal length (cm)",
            "type": "DOUBLE",
            "required": True,
        }
        assert found["metrics"] == [
            {"key": "accuracy", "value": 0.973, "step": 0},
            {"key": "log_loss", "value": 0.13, "step": 0},
        ]
        assert found["params"] == [
            {"key": "C", "value": "1.0"},
            {"key": "max_iter", "value": "5000"},
        ]
        assert (found["run"]["runId"], found["run"]["state"]) == ("run-iris", "FINISHED")

    @pytest.mark.parametrize(
        "by",
        [
            {"number": {"model": "iris_species", "version": 9}},
            {"number": {"model": "nope", "version": 1}},
            {"alias": {"model": "iris_species", "alias": "nope"}},
            {"id": encode_id("ModelVersion", "9@iris_species")},
        ],
    )
    async def test_there_may_be_none(self, client: GraphQLClient, by: dict[str, object]) -> None:
        assert await client.execute(self.QUERY, {"by": by}) == {"data": {"modelVersion": None}}

    async def test_id_of_something_else_is_a_typed_error(self, client: GraphQLClient) -> None:
        by = {"id": encode_id("Model", "iris_species")}
        answer = await client.execute(self.QUERY, {"by": by})

        assert answer["data"] == {"modelVersion": None}
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_ID"

    async def test_what_was_not_logged_is_null(self, client: GraphQLClient) -> None:
        query = """{ modelVersion(by: {number: {model: "house_price", version: 1}}) {
            run { name } metrics { key } params { key } } }"""

        assert (await client.execute(query)) == {
            "data": {"modelVersion": {"run": None, "metrics": None, "params": None}}
        }

    async def test_a_metric_that_is_no_finite_number_is_null(self) -> None:
        store = InMemoryStore()
        store.add_run("run", metrics={"loss": float("nan"), "roc": float("inf")})
        store.add_model("m")
        store.add_version("m", run_id="run")
        services = in_memory_services(store, InMemoryLoader({}))
        query = '{ modelVersion(by: {number: {model: "m", version: 1}}) { metrics { key value } } }'

        answer = await GraphQLClient(services).execute(query)

        assert answer == {
            "data": {
                "modelVersion": {
                    "metrics": [{"key": "loss", "value": None}, {"key": "roc", "value": None}]
                }
            }
        }


class TestNode:
    QUERY = """
        query ($id: ID!) {
          node(id: $id) {
            __typename
            id
            ... on Model { name }
            ... on ModelVersion { version }
            ... on Run { runId }
          }
        }
    """

    @pytest.mark.parametrize(
        ("type_name", "key", "facts"),
        [
            ("Model", "iris_species", {"name": "iris_species"}),
            ("ModelVersion", "2@iris_species", {"version": 2}),
            ("Run", "run-iris", {"runId": "run-iris"}),
        ],
    )
    async def test_everything_with_an_id_is_found_by_it(
        self, client: GraphQLClient, type_name: str, key: str, facts: dict[str, object]
    ) -> None:
        node_id = encode_id(type_name, key)
        expected = {"__typename": type_name, "id": node_id, **facts}

        assert {"data": {"node": expected}} == await client.execute(self.QUERY, {"id": node_id})

    @pytest.mark.parametrize(
        "key", [("Model", "gone"), ("ModelVersion", "7@iris_species"), ("Run", "gone")]
    )
    async def test_what_is_gone_is_null(self, client: GraphQLClient, key: tuple[str, str]) -> None:
        answer = await client.execute(self.QUERY, {"id": encode_id(*key)})

        assert answer == {"data": {"node": None}}

    @pytest.mark.parametrize(
        "node_id", ["", "x", "iris_species", "TW9kZWw6", encode_id("Planet", "mars"), "é"]
    )
    async def test_an_id_that_is_not_ours_is_a_typed_error(
        self, client: GraphQLClient, node_id: str
    ) -> None:
        answer = await client.execute(self.QUERY, {"id": node_id})

        assert answer["data"] == {"node": None}
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_ID"
        assert node_id == answer["errors"][0]["extensions"]["id"]

    async def test_several_come_in_the_order_of_their_ids(self, client: GraphQLClient) -> None:
        ids = [
            encode_id("Run", "run-iris"),
            encode_id("Model", "gone"),
            encode_id("Model", "house_price"),
        ]
        answer = await client.execute(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}
        )

        assert {"data": {"nodes": [{"id": ids[0]}, None, {"id": ids[2]}]}} == answer

    async def test_no_more_than_a_hundred_are_fetched_at_once(self, client: GraphQLClient) -> None:
        ids = [encode_id("Model", "house_price")] * 101
        answer = await client.execute(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}
        )

        assert answer["errors"][0]["extensions"]["code"] == "TOO_MANY_IDS"


async def test_a_page_costs_a_constant_number_of_reads() -> None:
    store = InMemoryStore()
    for number in range(50):
        store.add_run(f"run-{number}")
        store.add_model(f"model-{number:02}")
        store.add_version(f"model-{number:02}", run_id=f"run-{number}")
    services: Services = in_memory_services(store, InMemoryLoader({}))
    query = """{ models(first: 50) { nodes {
        servingVersion { flavour signature { inputs { name } } metrics { key } run { name } }
        versions { nodes { version params { key } } } } } }"""

    answer = await GraphQLClient(services).execute(query)

    assert len(answer["data"]["models"]["nodes"]) == 50
    counts = {"models": 1, "versions": 1, "packages": 1, "runs": 1}
    assert counts == store.calls
