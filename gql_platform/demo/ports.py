"""What the demo needs of the world outside."""

from collections.abc import Sequence
from typing import Protocol

from gql_platform.demo.records import DemoModel, TrainedModel


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

    async def publish(self, models: Sequence[DemoModel]) -> None:
        """Return when these demo models are registered.

        Raises:
            gql_platform.errors.DemoError: If it did not work.
        """
        ...
