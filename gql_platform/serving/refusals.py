"""Versions that broke the typed contract of their model, remembered for as long as they are asked.

Whether a version breaks the contract shows only once it is loaded, for that tells its labels.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from gql_platform.errors import BreakingChangeError
from gql_platform.registry.records import ModelPackage, ModelVersion, VersionRef
from gql_platform.serving.contract import breaking_changes
from gql_platform.serving.records import ServedModel

VersionKey: TypeAlias = tuple[VersionRef, datetime]
"""A model that was deleted and registered anew has versions of the same numbers."""


def key_of(version: ModelVersion) -> VersionKey:
    """Return what tells a version from all others there ever were."""
    return version.ref, version.created_at


@dataclass(frozen=True, slots=True)
class _Refused:
    package: ModelPackage | None
    shown: ServedModel


def _essence_of(package: ModelPackage | None) -> ModelPackage | None:
    """Return a package without its example, which is no part of the contract and may hold NaN."""
    return None if package is None else replace(package, input_example=())


class Refusals:
    """Refuse what breaks a contract, and know it again without loading it."""

    def __init__(self) -> None:
        self._refused: dict[VersionKey, _Refused] = {}

    def check_known(
        self, version: ModelVersion, package: ModelPackage | None, serving: ServedModel | None
    ) -> None:
        """Let a version pass that is not known to break the contract of what serves now.

        Raises:
            BreakingChangeError: If it was refused before, its files say the same of themselves,
                and it breaks this contract.
        """
        known = self._refused.get(key_of(version))
        if known is not None and known.package == _essence_of(package):
            check_contract(serving, known.shown)

    def check(
        self,
        version: ModelVersion,
        package: ModelPackage | None,
        serving: ServedModel | None,
        loaded: ServedModel,
    ) -> None:
        """Let a loaded version pass that keeps the contract of what serves; remember any other.

        Raises:
            BreakingChangeError: If it breaks the contract.
        """
        try:
            check_contract(serving, loaded)
        except BreakingChangeError:
            self._refused[key_of(version)] = _Refused(_essence_of(package), loaded)
            raise
        self._refused.pop(key_of(version), None)

    def forget(self, model: str, *, but: Collection[VersionKey] = ()) -> None:
        """Forget the versions of a model that nobody asks for any more."""
        for key in [key for key in self._refused if key[0].model == model and key not in but]:
            del self._refused[key]


def check_contract(serving: ServedModel | None, new: ServedModel) -> None:
    """Let a version pass that keeps the typed contract of the one that serves, if one does.

    Raises:
        BreakingChangeError: If it does not.
    """
    changes = breaking_changes(serving, new) if serving is not None else ()
    if serving is not None and changes:
        raise BreakingChangeError(
            model=new.model,
            version=new.version,
            served_version=serving.version,
            changes=changes,
        )
