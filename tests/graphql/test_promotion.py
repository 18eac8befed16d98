"""Versions are promoted and deployments go back over GraphQL."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gql_platform.services import Services
from gql_platform.testing import GraphQLClient, InMemoryStore, in_memory_services
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

SETOSA = [5.1, 3.5, 1.4, 0.2]


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


class TestPromote:
    async def promoted(self, client: GraphQLClient, version: int, **others: Any) -> Any:
        """Return what the mutation answers."""
        variables = {"input": {"model": "iris_species", "version": version, **others}}
        answer = await client.execute(PROMOTE, variables)
        assert "errors" not in answer
        return answer["data"]["modelVersionPromote"]

    async def test_it_answers_with_what_serves_now(
        self, client: GraphQLClient, services: Services
    ) -> None:
        found = await self.promoted(client, 2)
        answer = await services.serving.predict("iris_species", [SETOSA])

        assert found == {
            "__typename": "DeploymentChange",
            "deployment": {
                "model": "iris_species",
                "revision": 0,
                "routing": "WEIGHTED",
                "variants": [variant("champion", None, 1.0, served=2)],
            },
        }
        assert answer.version == 2

    async def test_another_alias_may_be_pointed(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        found = await self.promoted(client, 2, alias="next")

        assert found["deployment"]["variants"] == [variant("champion", None, 1.0)]
        assert [alias.name for alias in store._models["iris_species"].aliases] == [
            "champion",
            "next",
        ]

    async def test_breaking_may_be_accepted(self, client: GraphQLClient) -> None:
        refused = await self.promoted(client, 3)
        accepted = await self.promoted(client, 3, allowBreaking=True)

        changes = [
            "the column 'sepal width (cm)' is gone",
            "the column 'petal length (cm)' is gone",
            "the column 'petal width (cm)' is gone",
            "the column 'colour' is new and required",
        ]
        assert refused == {
            "__typename": "BreakingChangeError",
            "message": "Version 3 of 'iris_species' breaks what callers of version 1 rely on: "
            + ", ".join(map(repr, changes))
            + "; accept that with `allowBreaking: true`.",
            "code": "BREAKING_CHANGE",
            "path": ["input", "version"],
            "model": "iris_species",
            "version": 3,
            "servedVersion": 1,
            "changes": changes,
        }
        assert accepted["deployment"]["variants"] == [variant("champion", None, 1.0, served=3)]

    @pytest.mark.parametrize(
        ("version", "others", "name", "code", "path"),
        [
            (9, {}, "UnknownVersionError", "UNKNOWN_VERSION", ["input", "version"]),
            (4, {}, "ModelLoadError", "MODEL_LOAD_FAILED", ["input", "version"]),
            (5, {}, "UnsupportedModelError", "MODEL_UNSUPPORTED", ["input", "version"]),
            (1, {"model": "nope"}, "ModelNotFoundError", "MODEL_NOT_FOUND", ["input", "model"]),
            (
                2,
                {"alias": "latest"},
                "InvalidDeploymentError",
                "INVALID_DEPLOYMENT",
                ["input", "alias"],
            ),
        ],
    )
    async def test_what_cannot_be_done_is_data(
        self,
        client: GraphQLClient,
        store: InMemoryStore,
        version: int,
        others: dict[str, Any],
        name: str,
        code: str,
        path: list[str],
    ) -> None:
        before = tags_and_aliases(store)

        found = await self.promoted(client, version, **others)

        assert (found["__typename"], found["code"], found["path"]) == (name, code, path)
        assert before == tags_and_aliases(store)


class TestRollback:
    async def rolled_back(self, client: GraphQLClient, model: str = "iris_species") -> Any:
        """Return what the mutation answers."""
        answer = await client.execute(ROLL_BACK, {"model": model})
        assert "errors" not in answer
        return answer["data"]["deploymentRollback"]

    async def test_what_was_replaced_serves_again(self, client: GraphQLClient) -> None:
        variables = update_of({"name": "new", "version": {"number": 2}})
        await client.execute(UPDATE, variables)

        found = await self.rolled_back(client)

        assert found["deployment"]["revision"] == 2
        assert found["deployment"]["variants"] == [variant("champion", None, 1.0)]

    async def test_there_may_be_nothing_to_go_back_to(self, client: GraphQLClient) -> None:
        assert await self.rolled_back(client) == {
            "__typename": "NoEarlierDeploymentError",
            "message": "The deployment of 'iris_species' was never another, so that there is "
            "nothing to go back to.",
            "code": "NO_EARLIER_DEPLOYMENT",
            "path": ["input", "model"],
            "model": "iris_species",
        }

    async def test_model_may_be_unknown(self, client: GraphQLClient) -> None:
        found = await self.rolled_back(client, "nope")

        assert (found["code"], found["path"]) == ("MODEL_NOT_FOUND", ["input", "model"])
