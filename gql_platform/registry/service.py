"""The registry's use cases."""

import re
from collections.abc import Mapping, Sequence

from gql_platform.errors import InvalidCursorError
from gql_platform.paging import Page, decode_cursor, page_of, page_size
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import Model, ModelPackage, ModelVersion, VersionRef

_VERSION_NUMBER = re.compile(r"[0-9]{1,18}")


class Registry:
    """Read models, versions and packages, and point aliases.

    Args:
        store: Where they are registered.
    """

    def __init__(self, store: RegistryStore) -> None:
        self._store = store

    async def models(
        self, *, first: int | None, after: str | None = None, counted: bool = False
    ) -> Page[Model]:
        """Return a page of models, by name.

        Args:
            first: How many.
            after: A cursor.
            counted: Whether to count all of them.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor.
        """
        key = decode_cursor(after) if after is not None else None
        size = page_size(first)
        found = await self._store.models(after=key, limit=size + 1)
        total = await self._store.model_count() if counted else None
        return page_of(found, [model.name for model in found], first=size, after=after, total=total)

    async def all_models(self) -> tuple[Model, ...]:
        """Return all models, by name."""
        listed: list[Model] = []
        while True:
            after = listed[-1].name if listed else None
            found = await self._store.models(after=after, limit=1000)
            listed += found
            if len(found) < 1000:
                return tuple(listed)

    async def names(self) -> tuple[str, ...]:
        """Return the names of all models, sorted."""
        return tuple(model.name for model in await self.all_models())

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        return await self._store.models_named(names)

    async def model(self, name: str) -> Model | None:
        """Return the model of that name, or None."""
        return (await self._store.models_named([name])).get(name)

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of these models that exist, newest first."""
        return await self._store.versions(names)

    async def version(
        self, model: str, *, number: int | None = None, alias: str | None = None
    ) -> ModelVersion | None:
        """Return the version with that number, or behind that alias, or None."""
        versions = (await self._store.versions([model])).get(model, ())
        return next(
            (v for v in versions if v.version == number or (alias and alias in v.aliases)), None
        )

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say of themselves."""
        return await self._store.packages(refs)

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version that exists, away from the one it pointed to before."""
        await self._store.point_alias(ref, alias)

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model that exists a tag, in the place of one with the same key."""
        await self._store.tag_model(name, key, value)


def version_page(
    versions: Sequence[ModelVersion], *, first: int | None, after: str | None = None
) -> Page[ModelVersion]:
    """Cut a page out of all versions of one model, newest first.

    Raises:
        PageSizeError: If ``first`` is no page size.
        InvalidCursorError: If ``after`` is no cursor.
    """
    rest = list(versions)
    size = page_size(first)
    if after is not None:
        key = decode_cursor(after)
        if not _VERSION_NUMBER.fullmatch(key):
            raise InvalidCursorError(cursor=after)
        rest = [version for version in versions if version.version < int(key)]
    found = rest[: size + 1]
    return page_of(
        found, [str(v.version) for v in found], first=size, after=after, total=len(versions)
    )
