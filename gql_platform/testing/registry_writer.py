"""What writes models and versions, in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from gql_platform.errors import ModelFilesNotFoundError, RunNotFoundError
from gql_platform.model_changes.ports import RegistryWriter
from gql_platform.model_changes.records import Notes
from gql_platform.registry.records import Tag, VersionRef
from gql_platform.testing.store import InMemoryStore


class InMemoryRegistryWriter(RegistryWriter):
    """Write to the models of an in-memory store.

    Args:
        store: Whose.
    """

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def create_version(
        self,
        name: str,
        *,
        run_id: str,
        path: str,
        description: str | None,
        tags: Mapping[str, str],
    ) -> int:
        """Register files that a run was given with `InMemoryStore.add_files`."""
        self._store.called("create_version")
        if self._store.run(run_id) is None:
            raise RunNotFoundError(run_id=run_id)
        package = self._store.files(run_id, path)
        if package is None:
            raise ModelFilesNotFoundError(run_id=run_id, artifact_path=path)
        made = self._store.add_version(
            name, package=package, description=description or None, tags=tags, run_id=run_id
        )
        return made.version

    async def delete_version(self, ref: VersionRef) -> None:
        """Delete a version and its aliases."""
        self._store.called("delete_version")
        self._store.remove_version(ref)

    async def remove_alias(self, name: str, alias: str) -> None:
        """Take an alias from a model, if it has it."""
        self._store.called("remove_alias")
        self._store.remove_alias(name, alias)

    async def write_on_model(self, name: str, notes: Notes) -> None:
        """Describe and tag a model."""
        self._store.called("write_on_model")
        model = (await self._store.models_named([name]))[name]
        self._store.change_model(name, **_changes(notes, model.tags))

    async def write_on_version(self, ref: VersionRef, notes: Notes) -> None:
        """Describe and tag a version."""
        self._store.called("write_on_version")
        versions = (await self._store.versions([ref.model]))[ref.model]
        version = next(each for each in versions if each.ref == ref)
        self._store.change_version(ref, **_changes(notes, version.tags))


def _changes(notes: Notes, tags: Sequence[Tag]) -> Mapping[str, Any]:
    kept = {tag.key: tag for tag in (*tags, *notes.tags) if tag.key not in notes.removed}
    described = {} if notes.description is None else {"description": notes.description or None}
    return {**described, "tags": tuple(kept[key] for key in sorted(kept))}
