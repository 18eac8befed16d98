"""Who follows learns of new deployments and schemas, and answers say where they came from."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission
from gql_platform.deployments.records import Routing, Variant, VariantMode
from gql_platform.registry.records import ColumnType, ModelPackage, Signature, VersionRef
from gql_platform.services import Services
from gql_platform.testing import (
    IRIS_LABELS,
    GraphQLClient,
    InMemoryLoader,
    InMemoryStore,
    LinearClassifier,
    columns_of,
    in_memory_services,
)

pytestmark = pytest.mark.anyio

FINGERPRINT = "{ server { schema { fingerprint changedAt } } }"
FOLLOW_SCHEMA = "subscription { schemaChanged { fingerprint changedAt } }"
ROW_FIELDS = '{ __type(name: "FlowerRow") { inputFields { name } } }'
PREDICT = """
    query ($key: String) {
      typed: predict {
        flower(rows: [{sepalLengthCm: 1, petalLengthCm: 1}], key: $key) { ...facts }
      }
    }
    fragment facts on Classification { model version variant engine predictionId }
"""
PREDICT_ROWS = """
    query ($key: String) {
      predictRows(model: "flower", rows: [[1, 1]], key: $key) {
        model version variant engine predictionId
      }
    }
"""


def package(*columns: str) -> ModelPackage:
    """Return what the files of a model of these columns say."""
    inputs = columns_of(dict.fromkeys(columns, ColumnType.DOUBLE))
    signature = Signature(inputs, columns_of({"species": ColumnType.STRING}))
    return ModelPackage("sklearn", signature, size_bytes=None)


OLD = package("sepal length (cm)", "petal length (cm)")


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """A model of versions 1 (champion), 2 with the same columns, and 3 with others."""
    store = InMemoryStore()
    store.add_version("flower", package=OLD, aliases=["champion"])
    store.add_version("flower", package=OLD)
    store.add_version("flower", package=package("sepal length (cm)", "mass (g)"))
    model = LinearClassifier(IRIS_LABELS, [[0.0] * 2] * 3)
    services = in_memory_services(
        store, InMemoryLoader({VersionRef("flower", number): model for number in (1, 2, 3)})
    )
    await services.deployments.load_all()
    yield services
    await services.close()


async def promote(services: Services, version: int) -> None:
    """Make a version the champion, whatever it breaks."""
    await services.deployments.promote(VersionRef("flower", version), allow_breaking=True)


async def split(services: Services, routing: Routing) -> None:
    """Let versions 1 and 2 share the requests."""
    variants = [
        Variant(name, number, None, 1.0, VariantMode.LIVE)
        for name, number in (("old", 1), ("new", 2))
    ]
    await services.deployments.update("flower", routing=routing, variants=variants)


class TestDeploymentChanged:
    SUBSCRIPTION = """
        subscription ($model: String) {
          deploymentChanged(model: $model) {
            deployment { model revision variants { served { version } } }
          }
        }
    """

    @staticmethod
    def event(revision: int, *versions: int) -> dict[str, Any]:
        """Return the event of a deployment."""
        variants = [{"served": {"version": version}} for version in versions]
        deployment = {"model": "flower", "revision": revision, "variants": variants}
        return {"data": {"deploymentChanged": {"deployment": deployment}}}

    @pytest.mark.parametrize("model", [None, "flower"])
    async def test_it_comes_at_once_and_after_each_change(
        self, client: GraphQLClient, services: Services, model: str | None
    ) -> None:
        events = client.subscribe(self.SUBSCRIPTION, {"model": model})

        assert self.event(0, 1) == await anext(events)
        await promote(services, 2)
        assert self.event(0, 2) == await anext(events)
        await split(services, Routing.STICKY)
        assert self.event(1, 1, 2) == await anext(events)

    async def test_others_are_not_told(self, client: GraphQLClient, services: Services) -> None:
        events = aiter(client.subscribe(self.SUBSCRIPTION, {"model": "tree"}))

        async def first_event() -> object:
            return await anext(events)

        waiting = asyncio.create_task(first_event())
        await promote(services, 2)
        for _ in range(10):
            await asyncio.sleep(0)

        assert not waiting.done()
        waiting.cancel()

    @pytest.mark.parametrize("document", [SUBSCRIPTION, FOLLOW_SCHEMA])
    async def test_it_is_for_readers(self, services: Services, document: str) -> None:
        others = replace(LOCAL, permissions=LOCAL.permissions - {Permission.MODEL_READ})
        codes = []
        for viewer in (others, ANONYMOUS):
            event = await anext(GraphQLClient(services, viewer=viewer).subscribe(document))
            codes += [error["extensions"]["code"] for error in event["errors"]]

        assert codes == ["FORBIDDEN", "UNAUTHENTICATED"]


class TestSchemaChanged:
    async def test_a_new_contract_has_a_new_fingerprint(
        self, client: GraphQLClient, services: Services
    ) -> None:
        swapped = asyncio.Event()
        following = asyncio.create_task(
            client.schemas.follow(services.serving, on_swap=swapped.set)
        )
        events = client.subscribe(FOLLOW_SCHEMA)
        first = (await anext(events))["data"]["schemaChanged"]
        assert (await client.execute(FINGERPRINT))["data"]["server"]["schema"] == first

        await promote(services, 3)
        second = (await anext(events))["data"]["schemaChanged"]
        await swapped.wait()

        assert first["fingerprint"] != second["fingerprint"]
        assert first["changedAt"] < second["changedAt"]
        assert (await client.execute(FINGERPRINT))["data"]["server"]["schema"] == second
        shown = await GraphQLClient(services, schema=client.schemas.full).execute(ROW_FIELDS)
        assert [each["name"] for each in shown["data"]["__type"]["inputFields"]] == [
            "sepalLengthCm",
            "massG",
        ]

        await promote(services, 1)
        third = (await anext(events))["data"]["schemaChanged"]

        assert third["fingerprint"] == first["fingerprint"]
        following.cancel()

    async def test_a_version_of_the_same_contract_changes_nothing(
        self, client: GraphQLClient, services: Services
    ) -> None:
        swapped = asyncio.Event()
        following = asyncio.create_task(
            client.schemas.follow(services.serving, on_swap=swapped.set)
        )
        before = await client.execute(FINGERPRINT)

        await promote(services, 2)
        for _ in range(10):
            await asyncio.sleep(0)

        assert before == await client.execute(FINGERPRINT)
        assert not swapped.is_set()
        following.cancel()

    async def test_fingerprint_is_that_of_the_viewer(self, services: Services) -> None:
        client = GraphQLClient(services)
        stranger = replace(LOCAL, permissions=frozenset({Permission.SERVER_READ}))
        other = GraphQLClient(services, viewer=stranger)

        mine = (await client.execute(FINGERPRINT))["data"]["server"]["schema"]
        theirs = (await other.execute(FINGERPRINT))["data"]["server"]["schema"]

        assert mine["fingerprint"] == client.schemas.fingerprint(client.schemas.full)
        assert theirs["fingerprint"] == client.schemas.fingerprint(client.schemas.core)
        assert mine["fingerprint"] != theirs["fingerprint"]
        assert len(mine["fingerprint"]) == 64

    async def test_a_schema_that_cannot_be_built_leaves_the_old(self, services: Services) -> None:
        client = GraphQLClient(services)
        old, build, tried = client.schemas.full, client.schemas._build, asyncio.Event()
        loop = asyncio.get_running_loop()

        def fail(_: object) -> Any:
            loop.call_soon_threadsafe(tried.set)
            raise RuntimeError

        client.schemas._build = fail
        swapped = asyncio.Event()
        following = asyncio.create_task(
            client.schemas.follow(services.serving, on_swap=swapped.set)
        )
        await promote(services, 3)
        await tried.wait()
        assert client.schemas.full is old

        client.schemas._build = build
        services.serving.news.tell()
        await swapped.wait()

        assert client.schemas.full is not old
        following.cancel()


class TestPredictions:
    async def test_they_say_where_they_came_from(self, client: GraphQLClient) -> None:
        typed = (await client.execute(PREDICT))["data"]["typed"]["flower"]
        rows = (await client.execute(PREDICT_ROWS))["data"]["predictRows"]
        ids = [typed.pop("predictionId"), rows.pop("predictionId")]

        facts = {"model": "flower", "version": 1, "variant": "champion", "engine": "NATIVE"}
        assert (typed, rows) == (facts, facts)
        assert [len(each) for each in ids] == [32, 32]
        # The ids begin with the time, so that those of later answers are greater.
        assert ids[0][:12] <= ids[1][:12]
        assert ids[0] != ids[1]

    async def test_a_key_meets_one_variant_in_both_ways(
        self, client: GraphQLClient, services: Services
    ) -> None:
        await split(services, Routing.STICKY)
        met = {}
        for number in range(20):
            variables = {"key": f"user-{number}"}
            typed = (await client.execute(PREDICT, variables))["data"]["typed"]["flower"]
            rows = (await client.execute(PREDICT_ROWS, variables))["data"]["predictRows"]
            assert typed["variant"] == rows["variant"]
            assert typed["version"] == {"old": 1, "new": 2}[typed["variant"]]
            met[variables["key"]] = typed["variant"]

        assert set(met.values()) == {"old", "new"}
