"""Runs and the registry in the schema, followed while they change."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gql_platform.access.records import LOCAL, Permission, Viewer
from gql_platform.graphql.node import encode_id
from gql_platform.registry.records import CHAMPION, VersionRef
from gql_platform.services import Services
from gql_platform.testing import GraphQLClient, InMemoryStore, in_memory_services
from gql_platform.tracking.records import RunState

pytestmark = pytest.mark.anyio

RUN = """
    subscription ($id: ID!, $after: String, $skip: Boolean! = false) {
      runUpdated(id: $id, after: $after, skipHistory: $skip) {
        run { name state timing { finishedAt } }
        newMetrics { key steps values exactValues timesMs restarted }
        hasMore cursor isFinal
      }
    }
"""
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "follow-runs.md"
RUNS = """
    subscription ($experiment: ID, $filter: RunFilterInput, $first: Int) {
      runsUpdated(experiment: $experiment, filter: $filter, first: $first) {
        changes { kind runId run { name state metrics { key exactValue } } }
      }
    }
"""
REGISTRY = """
    subscription ($model: String) {
      registryChanged(model: $model) {
        changes { kind modelName alias versionNumber version { version stage } model { name } }
      }
    }
"""


@pytest.fixture
def store() -> InMemoryStore:
    """A run at work, one that is over, and a model with two versions."""
    store = InMemoryStore()
    store.add_run("done", name="done", metrics={"loss": 0.5})
    store.add_run("work", name="at work", state=RunState.RUNNING)
    store.add_version("wine")
    store.add_version("wine", aliases=[CHAMPION])
    return store


@pytest.fixture
async def services(store: InMemoryStore) -> AsyncIterator[Services]:
    """The services on that store."""
    services = in_memory_services(store)
    yield services
    await services.close()


@asynccontextmanager
async def following(
    client: GraphQLClient, document: str, **variables: object
) -> AsyncIterator["Messages"]:
    """Follow something while the block lasts."""
    async with aclosing(client.subscribe(document, variables)) as found:  # type: ignore[type-var]
        yield Messages(found)


class Messages:
    """The messages of a subscription, one by one."""

    def __init__(self, found: AsyncIterator[dict[str, Any]]) -> None:
        self._found = found

    async def next(self) -> Any:
        """Return what the root field of the next message holds."""
        async with asyncio.timeout(10):
            answer = await anext(self._found)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    async def next_error(self) -> str:
        """Return the code of the error that comes next."""
        async with asyncio.timeout(10):
            answer = await anext(self._found)
        return str(answer["errors"][0]["extensions"]["code"])

    async def is_over(self) -> bool:
        """Return whether nothing comes any more."""
        async with asyncio.timeout(10):
            return await anext(self._found, None) is None


def points_of(message: dict[str, Any]) -> dict[str, list[tuple[int, object]]]:
    """Return steps with values by metric."""
    return {
        each["key"]: list(zip(each["steps"], each["exactValues"], strict=True))
        for each in message["newMetrics"]
    }


class TestRunUpdated:
    async def test_brings_each_point_once(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """What was logged comes first, then what is logged, then the end."""
        store.log_metric("work", "loss", [(0, 1.0), (1, 0.5)])
        async with following(client, RUN, id=encode_id("Run", "work")) as messages:
            first = await messages.next()
            assert points_of(first) == {"loss": [(0, 1.0), (1, 0.5)]}
            assert (first["hasMore"], first["isFinal"]) == (False, False)
            store.log_metric("work", "loss", [(2, 0.25)])
            store.log_metric("work", "error", [(0, 3.0)])
            assert points_of(await messages.next()) == {
                "error": [(0, 3.0)],
                "loss": [(2, 0.25)],
            }
            store.change_run("work", state=RunState.FINISHED)
            last = await messages.next()
            assert (last["run"]["state"], last["isFinal"]) == ("FINISHED", True)
            assert last["newMetrics"] == []
            assert await messages.is_over()

    async def test_goes_on_behind_a_cursor(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """Whoever comes back gets exactly what was missed."""
        store.log_metric("work", "loss", [(0, 1.0)])
        run_id = encode_id("Run", "work")
        async with following(client, RUN, id=run_id) as messages:
            cursor = (await messages.next())["cursor"]
        store.log_metric("work", "loss", [(1, 0.5)])
        store.log_metric("work", "f1", [(0, 0.75)])
        async with following(client, RUN, id=run_id, after=cursor) as messages:
            assert points_of(await messages.next()) == {"f1": [(0, 0.75)], "loss": [(1, 0.5)]}

    async def test_run_that_is_over_is_told_once(self, client: GraphQLClient) -> None:
        """All of it comes in one message, and nothing after it."""
        async with following(client, RUN, id=encode_id("Run", "done")) as messages:
            only = await messages.next()
            assert (only["run"]["name"], only["isFinal"]) == ("done", True)
            assert points_of(only) == {"loss": [(0, 0.5)]}
            assert await messages.is_over()

    async def test_numbers_may_be_none(self, client: GraphQLClient, store: InMemoryStore) -> None:
        """NaN and infinity pass, as null and by their names, and are not told again."""
        store.log_metric("work", "loss", [(0, math.nan), (1, math.inf), (2, -math.inf)])
        async with following(client, RUN, id=encode_id("Run", "work")) as messages:
            (metric,) = (await messages.next())["newMetrics"]
            assert metric["values"] == [None, None, None]
            assert metric["exactValues"] == ["NaN", "Infinity", "-Infinity"]
            store.log_metric("work", "loss", [(3, math.nan)])
            assert points_of(await messages.next()) == {"loss": [(3, "NaN")]}

    async def test_history_may_be_skipped(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """Then the first message has no points, and what is logged after it comes."""
        store.log_metric("work", "loss", [(0, 1.0)])
        async with following(client, RUN, id=encode_id("Run", "work"), skip=True) as messages:
            assert (await messages.next())["newMetrics"] == []
            store.log_metric("work", "loss", [(1, 0.5)])
            assert points_of(await messages.next()) == {"loss": [(1, 0.5)]}

    async def test_outage_is_waited_for(self, client: GraphQLClient, store: InMemoryStore) -> None:
        """While the store is away nothing comes, and afterwards nothing is missed."""
        async with following(client, RUN, id=encode_id("Run", "work")) as messages:
            await messages.next()
            store.is_available = False
            store.log_metric("work", "loss", [(0, 1.0)])
            waiting = asyncio.create_task(messages.next())
            done, _ = await asyncio.wait({waiting}, timeout=0.1)
            assert not done
            store.is_available = True
            assert points_of(await waiting) == {"loss": [(0, 1.0)]}

    async def test_example_of_the_documentation_answers(self, client: GraphQLClient) -> None:
        """The document that needs the id of a run is followed like the others."""
        text = PAGE.read_text(encoding="utf-8")
        document = text.split("```text\n")[1].split("```")[0]
        async with following(client, document, id=encode_id("Run", "done")) as messages:
            only = await messages.next()
            assert [each["key"] for each in only["newMetrics"]] == ["loss"]
            assert await messages.is_over()

    async def test_unknown_run_is_an_error(self, client: GraphQLClient) -> None:
        """There is nothing to follow."""
        async with following(client, RUN, id=encode_id("Run", "none")) as messages:
            assert await messages.next_error() == "RUN_NOT_FOUND"

    async def test_cursor_of_another_run_is_refused(self, client: GraphQLClient) -> None:
        """It would tell wrongly what is known."""
        async with following(client, RUN, id=encode_id("Run", "done")) as messages:
            cursor = (await messages.next())["cursor"]
        for bad in (cursor, "what", "", "AAAA"):
            async with following(client, RUN, id=encode_id("Run", "work"), after=bad) as messages:
                assert await messages.next_error() == "INVALID_CURSOR"

    async def test_id_of_something_else_is_refused(self, client: GraphQLClient) -> None:
        """A model is no run."""
        async with following(client, RUN, id=encode_id("Model", "wine")) as messages:
            assert await messages.next_error() == "INVALID_ID"


class TestRunsUpdated:
    async def test_all_come_first_and_then_what_changes(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """New runs, other metrics and ends are told, each with the run as it is."""
        async with following(client, RUNS) as messages:
            first = (await messages.next())["changes"]
            assert [(each["kind"], each["runId"]) for each in first] == [
                ("NEW", "work"),
                ("NEW", "done"),
            ]
            store.log_metric("work", "loss", [(0, math.nan)])
            (changed,) = (await messages.next())["changes"]
            assert (changed["kind"], changed["runId"]) == ("CHANGED", "work")
            assert changed["run"]["metrics"] == [{"key": "loss", "exactValue": "NaN"}]
            store.add_run("next", name="next", state=RunState.RUNNING)
            (new,) = (await messages.next())["changes"]
            assert (new["kind"], new["run"]["name"]) == ("NEW", "next")
            store.change_run("next", is_deleted=True)
            (gone,) = (await messages.next())["changes"]
            assert (gone["kind"], gone["runId"]) == ("GONE", "next")

    async def test_filter_is_left_by_what_it_chooses_no_longer(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """A run that ends is none at work, and is shown as it ended."""
        async with following(client, RUNS, filter={"states": ["RUNNING"]}) as messages:
            assert [each["runId"] for each in (await messages.next())["changes"]] == ["work"]
            store.change_run("work", state=RunState.FAILED)
            (gone,) = (await messages.next())["changes"]
            assert (gone["kind"], gone["run"]["state"]) == ("GONE", "FAILED")

    async def test_experiment_has_its_own(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """Runs of others are not told, and what makes room for newer ones is not gone."""
        other = store.add_experiment("other").experiment_id
        store.add_run("one", experiment_id=other)
        node = encode_id("Experiment", other)
        async with following(client, RUNS, experiment=node, first=1) as messages:
            assert [each["runId"] for each in (await messages.next())["changes"]] == ["one"]
            store.add_run("elsewhere")
            store.add_run("two", experiment_id=other)
            found = (await messages.next())["changes"]
            assert [(each["kind"], each["runId"]) for each in found] == [("NEW", "two")]


class TestRegistryChanged:
    async def test_tells_what_happens(self, client: GraphQLClient, store: InMemoryStore) -> None:
        """After an empty message: versions, aliases and models, whoever changed them."""
        async with following(client, REGISTRY) as messages:
            assert await messages.next() == {"changes": []}
            store.set_alias(VersionRef("wine", 1), CHAMPION)
            (moved,) = (await messages.next())["changes"]
            assert moved == {
                "kind": "ALIAS_SET",
                "modelName": "wine",
                "alias": "champion",
                "versionNumber": 1,
                "version": {"version": 1, "stage": "PRODUCTION"},
                "model": {"name": "wine"},
            }
            store.add_model("iris")
            assert [each["kind"] for each in (await messages.next())["changes"]] == [
                "MODEL_CREATED"
            ]

    async def test_one_model_is_followed_alone(
        self, client: GraphQLClient, store: InMemoryStore
    ) -> None:
        """What happens to others is not told."""
        async with following(client, REGISTRY, model="wine") as messages:
            await messages.next()
            store.add_model("iris")
            store.remove_model("wine")
            (gone,) = (await messages.next())["changes"]
            assert (gone["kind"], gone["modelName"]) == ("MODEL_DELETED", "wine")
            assert gone["model"] is None


class TestPermissions:
    @pytest.mark.parametrize(
        ("document", "variables", "missing"),
        [
            (RUN, {"id": encode_id("Run", "work")}, Permission.RUN_READ),
            (RUNS, {}, Permission.RUN_READ),
            (REGISTRY, {}, Permission.MODEL_READ),
        ],
    )
    async def test_are_asked_for(
        self,
        services: Services,
        store: InMemoryStore,
        document: str,
        variables: dict[str, object],
        missing: Permission,
    ) -> None:
        """Without the permission nothing is followed, and no store is asked."""
        viewer = Viewer(LOCAL.name, LOCAL.permissions - {missing})
        client = GraphQLClient(services, viewer=viewer)
        async with following(client, document, **variables) as messages:
            assert await messages.next_error() == "FORBIDDEN"
        assert not store.calls["runs"] + store.calls["run_page"] + store.calls["versions"]
