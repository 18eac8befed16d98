"""The demo's use case."""

from gql_platform.demo.ports import DemoRun
from gql_platform.registry.service import Registry


class Demo:
    """Fill an empty registry with models to begin with.

    Args:
        registry: The registry.
        run: What trains and publishes the models.
    """

    def __init__(self, registry: Registry, run: DemoRun) -> None:
        self._registry = registry
        self._run = run

    async def ensure(self) -> bool:
        """Train and register the demo models when no model is registered.

        Returns:
            Whether it was done.

        Raises:
            DemoError: If training or registering failed.
            RegistryUnavailableError: If the registry does not answer.
        """
        if not await self._registry.is_empty():
            return False
        await self._run.publish_all()
        return True
