"""A server comes up as soon as its registry answers, and says meanwhile what is missing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gql_platform.demo.records import DemoModel
from gql_platform.errors import (
    DatabaseTooNewError,
    DemoError,
    RegistryUnavailableError,
    StartError,
)
from gql_platform.health.records import HealthState, ServerStatus
from gql_platform.registry.records import VersionRef
from gql_platform.startup import bring_up
from gql_platform.testing import (
    HOUSE_PACKAGE,
    InMemoryDatabase,
    InMemoryLoader,
    InMemoryStore,
    LinearRegressor,
    example_store,
    in_memory_services,
)

pytestmark = pytest.mark.anyio


class DemoRun:
    """Registers one model, or fails with what it was given."""

    def __init__(self, store: InMemoryStore, error: Exception | None = None) -> None:
        self.store = store
        self.error = error

    async def publish(self, models: Sequence[DemoModel]) -> None:
        """Do so."""
        del models
        if self.error is not None:
            raise self.error
        self.store.add_version("house", package=HOUSE_PACKAGE)


class Calls:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """Count."""
        self.count += 1


class TestBringUp:
    async def test_models_are_loaded(self) -> None:
        """With a registry that answers, the server is ready after one try."""
        services, ready = in_memory_services(), Calls()
        await bring_up(services, on_ready=ready)
        status = services.health.status()
        assert (status.state, status.is_ready, status.problem) == (HealthState.HEALTHY, True, None)
        assert ready.count == 1

    async def test_registry_is_asked_until_it_answers(self) -> None:
        """While the registry is away the health says so, and later the server is ready."""
        store, ready = example_store(), Calls()
        store.is_available = False
        services = in_memory_services(store)
        seen: list[ServerStatus] = []

        async def pause(_: float) -> None:
            seen.append(services.health.status())
            store.is_available = len(seen) == 3

        await bring_up(services, on_ready=ready, pause=pause)
        assert [(status.state, status.is_ready, status.problem) for status in seen] == [
            (
                HealthState.STARTING,
                False,
                "The model registry at memory: does not answer: it is switched off.",
            )
        ] * 3
        status = services.health.status()
        assert (status.is_ready, status.problem, ready.count) == (True, None, 1)

    async def test_database_is_asked_until_it_answers(self) -> None:
        """While the platform's own database is away the health says so, and later all is well."""
        services, ready = in_memory_services(), Calls()
        database = services.store
        assert isinstance(database, InMemoryDatabase)
        database.is_away = True
        seen: list[ServerStatus] = []

        async def pause(_: float) -> None:
            seen.append(services.health.status())
            database.is_away = False

        await bring_up(services, on_ready=ready, pause=pause)
        assert [status.problem for status in seen] == [
            "The platform's database at memory does not answer: it is away"
        ]
        assert (services.health.status().problem, ready.count) == (None, 1)

    async def test_database_of_a_newer_version_ends_the_start(self) -> None:
        """No waiting would help, so that the server says why and stops."""

        class Newer(InMemoryDatabase):
            async def prepare(self) -> None:
                raise DatabaseTooNewError(uri="memory", found="0999", known="0001")

        services, ready = replace(in_memory_services(), store=Newer()), Calls()
        failures: list[StartError] = []
        await bring_up(services, on_ready=ready, on_failure=failures.append)
        assert [type(each) for each in failures] == [DatabaseTooNewError]
        assert ready.count == 0

    async def test_empty_registry_is_filled_on_request(self) -> None:
        """With a demo, its models are served at once."""
        store = InMemoryStore()
        loader = InMemoryLoader({VersionRef("house", 1): LinearRegressor([1.0, 1.0, 1.0])})
        services = in_memory_services(store, loader, demo_run=DemoRun(store))
        await bring_up(services, on_ready=Calls())
        assert [model.model for model in services.serving.models()] == ["house"]
        assert services.health.status().state is HealthState.HEALTHY

    async def test_failed_demo_is_shown_and_keeps_nothing_back(self) -> None:
        """A demo that cannot be made leaves a server that is ready, and that says why."""
        store, ready = InMemoryStore(), Calls()
        services = in_memory_services(store, demo_run=DemoRun(store, DemoError(reason="no disk.")))
        await bring_up(services, on_ready=ready)
        status = services.health.status()
        assert (status.is_ready, status.models, ready.count) == (True, (), 1)
        assert status.problem == ("The demo models could not be trained and registered: no disk.")

    async def test_demo_waits_for_the_registry_too(self) -> None:
        """A registry that goes away while the demo is made is asked again."""
        store = InMemoryStore()
        run = DemoRun(store, RegistryUnavailableError(uri="memory:", reason="it is locked."))
        services = in_memory_services(store, demo_run=run)
        seen: list[str | None] = []

        async def pause(_: float) -> None:
            seen.append(services.health.status().problem)
            run.error = None

        await bring_up(services, on_ready=Calls(), pause=pause)
        assert seen == ["The model registry at memory: does not answer: it is locked."]
        assert services.health.status().problem is None
        assert [model.model for model in services.serving.models()] == ["house"]

    async def test_pauses_grow_up_to_a_limit(self) -> None:
        """A registry that stays away is not hammered."""
        paused: list[float] = []
        store = example_store()
        store.is_available = False

        async def pause(seconds: float) -> None:
            paused.append(seconds)
            store.is_available = len(paused) == 7

        await bring_up(in_memory_services(store), on_ready=Calls(), pause=pause)
        assert paused == [1, 2, 4, 8, 16, 30, 30]
