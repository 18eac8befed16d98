"""Where the files of registered versions are, as MLflow knows it."""

from dataclasses import dataclass
from typing import Protocol

from mlflow import MlflowClient


class Locations(Protocol):
    """Tell where files are; everything blocks."""

    def of_version(self, name: str, version: int) -> str:
        """Return where the files of a version are, or an address that is to be followed."""
        ...

    def of_logged_model(self, model_id: str) -> str:
        """Return where the files of a model are that a run logged."""
        ...


@dataclass(frozen=True, slots=True)
class ClientLocations(Locations):
    """Ask MLflow's client.

    Attributes:
        client: It.
    """

    client: MlflowClient

    def of_version(self, name: str, version: int) -> str:
        """Return where the files of a version are, or an address that is to be followed."""
        return str(self.client.get_model_version_download_uri(name, str(version)))

    def of_logged_model(self, model_id: str) -> str:
        """Return where the files of a model are that a run logged."""
        return str(self.client.get_logged_model(model_id).artifact_location)
