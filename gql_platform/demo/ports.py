"""What the demo needs of the world outside."""

from typing import Protocol

from gql_platform.demo.records import TrainedModel


class ModelPublisher(Protocol):
    """Make trained models known to a registry."""

    def publish(self, model: TrainedModel) -> int:
        """Log a run with the model, register it and point the alias ``champion`` to it.

        It blocks.

        Returns:
            The number of the new version.
        """
        ...


class DemoRun(Protocol):
    """Train and publish the demo models away from the serving process."""

    async def publish_all(self) -> None:
        """Return when every demo model is registered.

        Raises:
            gql_platform.errors.DemoError: If it did not work.
        """
        ...
