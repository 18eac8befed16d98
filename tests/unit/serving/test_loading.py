"""Models are loaded as the registry names them, and what does not load says why."""

import asyncio

import pytest

from gql_platform.deployments.service import Deployments
from gql_platform.errors import PlatformError, RegistryUnavailableError, UnsupportedModelError
from gql_platform.registry.records import ModelPackage, ModelVersion, VersionRef
from gql_platform.registry.service import Registry
from gql_platform.services import Services
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import Predictor
from gql_platform.serving.records import ModelState, Task
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing import (
    HOUSE_PACKAGE,
    IRIS_PACKAGE,
    InMemoryLoader,
    InMemoryStore,
    LinearRegressor,
    example_store,
    in_memory_services,
)
from tests.unit.serving.doubles import Observer, house_serving

pytestmark = pytest.mark.anyio


class TestLoading:
    async def test_served_versions_are_shown(self, services: Services) -> None:
        """The champion is served where there is one, and shown with what it is."""
        house, iris = services.serving.models()
        assert (house.model, house.version, house.task) == ("house_price", 1, Task.REGRESSION)
        assert (iris.model, iris.version, iris.task) == ("iris_species", 1, Task.CLASSIFICATION)
        assert iris.labels == ("setosa", "versicolor", "virginica")
        assert iris.signature is IRIS_PACKAGE.signature
        assert (iris.state, iris.reason) == (ModelState.READY, None)
        assert iris.loaded_at is not None
        assert iris.load_ms is not None
        assert services.serving.model("iris_species") is iris

    async def test_newest_version_is_served_without_a_champion(self) -> None:
        """Without the alias the highest number serves."""
        store = example_store()
        store.set_alias(VersionRef("iris_species", 1), "old")
        store.set_alias(VersionRef("iris_species", 2), "champion")
        services = in_memory_services(store)
        await services.deployments.load_all()
        assert services.serving.model("iris_species").version == 2

    async def test_model_without_versions_is_not_served(self) -> None:
        """A name without versions does not appear."""
        store = InMemoryStore()
        store.add_model("empty")
        services = in_memory_services(store)
        await services.deployments.load_all()
        assert services.serving.is_ready
        assert services.serving.models() == ()

    async def test_all_is_read_from_the_registry_in_three_reads(self) -> None:
        """However many models there are, they are not read one by one."""
        store = InMemoryStore()
        for number in range(50):
            store.add_version(f"model-{number}", package=HOUSE_PACKAGE)
        await in_memory_services(store).deployments.load_all()
        assert store.calls == {"models": 1, "versions": 1, "packages": 1}

    async def test_observers_learn_of_each_version(self) -> None:
        """Whoever counts is told which version is up and which is not."""
        observer = Observer()
        await house_serving(LinearRegressor([1.0, 1.0, 1.0]), observer)
        assert observer.settled == [("house", 1, True)]

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (
                UnsupportedModelError(name="house_price", version=1, reason="it is a clusterer."),
                "Version 1 of 'house_price' cannot be served: it is a clusterer.",
            ),
            (
                RegistryUnavailableError(uri="s3://models", reason="no route."),
                "The model registry at s3://models does not answer: no route.",
            ),
            (None, "Version 1 of 'house_price' could not be loaded: it has no predictor."),
        ],
    )
    async def test_failed_model_is_shown_and_keeps_no_other_back(
        self, error: PlatformError | None, reason: str
    ) -> None:
        """A model that does not load says why, and the rest predicts."""
        iris = LinearRegressor([1.0] * 4)
        loader = InMemoryLoader({VersionRef("iris_species", 1): iris})
        if error is not None:
            loader = InMemoryLoader(
                {VersionRef("iris_species", 1): iris, VersionRef("house_price", 1): error}
            )
        services = in_memory_services(loader=loader)
        await services.deployments.load_all()
        house, other = services.serving.models()
        assert (house.state, house.reason) == (ModelState.FAILED, reason)
        assert (house.loaded_at, house.load_ms, house.task) == (None, None, None)
        assert (other.model, other.state) == ("iris_species", ModelState.READY)
        assert services.serving.is_ready
        assert services.metrics is not None
        up = {"model": "house_price", "version": "1"}
        assert services.metrics.registry.get_sample_value("gql_platform_model_up", up) == 0

    async def test_version_without_files_is_shown_as_failed(self) -> None:
        """A version whose files cannot be read is not served."""
        store = InMemoryStore()
        store.add_version("house_price")
        services = in_memory_services(store)
        await services.deployments.load_all()
        (house,) = services.serving.models()
        assert house.state is ModelState.FAILED
        assert house.reason == (
            "Version 1 of 'house_price' cannot be served: its files are missing or cannot be "
            "read; the server's log says why."
        )

    async def test_server_is_ready_when_the_registry_answered(self) -> None:
        """While the registry is away nothing is ready, and later all is."""
        store = example_store()
        store.is_available = False
        services = in_memory_services(store)
        seen = [services.serving.is_ready]
        with pytest.raises(RegistryUnavailableError):
            await services.deployments.load_all()
        seen.append(services.serving.is_ready)
        assert services.serving.models() == ()
        store.is_available = True
        await services.deployments.load_all()
        seen.append(services.serving.is_ready)
        assert seen == [False, False, True]
        assert len(services.serving.models()) == 2

    async def test_version_that_does_not_come_is_given_up(self) -> None:
        """A model that hangs while it is loaded keeps nobody else waiting for ever."""

        class Hanging(InMemoryLoader):
            async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
                del version, package
                await asyncio.Event().wait()
                raise AssertionError

        store = InMemoryStore()
        store.add_version("house", package=HOUSE_PACKAGE)
        limits = ServingLimits(load_seconds=0.01)
        serving = Serving(Hanging({}), traffic=Traffic(), limits=limits)
        await Deployments(Registry(store), serving).load_all()
        house = serving.model("house")
        assert (house.state, house.reason) == (
            ModelState.FAILED,
            "Version 1 of 'house' could not be loaded: it was not there within 0.01 s.",
        )
