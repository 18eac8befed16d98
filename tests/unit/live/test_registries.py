"""What is another between two looks at the registry."""

from collections.abc import Callable

import pytest

from gql_platform.live.records import RegistryChangeKind
from gql_platform.live.registries import Snapshot, changes_between
from gql_platform.registry.records import Tag, VersionRef
from gql_platform.testing import InMemoryStore

pytestmark = pytest.mark.anyio

KIND = RegistryChangeKind
FIRST = VersionRef("wine", 1)


async def snapshot_of(store: InMemoryStore) -> Snapshot:
    """Return a look at a store."""
    models = {model.name: model for model in await store.models(after=None, limit=100)}
    versions = await store.versions(list(models))
    return Snapshot(
        models, {name: {each.version: each for each in versions[name]} for name in models}
    )


def register_anew(store: InMemoryStore) -> None:
    """Delete a model, and register another of the same name."""
    store.remove_model("wine")
    store.add_version("wine")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: None, []),
        (lambda store: store.add_model("iris"), [(KIND.MODEL_CREATED, "iris", None, None)]),
        (
            lambda store: store.change_model("wine", description="red"),
            [(KIND.MODEL_CHANGED, "wine", None, None)],
        ),
        (lambda store: store.remove_model("wine"), [(KIND.MODEL_DELETED, "wine", None, None)]),
        (
            lambda store: store.add_version("wine", aliases=["tried"]),
            [(KIND.VERSION_CREATED, "wine", 2, None), (KIND.ALIAS_SET, "wine", 2, "tried")],
        ),
        (
            lambda store: store.change_version(FIRST, tags=(Tag("by", "me"),)),
            [(KIND.VERSION_CHANGED, "wine", 1, None)],
        ),
        (
            lambda store: store.remove_version(FIRST),
            [(KIND.VERSION_DELETED, "wine", 1, None), (KIND.ALIAS_REMOVED, "wine", 1, "old")],
        ),
        (
            lambda store: store.remove_alias("wine", "old"),
            [(KIND.ALIAS_REMOVED, "wine", 1, "old")],
        ),
        (
            register_anew,
            [
                (KIND.MODEL_DELETED, "wine", None, None),
                (KIND.MODEL_CREATED, "wine", None, None),
                (KIND.VERSION_CREATED, "wine", 1, None),
            ],
        ),
    ],
)
async def test_each_change_is_told(
    change: Callable[[InMemoryStore], object],
    expected: list[tuple[RegistryChangeKind, str, int | None, str | None]],
) -> None:
    """Models, versions and aliases that are others, and nothing else."""
    store = InMemoryStore()
    store.add_version("wine", aliases=["old"])
    before = await snapshot_of(store)
    change(store)
    found = changes_between(before, await snapshot_of(store))
    assert [
        (each.kind, each.model_name, each.version_number, each.alias) for each in found
    ] == expected
