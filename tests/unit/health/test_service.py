"""The server's state follows its models."""

import pytest

from gql_platform import __version__
from gql_platform.errors import RegistryUnavailableError
from gql_platform.health.records import HealthState, HealthSummary
from gql_platform.registry.records import VersionRef
from gql_platform.serving.records import ModelState
from gql_platform.testing import InMemoryLoader, LinearClassifier, example_store, in_memory_services

pytestmark = pytest.mark.anyio


class TestStatus:
    async def test_server_starts_without_traffic(self) -> None:
        """Before the models are loaded, the server is not ready."""
        services = in_memory_services()
        status = services.health.status()
        assert (status.state, status.is_ready, status.models) == (HealthState.STARTING, False, ())
        assert status.version == __version__

    async def test_server_is_healthy_with_all_models(self) -> None:
        """With every model loaded, the server is ready and well."""
        services = in_memory_services()
        await services.deployments.load_all()
        status = services.health.status()
        assert (status.state, status.is_ready) == (HealthState.HEALTHY, True)
        assert [model.model for model in status.models] == ["house_price", "iris_species"]

    async def test_server_without_models_is_healthy(self) -> None:
        """A registry that is empty keeps nobody from being well."""
        store = example_store()
        services = in_memory_services(type(store)())
        await services.deployments.load_all()
        assert services.health.status().state is HealthState.HEALTHY

    async def test_server_is_degraded_when_a_model_failed(self) -> None:
        """A model that could not be loaded leaves the server ready, but not well."""
        iris = LinearClassifier(["a", "b"], [[1.0] * 4, [2.0] * 4])
        loader = InMemoryLoader({VersionRef("iris_species", 1): iris})
        services = in_memory_services(loader=loader)
        await services.deployments.load_all()
        status = services.health.status()
        assert (status.state, status.is_ready) == (HealthState.DEGRADED, True)
        assert [model.state for model in status.models] == [ModelState.FAILED, ModelState.READY]

    async def test_server_is_degraded_by_a_problem_of_another_kind(self) -> None:
        """A server that is ready but has something to report is not well."""
        services = in_memory_services()
        await services.deployments.load_all()
        services.health.report_problem("The demo models could not be trained.")
        assert services.health.status().state is HealthState.DEGRADED

    async def test_problem_is_shown_until_it_is_over(self) -> None:
        """What keeps the server from being ready is shown while it lasts."""
        store = example_store()
        store.is_available = False
        services = in_memory_services(store)
        with pytest.raises(RegistryUnavailableError) as caught:
            await services.deployments.load_all()
        services.health.report_problem(str(caught.value))
        status = services.health.status()
        assert (status.state, status.is_ready) == (HealthState.STARTING, False)
        assert status.problem == (
            "The model registry at memory: does not answer: it is switched off."
        )
        store.is_available = True
        await services.deployments.load_all()
        services.health.report_problem(None)
        assert services.health.status().problem is None
        assert services.health.status().state is HealthState.HEALTHY

    async def test_summary_is_what_anybody_may_know(self) -> None:
        """Without a permission there is the state, but no model and no problem."""
        services = in_memory_services()
        services.health.report_problem("The registry at s3://secret does not answer.")
        assert services.health.summary() == HealthSummary(HealthState.STARTING, False, __version__)

    async def test_uptime_grows_from_the_start(self) -> None:
        """The start stays, and the time since then grows."""
        health = in_memory_services().health
        first, second = health.status(), health.status()
        assert first.started_at == second.started_at
        assert 0 <= first.uptime_seconds <= second.uptime_seconds
