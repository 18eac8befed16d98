"""What changes of models need of a registry."""

from collections.abc import Mapping
from typing import Protocol

from gql_platform.model_changes.records import Notes
from gql_platform.registry.records import VersionRef


class RegistryWriter(Protocol):
    """Register, describe, tag and delete versions of models.

    What is written is there for the next read. Each method raises
    `gql_platform.errors.RegistryUnavailableError` when the registry does not answer, and
    `gql_platform.errors.InvalidModelError` when it refuses what it is told.
    """

    async def create_version(
        self,
        name: str,
        *,
        run_id: str,
        path: str,
        description: str | None,
        tags: Mapping[str, str],
    ) -> int:
        """Register the files at a path of a run as the next version of a model.

        Args:
            name: The model, which is made if it is missing.
            run_id: The run.
            path: Where the run has the files of a model.
            description: What is new in the version.
            tags: Its tags, which it has from the beginning.

        Returns:
            The number of the version.

        Raises:
            gql_platform.errors.RunNotFoundError: If there is no such run.
            gql_platform.errors.ModelFilesNotFoundError: If there is no file ``MLmodel``.
        """
        ...

    async def delete_version(self, ref: VersionRef) -> None:
        """Delete a version that exists, and the aliases that point to it.

        Its number is not used again.
        """
        ...

    async def remove_alias(self, name: str, alias: str) -> None:
        """Take an alias from a model that exists, if it has it."""
        ...

    async def write_on_model(self, name: str, notes: Notes) -> None:
        """Describe and tag a model that exists."""
        ...

    async def write_on_version(self, ref: VersionRef, notes: Notes) -> None:
        """Describe and tag a version that exists."""
        ...
