"""Models and versions are written through the API."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission
from gql_platform.graphql.node import encode_id
from gql_platform.services import Services
from gql_platform.testing import IRIS_PACKAGE, GraphQLClient, in_memory_services
from tests.graphql.deploying import PROMOTE, iris_loader, iris_store, tags_and_aliases

pytestmark = pytest.mark.anyio

VERSION = """
    __typename
    ... on ModelVersionChange {
      modelVersion { id version stage aliases description tags { key value } run { runId } }
    }
    ... on UserError { message code path }
"""
REGISTER = f"""
    mutation ($input: ModelRegisterInput!) {{ modelRegister(input: $input) {{ {VERSION} }} }}
"""
TRANSITION = f"""
    mutation ($input: ModelVersionTransitionInput!) {{
      modelVersionTransition(input: $input) {{
        {VERSION}
        ... on ModelVersionInUseError {{ model version variants }}
      }}
    }}
"""
DELETE = """
    mutation ($version: Int!) {
      modelVersionDelete(input: {model: "iris_species", version: $version}) {
        __typename
        ... on ModelChange { registeredModel { name versions(first: 10) { nodes { version } } } }
        ... on UserError { code path }
      }
    }
"""
UPDATE = """
    mutation ($input: ModelUpdateInput!) {
      modelUpdate(input: $input) {
        ... on ModelChange { registeredModel { description tags { key value } } }
        ... on UserError { code path }
        ... on InvalidModelError { name problem }
      }
    }
"""
UPDATE_VERSION = f"""
    mutation ($input: ModelVersionUpdateInput!) {{
      modelVersionUpdate(input: $input) {{ {VERSION} }}
    }}
