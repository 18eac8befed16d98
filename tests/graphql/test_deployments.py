"""Deployments over GraphQL: what serves, and its changes as data."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission
from gql_platform.graphql.node import encode_id
from gql_platform.paging import encode_cursor
from gql_platform.services import Services
from gql_platform.testing import REQUEST_ID, GraphQLClient, InMemoryStore, in_memory_services
from tests.graphql.deploying import (
    PROMOTE,
    ROLL_BACK,
    UPDATE,
    iris_loader,
    iris_store,
    tags_and_aliases,
    update_of,
    variant,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def store() -> InMemoryStore:
    """A registry of one model."""
    return iris_store()


@pytest.fixture
async def services(store: InMemoryStore) -> AsyncIterator[Services]:
    """A server of that model, which has loaded it."""
    services = in_memory_services(store, iris_loader())
    await services.deployments.load_all()
    yield services
    await services.close()


class TestQueries:
    PAGE = """
        query ($first: Int, $after: String) {
          deployments(first: $first, after: $after) {
            totalCount
            pageInfo { hasNextPage endCursor }
            nodes { id model revision routing variants { variant { name } share } }
          }
        }
    """
    ONE = "query ($model: String!) { deployment(model: $model) { id model revision } }"
    NODE = """
        query ($id: ID!) { node(id: $id) { __typename id ... on Deployment { revision } } }
    """

    async def test_all_come_by_name(self, client: GraphQLClient) -> None:
        node = {
            "id": encode_id("Deployment", "iris_species"),
            "model": "iris_species",
            "revision": 0,
            "routing": "WEIGHTED",
            "variants": [{"variant": {"name": "champion"}, "share": 1.0}],
        }
        expected = {
            "totalCount": 1,
            "pageInfo": {"hasNextPage": False, "endCursor": encode_cursor("iris_species")},
            "nodes": [node],
        }

        assert {"data": {"deployments": expected}} == await client.execute(self.PAGE)

    async def test_a_wrong_page_is_a_typed_error(self, client: GraphQLClient) -> None:
        codes = [
            (await client.execute(self.PAGE, variables))["errors"][0]["extensions"]["code"]
            for variables in ({"first": 0}, {"after": "?"})
        ]

        assert codes == ["INVALID_PAGE_SIZE", "INVALID_CURSOR"]

    async def test_one_is_found_by_its_model(self, client: GraphQLClient) -> None:
        found = await client.execute(self.ONE, {"model": "iris_species"})
        missing = await client.execute(self.ONE, {"model": "nope"})

        assert found["data"]["deployment"]["model"] == "iris_species"
        assert missing == {"data": {"deployment": None}}

    async def test_it_is_found_by_its_id(self, client: GraphQLClient) -> None:
        node_id = encode_id("Deployment", "iris_species")
        found = await client.execute(self.NODE, {"id": node_id})
        missing = await client.execute(self.NODE, {"id": encode_id("Deployment", "nope")})

        assert found == {
            "data": {"node": {"__typename": "Deployment", "id": node_id, "revision": 0}}
        }
        assert missing == {"data": {"node": None}}


class TestUpdate:
    async def updated(self, client: GraphQLClient, variables: dict[str, Any]) -> Any:
        """Return what the mutation answers."""
        answer = await client.execute(UPDATE, variables)
        assert "errors" not in answer
        return answer["data"]["deploymentUpdate"]

    async def test_it_answers_with_what_serves_now(self, client: GraphQLClient) -> None:
        variables = update_of(
            {"name": "stable", "version": {"alias": "champion"}, "weight": 3},
            {"name": "canary", "version": {"number": 2}},
            {"name": "trial", "version": {"number": 2}, "weight": 0, "mode": "SHADOW"},
            routing="STICKY",
            expectedRevision=0,
        )
        expected = {
            "__typename": "DeploymentChange",
            "deployment": {
                "model": "iris_species",
                "revision": 1,
                "routing": "STICKY",
                "variants": [
                    variant("stable", None, 0.75, weight=3.0),
                    variant("canary", 2, 0.25),
                    variant(
                        "trial",
                        2,
                        0.0,
                        weight=0.0,
                        mode="SHADOW",
                        comparison={"requestCount": 0, "agreement": None},
                    ),
                ],
            },
        }

        assert expected == await self.updated(client, variables)

    async def test_breaking_may_be_accepted(self, client: GraphQLClient) -> None:
        variables = update_of({"name": "new", "version": {"number": 3}}, allowBreaking=True)

        found = await self.updated(client, variables)

        assert found["deployment"]["variants"] == [variant("new", 3, 1.0)]

    @pytest.mark.parametrize(
        ("version", "others", "expected"),
        [
            (
                {"number": 1},
                {"expectedRevision": 7},
                {
                    "__typename": "DeploymentConflictError",
                    "message": "The deployment of 'iris_species' is at revision 0, not 7: somebody "
                    "changed it meanwhile; read it again.",
                    "code": "DEPLOYMENT_CONFLICT",
                    "path": ["input", "expectedRevision"],
                    "model": "iris_species",
                    "expected": 7,
                    "found": 0,
                },
            ),
            (
                {"alias": ""},
                {},
                {
                    "__typename": "InvalidDeploymentError",
                    "message": "The deployment of 'iris_species' cannot be served: the variant "
                    "'a' should name either a version or an alias.",
                    "code": "INVALID_DEPLOYMENT",
                    "path": ["input", "variants"],
                    "model": "iris_species",
                    "problem": "the variant 'a' should name either a version or an alias",
                },
            ),
            (
                {"number": 1},
                {"model": "nope"},
                {
                    "__typename": "ModelNotFoundError",
                    "message": "No model named 'nope' is served; these are: 'iris_species'.",
                    "code": "MODEL_NOT_FOUND",
                    "path": ["input", "model"],
                    "name": "nope",
                    "served": ["iris_species"],
                },
            ),
            (
                {"number": 9},
                {},
                {
                    "__typename": "UnknownVersionError",
                    "message": "The model 'iris_species' has no version 9; it has the versions "
                    "5, 4, 3, 2, 1.",
                    "code": "UNKNOWN_VERSION",
                    "path": ["input", "variants"],
                    "model": "iris_species",
                    "named": "version 9",
                    "versions": [5, 4, 3, 2, 1],
                },
            ),
            (
                {"number": 4},
                {},
                {
                    "__typename": "ModelLoadError",
                    "message": "Version 4 of 'iris_species' could not be loaded: its files are "
                    "damaged.",
                    "code": "MODEL_LOAD_FAILED",
                    "path": ["input", "variants"],
                    "name": "iris_species",
                    "version": 4,
                    "reason": "its files are damaged.",
                },
            ),
        ],
    )
    async def test_what_cannot_be_done_is_data(
        self,
        client: GraphQLClient,
        store: InMemoryStore,
        version: dict[str, Any],
        others: dict[str, Any],
        expected: dict[str, Any],
    ) -> None:
        before = tags_and_aliases(store)
        variables = update_of({"name": "a", "version": version}, **others)

        assert expected == await self.updated(client, variables)
        assert before == tags_and_aliases(store)

    async def test_a_version_without_files_is_unsupported(self, client: GraphQLClient) -> None:
        found = await self.updated(client, update_of({"name": "a", "version": {"number": 5}}))

        assert (found["__typename"], found["code"]) == (
            "UnsupportedModelError",
            "MODEL_UNSUPPORTED",
        )
        assert (found["path"], found["version"]) == (["input", "variants"], 5)

    async def test_a_version_must_be_named_in_one_way(self, client: GraphQLClient) -> None:
        variables = update_of({"name": "a", "version": {"number": 1, "alias": "champion"}})

        answer = await client.execute(UPDATE, variables)

        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"

    async def test_a_registry_that_is_away_is_a_top_level_error(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        store.is_available = False

        answer = await client.execute(UPDATE, update_of({"name": "a", "version": {"number": 2}}))

        assert answer["data"] == {"deploymentUpdate": None}
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "REGISTRY_UNAVAILABLE", "requestId": REQUEST_ID}


MUTATIONS = [
    (UPDATE, update_of({"name": "a", "version": {"number": 2}})),
    (PROMOTE, {"input": {"model": "iris_species", "version": 2}}),
    (ROLL_BACK, {"model": "iris_species"}),
]


class TestPermission:
    @pytest.mark.parametrize(("mutation", "variables"), MUTATIONS)
    async def test_the_permission_to_deploy_is_enough(
        self, services: Services, mutation: str, variables: dict[str, Any]
    ) -> None:
        deployer = replace(LOCAL, permissions=frozenset({Permission.MODEL_DEPLOY}))

        answer = await GraphQLClient(services, viewer=deployer).execute(mutation, variables)

        assert "errors" not in answer

    @pytest.mark.parametrize(("mutation", "variables"), MUTATIONS)
    async def test_all_other_permissions_are_not(
        self,
        services: Services,
        store: InMemoryStore,
        mutation: str,
        variables: dict[str, Any],
    ) -> None:
        others = replace(LOCAL, permissions=LOCAL.permissions - {Permission.MODEL_DEPLOY})
        before = tags_and_aliases(store), services.serving.deployments()
        codes = []
        for viewer in (others, ANONYMOUS):
            answer = await GraphQLClient(services, viewer=viewer).execute(mutation, variables)
            assert list(answer["data"].values()) == [None]
            codes += [error["extensions"]["code"] for error in answer["errors"]]

        assert codes == ["FORBIDDEN", "UNAUTHENTICATED"]
        assert before == (tags_and_aliases(store), services.serving.deployments())
