"""What the registry needs of a store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gql_platform.registry.records import Model, ModelPackage, ModelVersion, VersionRef


class RegistryStore(Protocol):
    """Read registered models, and point their aliases.

    No method raises for a name that does not exist: it is absent from the answer.
    Each raises `gql_platform.errors.RegistryUnavailableError` when the store does not answer.
    """

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name (code point order).

        Args:
            after: Return only names greater than this one; None begins at the start.
            limit: At least 1.
        """
        ...

    async def model_count(self) -> int:
        """Return the number of registered models."""
        ...

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        ...

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first.

        Every name that exists has an entry, if need be an empty one.
        """
        ...

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say, without loading the models.

        A version whose files cannot be read is absent.
        """
        ...

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version that exists, away from the one it pointed to before."""
        ...

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model that exists a tag, in the place of one with the same key."""
        ...