"""
EVENTS = "{ events(first: 10) { nodes { type actor data subject { kind key } } } }"


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """A model of five versions, and a run that has the files of another one."""
    store = iris_store()
    store.add_run("r")
    store.add_files("r", "model", IRIS_PACKAGE)
    services = in_memory_services(store, iris_loader())
    await services.deployments.load_all()
    yield services
    await services.close()


def version(number: int, stage: str = "NONE", **shown: Any) -> dict[str, Any]:
    """Return a version as it is answered."""
    expected = {
        "id": encode_id("ModelVersion", f"{number}@iris_species"),
        "version": number,
        "stage": stage,
        "aliases": [],
        "description": None,
        "tags": [],
        "run": None,
        **shown,
    }
    return {"__typename": "ModelVersionChange", "modelVersion": expected}


class TestModelRegister:
    async def test_next_version_is_registered(self, client: GraphQLClient) -> None:
        given = {
            "model": "iris_species",
            "run": {"runId": "r"},
            "description": "Better.",
            "tags": [{"key": "team", "value": "a"}],
        }
        answer = await client.execute(REGISTER, {"input": given})

        tags = [{"key": "team", "value": "a"}]
        expected = version(6, description="Better.", tags=tags, run={"runId": "r"})
        assert answer == {"data": {"modelRegister": expected}}

    @pytest.mark.parametrize(
        ("given", "name", "code", "path"),
        [
            (
                {"path": "none"},
                "ModelFilesNotFoundError",
                "MODEL_FILES_NOT_FOUND",
                ["input", "path"],
            ),
            ({"run": {"runId": "x"}}, "RunNotFoundError", "RUN_NOT_FOUND", ["input", "run"]),
            ({"run": {"id": "x"}}, "InvalidIDError", "INVALID_ID", ["input", "run", "id"]),
            ({"model": "a/b"}, "InvalidModelError", "INVALID_MODEL", ["input"]),
        ],
    )
    async def test_what_cannot_be_registered_is_answered(
        self, client: GraphQLClient, given: dict[str, Any], name: str, code: str, path: list[str]
    ) -> None:
        variables = {"model": "iris_species", "run": {"runId": "r"}, **given}
        answer = (await client.execute(REGISTER, {"input": variables}))["data"]["modelRegister"]

        assert (answer["__typename"], answer["code"], answer["path"]) == (name, code, path)


class TestModelVersionTransition:
    async def test_production_serves(self, client: GraphQLClient, services: Services) -> None:
        given = {"model": "iris_species", "version": 2, "stage": "PRODUCTION", "note": "Better."}
        answer = await client.execute(TRANSITION, {"input": given})

        expected = version(2, "PRODUCTION", aliases=["champion"])
        assert answer == {"data": {"modelVersionTransition": expected}}
        assert services.serving.models()[0].version == 2
        events = (await client.execute(EVENTS))["data"]["events"]["nodes"]
        assert [(each["type"], each["data"]["note"], each["subject"]) for each in events] == [
            (
                "model_version.transitioned",
                "Better.",
                {"kind": "ModelVersion", "key": "iris_species/2"},
            ),
            ("deployment.changed", "Better.", {"kind": "Deployment", "key": "iris_species"}),
        ]

    async def test_what_serves_is_not_moved_away(self, client: GraphQLClient) -> None:
        given = {"model": "iris_species", "version": 1, "stage": "ARCHIVED"}
        answer = await client.execute(TRANSITION, {"input": given})

        assert answer["data"]["modelVersionTransition"] == {
            "__typename": "ModelVersionInUseError",
            "message": "Version 1 of 'iris_species' serves, as the variants 'champion'; let "
            "another version take over first.",
            "code": "MODEL_VERSION_IN_USE",
            "path": ["input", "stage"],
            "model": "iris_species",
            "version": 1,
            "variants": ["champion"],
        }

    @pytest.mark.parametrize(
        ("given", "code", "path"),
        [
            ({"version": 3}, "BREAKING_CHANGE", ["input", "version"]),
            ({"version": 4}, "MODEL_LOAD_FAILED", ["input", "version"]),
            ({"version": 9}, "UNKNOWN_VERSION", ["input", "version"]),
            ({"model": "none"}, "MODEL_NOT_FOUND", ["input", "model"]),
            ({"note": "x" * 1_001}, "INVALID_NOTE", ["input", "note"]),
        ],
    )
    async def test_what_cannot_move_is_answered(
        self, client: GraphQLClient, services: Services, given: dict[str, Any], code: str,
        path: list[str],
    ) -> None:  # fmt: skip
        variables = {"model": "iris_species", "version": 2, "stage": "PRODUCTION", **given}
        answer = await client.execute(TRANSITION, {"input": variables})

        found = answer["data"]["modelVersionTransition"]
        assert (found["code"], found["path"]) == (code, path)
        assert services.serving.models()[0].version == 1


class TestModelVersionDelete:
    async def test_it_is_gone(self, client: GraphQLClient) -> None:
        answer = await client.execute(DELETE, {"version": 3})

        versions = {"nodes": [{"version": number} for number in (5, 4, 2, 1)]}
        model = {"name": "iris_species", "versions": versions}
        expected = {"__typename": "ModelChange", "registeredModel": model}
        assert answer == {"data": {"modelVersionDelete": expected}}

    @pytest.mark.parametrize(
        ("number", "name", "code"),
        [
            (1, "ModelVersionInUseError", "MODEL_VERSION_IN_USE"),
            (9, "UnknownVersionError", "UNKNOWN_VERSION"),
        ],
    )
    async def test_what_cannot_go_is_answered(
        self, client: GraphQLClient, number: int, name: str, code: str
    ) -> None:
        answer = await client.execute(DELETE, {"version": number})

        expected = {"__typename": name, "code": code, "path": ["input", "version"]}
        assert answer == {"data": {"modelVersionDelete": expected}}


class TestUpdates:
    async def test_model_is_described_and_tagged(self, client: GraphQLClient) -> None:
        tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
        given = {"model": "iris_species", "description": "Flowers.", "setTags": tags}
        first = await client.execute(UPDATE, {"input": given})
        given = {"model": "iris_species", "description": "", "removeTags": ["b"]}
        second = await client.execute(UPDATE, {"input": given})

        assert [each["data"]["modelUpdate"]["registeredModel"] for each in (first, second)] == [
            {"description": "Flowers.", "tags": tags},
            {"description": None, "tags": tags[:1]},
        ]

    async def test_plan_of_a_deployment_is_no_tag_to_write(
        self, client: GraphQLClient, services: Services
    ) -> None:
        before = tags_and_aliases(services.registry._store)  # type: ignore[arg-type]
        tag = {"key": "gql_platform.deployment", "value": "[]"}
        given = {"model": "iris_species", "setTags": [tag]}
        answer = await client.execute(UPDATE, {"input": given})

        assert answer["data"]["modelUpdate"] == {
            "code": "INVALID_MODEL",
            "path": ["input"],
            "name": "iris_species",
            "problem": "the tag 'gql_platform.deployment' cannot be set: tags that begin with "
            "`gql_platform.` are the platform's own; take another name",
        }
        assert tags_and_aliases(services.registry._store) == before  # type: ignore[arg-type]

    async def test_version_is_described_and_tagged(self, client: GraphQLClient) -> None:
        tags = [{"key": "a", "value": "1"}]
        given = {"model": "iris_species", "version": 2, "description": "New.", "setTags": tags}
        answer = await client.execute(UPDATE_VERSION, {"input": given})

        expected = version(2, description="New.", tags=tags)
        assert answer == {"data": {"modelVersionUpdate": expected}}


class TestPromotionNote:
    async def test_event_has_the_note(self, client: GraphQLClient) -> None:
        given = {"model": "iris_species", "version": 2, "note": "It is better."}
        await client.execute(PROMOTE, {"input": given})
        (event,) = (await client.execute(EVENTS))["data"]["events"]["nodes"]

        assert event["data"] == {
            "action": "PROMOTE",
            "version": 2,
            "alias": "champion",
            "note": "It is better.",
            "revision": 0,
        }

    async def test_note_is_bounded(self, client: GraphQLClient, services: Services) -> None:
        given = {"model": "iris_species", "version": 2, "note": "x" * 1_001}
        answer = await client.execute(PROMOTE, {"input": given})

        assert answer["data"]["modelVersionPromote"] == {
            "__typename": "InvalidNoteError",
            "message": "A note has at most 1000 characters, none of which is a NUL; this one is "
            "another text.",
            "code": "INVALID_NOTE",
            "path": ["input", "note"],
        }
        assert services.serving.models()[0].version == 1


MUTATIONS = {
    'modelRegister(input: {model: "a", run: {runId: "r"}})': (
        Permission.MODEL_WRITE,
        "ModelVersionChange",
    ),
    'modelVersionTransition(input: {model: "iris_species", version: 2, stage: ARCHIVED})': (
        Permission.MODEL_DEPLOY,
        "ModelVersionChange",
    ),
    'modelVersionDelete(input: {model: "iris_species", version: 2})': (
        Permission.MODEL_WRITE,
        "ModelChange",
    ),
    'modelUpdate(input: {model: "iris_species"})': (Permission.MODEL_WRITE, "ModelChange"),
    'modelVersionUpdate(input: {model: "iris_species", version: 2})': (
        Permission.MODEL_WRITE,
        "ModelVersionChange",
    ),
}


@pytest.mark.parametrize("field", MUTATIONS)
async def test_each_needs_its_permission_and_no_other(services: Services, field: str) -> None:
    permission, success = MUTATIONS[field]
    document = f"mutation {{ field: {field} {{ __typename }} }}"
    before = tags_and_aliases(services.registry._store)  # type: ignore[arg-type]
    others = replace(LOCAL, permissions=LOCAL.permissions - {permission})
    for viewer, code in ((others, "FORBIDDEN"), (ANONYMOUS, "UNAUTHENTICATED")):
        answer = await GraphQLClient(services, viewer=viewer).execute(document)
        assert [each["extensions"]["code"] for each in answer["errors"]] == [code]
    assert tags_and_aliases(services.registry._store) == before  # type: ignore[arg-type]

    only = replace(LOCAL, permissions=frozenset({permission}))
    answer = await GraphQLClient(services, viewer=only).execute(document)
    assert answer == {"data": {"field": {"__typename": success}}}
