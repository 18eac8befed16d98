"""The demo fills an empty registry, and no other."""

import pytest

from gql_platform.demo.service import Demo
from gql_platform.errors import DemoError, RegistryUnavailableError
from gql_platform.registry.service import Registry
from gql_platform.testing import InMemoryStore, example_store

pytestmark = pytest.mark.anyio


class PublishOne:
    """A run that registers one model."""

    def __init__(self, store: InMemoryStore) -> None:
        self.store = store

    async def publish_all(self) -> None:
        """Register the model."""
        self.store.add_version("wine")


class Fail:
    """A run that fails."""

    async def publish_all(self) -> None:
        """Fail."""
        raise DemoError(reason="no memory.")


class TestEnsure:
    async def test_empty_registry_is_filled_once(self) -> None:
        """The models are published where there are none, and then not again."""
        store = InMemoryStore()
        demo = Demo(Registry(store), PublishOne(store))
        assert await demo.ensure() is True
        assert await demo.ensure() is False
        assert list(await store.versions(["wine"])) == ["wine"]

    async def test_registry_in_use_is_left_alone(self) -> None:
        """Where somebody has registered a model, nothing is added."""
        store = example_store()
        assert await Demo(Registry(store), PublishOne(store)).ensure() is False
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
            await Demo(Registry(store), PublishOne(store)).ensure()
        store.is_available = True
        assert await store.model_count() == 0
