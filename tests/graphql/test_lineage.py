"""Lineage over GraphQL."""

from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import LOCAL, Permission
from gql_platform.graphql.node import encode_id
from gql_platform.testing import GraphQLClient, InMemoryStore, example_loader, in_memory_services
from tests.unit.lineage.test_service import garden

pytestmark = pytest.mark.anyio

QUERY = """
    query ($of: LineageOf!, $direction: LineageDirection! = BOTH, $depth: Int! = 3) {
      lineage(of: $of, direction: $direction, depth: $depth) {
        truncated
        nodes {
          id kind label
          dataset { name digest sourceType source }
          run { runId }
          modelVersion { version model { name } }
          deployment { revision }
        }
        edges { source target context }
      }
    }
"""


@pytest.fixture
def store() -> InMemoryStore:
    """Two data sets, three runs and three versions, one of which serves."""
    return garden()


@pytest.fixture
async def client(store: InMemoryStore) -> GraphQLClient:
    """A client of a server over them."""
    services = in_memory_services(store, example_loader())
    await services.deployments.load_all()
    return GraphQLClient(services)


async def lineage(client: GraphQLClient, **variables: Any) -> Any:
    """Return a lineage."""
    answer = await client.execute(QUERY, variables)
    assert "errors" not in answer
    return answer["data"]["lineage"]


async def test_nodes_are_what_they_stand_for(client: GraphQLClient) -> None:
    """Each shows its object, and edges name the ids of nodes."""
    found = await lineage(client, of={"modelVersion": {"model": "iris_species", "version": 1}})
    version, run, flowers, weeds, deployment = found["nodes"]
    nothing = dict.fromkeys(("dataset", "run", "modelVersion", "deployment"))
    assert version == {
        **nothing,
        "id": encode_id("ModelVersion", "1@iris_species"),
        "kind": "MODEL_VERSION",
        "label": "iris_species 1",
        "modelVersion": {"version": 1, "model": {"name": "iris_species"}},
    }
    assert run == {
        **nothing,
        "id": encode_id("Run", "first"),
        "kind": "RUN",
        "label": "first try",
        "run": {"runId": "first"},
    }
    assert flowers == {
        **nothing,
        "id": encode_id("Dataset", "abc@flowers"),
        "kind": "DATASET",
        "label": "flowers",
        "dataset": {
            "name": "flowers",
            "digest": "abc",
            "sourceType": "local",
            "source": "flowers.csv",
        },
    }
    assert deployment == {
        **nothing,
        "id": encode_id("Deployment", "iris_species"),
        "kind": "DEPLOYMENT",
        "label": "iris_species",
        "deployment": {"revision": 0},
    }
    assert found["edges"] == [
        {"source": run["id"], "target": version["id"], "context": None},
        {"source": flowers["id"], "target": run["id"], "context": "training"},
        {"source": weeds["id"], "target": run["id"], "context": "evaluation"},
        {"source": version["id"], "target": deployment["id"], "context": None},
    ]


async def test_ids_fetch_the_objects(client: GraphQLClient) -> None:
    """Those of runs, versions and deployments are the global ones."""
    found = await lineage(client, of={"runId": "first"})
    ids = [each["id"] for each in found["nodes"] if each["kind"] != "DATASET"]
    answer = await client.execute("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})
    assert answer["data"]["nodes"] == [{"id": each} for each in ids]


@pytest.mark.parametrize(
    ("of", "direction", "depth", "kinds"),
    [
        ({"runId": "first"}, "UPSTREAM", 1, ["RUN", "DATASET", "DATASET"]),
        ({"runId": "second"}, "DOWNSTREAM", 3, ["RUN", "MODEL_VERSION"]),
        ({"dataset": {"name": "flowers", "digest": "aaa"}}, "BOTH", 3, ["DATASET", "RUN"]),
        ({"model": "iris_species"}, "DOWNSTREAM", 1, ["MODEL_VERSION"] * 3 + ["DEPLOYMENT"]),
    ],
)
async def test_anything_can_be_asked_about(
    client: GraphQLClient, of: dict[str, Any], direction: str, depth: int, kinds: list[str]
) -> None:
    """In one direction or both, and as far as one wants."""
    found = await lineage(client, of=of, direction=direction, depth=depth)
    assert [each["kind"] for each in found["nodes"]] == kinds


async def test_nothing_is_null(client: GraphQLClient) -> None:
    """There is no lineage of what is not there."""
    for of in ({"runId": "gone"}, {"model": ""}, {"dataset": {"name": "", "digest": ""}}):
        assert await lineage(client, of=of) is None


async def test_too_deep_is_refused(client: GraphQLClient) -> None:
    """The error tells the bounds."""
    answer = await client.execute(QUERY, {"of": {"runId": "first"}, "depth": 4})
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_DEPTH"


@pytest.mark.parametrize("missing", [Permission.RUN_READ, Permission.MODEL_READ])
async def test_both_permissions_are_needed(store: InMemoryStore, missing: Permission) -> None:
    """A lineage tells of runs and of models."""
    viewer = replace(LOCAL, permissions=LOCAL.permissions - {missing})
    client = GraphQLClient(in_memory_services(store, example_loader()), viewer=viewer)
    answer = await client.execute(QUERY, {"of": {"runId": "first"}})
    assert answer["errors"][0]["extensions"]["permission"] == missing.value
    assert answer["data"] == {"lineage": None}
