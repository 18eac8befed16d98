"""The demo fills a registry that has no other models."""

from collections.abc import Sequence

import pytest

from gql_platform.demo.records import DemoModel
from gql_platform.demo.service import Demo
from gql_platform.errors import DemoError, RegistryUnavailableError
from gql_platform.registry.service import Registry
from gql_platform.testing import InMemoryStore, example_store

pytestmark = pytest.mark.anyio


class Publish:
    """A run that registers what it is asked to, up to a number of models.

    Args:
        store: Where they are registered.
        limit: After how many it is interrupted.
    """

    def __init__(self, store: InMemoryStore, limit: int = 3) -> None:
        self.store = store
        self.limit = limit

    async def publish(self, models: Sequence[DemoModel]) -> None:
        """Register the models."""
        for model in models[: self.limit]:
            self.store.add_version(model)


class Fail:
    """A run that fails."""

    async def publish(self, models: Sequence[DemoModel]) -> None:
        """Fail."""
        del models
        raise DemoError(reason="no memory.")


class TestEnsure:
    async def test_empty_registry_is_filled_once(self) -> None:
        """The models are published where there are none, and then not again."""
        store = InMemoryStore()
        demo = Demo(Registry(store), Publish(store))
        assert await demo.ensure() is True
        assert await demo.ensure() is False
        assert await Registry(store).names() == ("breast_cancer", "diabetes", "wine")

    async def test_interrupted_run_is_gone_on_with(self) -> None:
        """What an interrupted run left out is published at the next start, and nothing twice."""
        store = InMemoryStore()
        assert await Demo(Registry(store), Publish(store, limit=1)).ensure() is True
        store.add_model("diabetes")
        assert await Demo(Registry(store), Publish(store)).ensure() is True
        versions = await store.versions(list(DemoModel))
        assert {name: len(found) for name, found in versions.items()} == {
            "breast_cancer": 1,
            "diabetes": 1,
            "wine": 1,
        }

    async def test_registry_in_use_is_left_alone(self) -> None:
        """Where somebody has registered a model, nothing is added."""
        store = example_store()
        assert await Demo(Registry(store), Publish(store)).ensure() is False
        assert await store.model_count() == 2

    async def test_failure_is_told(self) -> None:
        """An error of the run reaches the caller."""
        with pytest.raises(DemoError):
            await Demo(Registry(InMemoryStore()), Fail()).ensure()

    async def test_unreachable_registry_is_not_filled(self) -> None:
        """A registry that does not answer is not taken for an empty one."""
        store = InMemoryStore()
        store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await Demo(Registry(store), Publish(store)).ensure()
        store.is_available = True
        assert await store.model_count() == 0
