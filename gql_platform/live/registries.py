"""What is another between two looks at the registry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gql_platform.live.records import RegistryChange, RegistryChangeKind
from gql_platform.registry.records import Model, ModelVersion


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The registry as it was at a look.

    Attributes:
        models: The models by name.
        versions: The versions of each model, by number.
    """

    models: Mapping[str, Model]
    versions: Mapping[str, Mapping[int, ModelVersion]]


def changes_between(before: Snapshot, now: Snapshot) -> Iterator[RegistryChange]:
    """Return what happened between two looks, by name of the model."""
    kind = RegistryChangeKind
    for name in sorted({*before.models, *now.models}):
        old, new = before.models.get(name), now.models.get(name)
        is_another = old is not None and new is not None and old.created_at != new.created_at
        if new is None or is_another:
            yield RegistryChange(kind.MODEL_DELETED, name, new)
        if new is None:
            continue
        if old is None or is_another:
            yield RegistryChange(kind.MODEL_CREATED, name, new)
            old = None
        elif (old.description, old.tags) != (new.description, new.tags):
            yield RegistryChange(kind.MODEL_CHANGED, name, new)
        numbered = before.versions.get(name, {}) if old is not None else {}
        yield from _of_versions(new, numbered, now.versions.get(name, {}))
        yield from _of_aliases(old, new, now.versions.get(name, {}))


def _of_versions(
    model: Model, before: Mapping[int, ModelVersion], now: Mapping[int, ModelVersion]
) -> Iterator[RegistryChange]:
    for number in sorted({*before, *now}):
        old, new = before.get(number), now.get(number)
        if new is None:
            kind = RegistryChangeKind.VERSION_DELETED
        elif old is None:
            kind = RegistryChangeKind.VERSION_CREATED
        elif (old.description, old.tags) != (new.description, new.tags):
            kind = RegistryChangeKind.VERSION_CHANGED
        else:
            continue
        yield RegistryChange(kind, model.name, model, version_number=number, version=new)


def _of_aliases(
    old: Model | None, new: Model, versions: Mapping[int, ModelVersion]
) -> Iterator[RegistryChange]:
    before = {alias.name: alias.version for alias in old.aliases} if old is not None else {}
    now = {alias.name: alias.version for alias in new.aliases}
    for name in sorted({*before, *now}):
        if before.get(name) == now.get(name):
            continue
        number = now.get(name, before.get(name))
        kind = RegistryChangeKind.ALIAS_SET if name in now else RegistryChangeKind.ALIAS_REMOVED
        version = versions.get(number) if number is not None else None
        yield RegistryChange(kind, new.name, new, name, number, version)
