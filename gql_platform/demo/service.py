"""The demo's use case."""

from gql_platform.demo.ports import DemoRun
from gql_platform.demo.records import DemoModel
from gql_platform.registry.service import Registry


class Demo:
    """Fill a registry that has no other models with some to begin with.

    Args:
        registry: The registry.
        run: What trains and publishes the models.
    """

    def __init__(self, registry: Registry, run: DemoRun) -> None:
        self._registry = registry
        self._run = run

    async def ensure(self) -> bool:
        """Train and register the demo models that are missing, unless there are other models.

        Some are missing when an earlier try was interrupted. A model that has no version yet
        counts as missing.

        Returns:
            Whether it was done.

        Raises:
            DemoError: If training or registering failed.
            RegistryUnavailableError: If the registry does not answer.
        """
        names = await self._registry.names()
        versions = await self._registry.versions(names)
        missing = [model for model in DemoModel if not versions.get(model)]
        if not missing or not set(names) <= set(DemoModel):
            return False
        await self._run.publish(missing)
        return True
