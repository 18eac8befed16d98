"""The in-memory services are wired like a server's."""

from collections.abc import Sequence

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL
from gql_platform.demo.records import DemoModel
from gql_platform.errors import InvalidKeyError, TooManyRowsError
from gql_platform.serving.records import ClassPrediction
from gql_platform.testing import InMemoryStore, in_memory_services

pytestmark = pytest.mark.anyio


class Nothing:
    """A demo run that publishes nothing."""

    async def publish(self, models: Sequence[DemoModel]) -> None:
        """Do nothing."""


class TestInMemoryServices:
    async def test_example_of_the_documentation(self) -> None:
        """The first thing that a reader tries works as written."""
        services = in_memory_services()
        await services.deployments.load_all()
        answer = await services.serving.predict("iris_species", [[5.1, 3.5, 1.4, 0.2]])
        (prediction,) = answer.predictions
        assert isinstance(prediction, ClassPrediction)
        assert prediction.label == "setosa"
        await services.close()

    async def test_run_of_the_champion_is_tracked(self) -> None:
        """The version that serves leads to the run that trained it."""
        services = in_memory_services()
        version = await services.registry.version("iris_species", alias="champion")
        assert version is not None
        assert version.run_id == "run-iris"
        assert list(await services.tracking.runs([version.run_id])) == ["run-iris"]

    async def test_predictions_are_counted(self) -> None:
        """Metrics are wired to serving, or left out."""
        services = in_memory_services()
        await services.deployments.load_all()
        await services.serving.predict("house_price", [(1.0, 1, True)])
        assert services.metrics is not None
        assert (
            services.metrics.registry.get_sample_value(
                "gql_platform_prediction_rows_total", {"model": "house_price"}
            )
            == 1
        )
        assert in_memory_services(has_metrics=False).metrics is None

    async def test_key_is_asked_for_where_one_is_given(self) -> None:
        """A server without a key is open, and one with a key is not."""
        assert in_memory_services().access.viewer(None) is LOCAL
        access = in_memory_services(secret_key="correct-horse-battery").access
        assert access.viewer(None) is ANONYMOUS
        with pytest.raises(InvalidKeyError):
            access.viewer("Bearer x")

    async def test_limits_are_passed_on(self) -> None:
        """A test can have a small limit."""
        services = in_memory_services(max_rows=1)
        await services.deployments.load_all()
        with pytest.raises(TooManyRowsError):
            await services.serving.predict("house_price", [(1.0, 1, True)] * 2)

    async def test_demo_is_wired_on_request(self) -> None:
        """Only a server that was asked to has a demo."""
        assert in_memory_services().demo is None
        demo = in_memory_services(InMemoryStore(), demo_run=Nothing()).demo
        assert demo is not None
        assert await demo.ensure() is True

    async def test_services_do_not_share_anything(self) -> None:
        """Each call makes services of its own."""
        one, other = in_memory_services(), in_memory_services()
        await one.deployments.load_all()
        assert other.serving.models() == ()
