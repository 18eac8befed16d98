"""Servers that share a registry and a database see each other's changes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gql_platform.changes.records import DeploymentNotice
from gql_platform.changes.service import DeploymentChanges
from gql_platform.deployments.records import Routing, Variant, VariantMode
from gql_platform.errors import ModelNotFoundError, StoreUnavailableError
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency
from gql_platform.registry.records import VersionRef
from gql_platform.services import Services
from gql_platform.testing import (
    InMemoryDatabase,
    InMemoryEventLog,
    InMemoryRequestKeys,
    in_memory_services,
)
from tests.graphql.deploying import iris_loader, iris_store

pytestmark = pytest.mark.anyio

MODEL = "iris_species"


class Fleet:
    """Two servers over one registry and one database."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        event_log = InMemoryEventLog(self.database)
        self.store = iris_store()
        self.events = Events(self.database, event_log)
        self.servers = [in_memory_services(self.store, iris_loader()) for _ in range(2)]
        self.paused = asyncio.Event()
        self.here, self.there = (
            DeploymentChanges(
                each.deployments,
                each.serving,
                Events(self.database, event_log),
                Idempotency(self.database, InMemoryRequestKeys(self.database)),
                pause=self._pause,
            )
            for each in self.servers
        )

    async def _pause(self, _: float) -> None:
        self.paused.set()
        self.database.is_away = False
        await asyncio.sleep(0)


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    """Two servers that are ready, and do not look at the registry by themselves."""
    fleet = Fleet()
    for each in fleet.servers:
        await each.deployments.load_all()
    yield fleet
    for each in fleet.servers:
        await each.close()


async def update(changes: DeploymentChanges, version: int, key: str | None = None) -> int:
    """Deploy a version, and return the revision."""
    variants = [Variant("only", version, None, 1.0, VariantMode.LIVE)]
    deployment = await changes.update(
        MODEL, by="me", routing=Routing.WEIGHTED, variants=variants, key=key
    )
    return deployment.revision


def revision_at(services: Services) -> int:
    """Return the revision that a server serves."""
    deployment = services.serving.deployment(MODEL)
    assert deployment is not None
    return deployment.revision


async def until_event(found: AsyncIterator[DeploymentNotice], sequence: int) -> DeploymentNotice:
    """Return what is told of an event."""
    async for notice in found:
        if notice.event is not None and notice.sequence == sequence:
            return notice
    raise AssertionError("nothing more was told")


class TestFleet:
    async def test_other_server_follows_at_once(self, fleet: Fleet) -> None:
        """A change on one server is served by the other as soon as it has heard of it."""
        following = asyncio.create_task(fleet.there.follow_others())
        notices = fleet.there.follow(MODEL)
        assert (await anext(notices)).event is None
        await update(fleet.here, 2)
        async with asyncio.timeout(10):
            notice = await until_event(notices, 1)
            async for notice in notices:
                if notice.deployment is not None and notice.deployment.revision == 1:
                    break
        assert notice.sequence == 1
        assert revision_at(fleet.servers[1]) == 1
        await notices.aclose()
        following.cancel()

    @pytest.mark.parametrize("kind", ["model.registered", "model_version.deleted"])
    async def test_changes_of_models_are_followed_too(self, fleet: Fleet, kind: str) -> None:
        """Whoever registers or deletes a version on one server lets the other one look."""
        following = asyncio.create_task(fleet.there.follow_others())
        for _ in range(20):
            await asyncio.sleep(0)
        fleet.store.set_alias(VersionRef(MODEL, 2), "champion")
        await fleet.events.record(NewEvent(kind, "ModelVersion", f"{MODEL}/2", "me"))
        async with asyncio.timeout(10):
            async for _ in fleet.servers[1].serving.news.follow():
                if fleet.servers[1].serving.models()[0].version == 2:
                    break
        following.cancel()

    async def test_following_outlives_an_outage(self, fleet: Fleet) -> None:
        """A server that starts while the database is away follows once it is back."""
        fleet.database.is_away = True
        following = asyncio.create_task(fleet.there.follow_others())
        await fleet.paused.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        await update(fleet.here, 2)
        async with asyncio.timeout(10):
            async for _ in fleet.servers[1].serving.news.follow():
                if revision_at(fleet.servers[1]) == 1:
                    break
        following.cancel()

    async def test_repeated_request_is_answered_by_the_other_server(self, fleet: Fleet) -> None:
        """A retry that reaches another server makes no second revision there."""
        assert await update(fleet.here, 2, key="k") == 1
        assert await update(fleet.there, 2, key="k") == 1
        assert [revision_at(each) for each in fleet.servers] == [1, 1]

    async def test_change_goes_on_without_its_caller(self, fleet: Fleet) -> None:
        """Whoever hangs up in the middle leaves a whole change behind, and its event."""
        notices = fleet.here.follow(MODEL)
        await anext(notices)
        asking = asyncio.create_task(update(fleet.here, 2))
        await asyncio.sleep(0)
        asking.cancel()
        async with asyncio.timeout(10):
            notice = await until_event(notices, 1)
        assert notice.event is not None
        assert (notice.event.actor, notice.event.data["revision"]) == ("me", 1)
        await notices.aclose()

    async def test_failures_are_told_to_followers(self, fleet: Fleet) -> None:
        """A follower that cannot be served is told why."""
        fleet.database.is_away = True
        with pytest.raises(StoreUnavailableError):
            await anext(fleet.here.follow())

    async def test_unknown_model_is_refused(self, fleet: Fleet) -> None:
        """The error of the change is the caller's, and a key is free again afterwards."""
        for _ in range(2):
            with pytest.raises(ModelNotFoundError):
                await fleet.here.roll_back("none", by="me", key="k")
