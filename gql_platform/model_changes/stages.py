"""Stages of versions as aliases and a tag, for MLflow has no stages any more."""

from collections.abc import Sequence

from gql_platform.deployments.records import Use
from gql_platform.errors import ModelVersionInUseError, UnknownVersionError
from gql_platform.model_changes.records import Notes
from gql_platform.registry.records import (
    ARCHIVED_TAG,
    CHAMPION,
    STAGING,
    ModelVersion,
    Stage,
    Tag,
    VersionRef,
)

ALIASES = {Stage.PRODUCTION: CHAMPION, Stage.STAGING: STAGING}
"""The alias that points to the version of a stage."""


def leaving(ref: VersionRef, stage: Stage, use: Use) -> Sequence[str]:
    """Return the aliases that a version loses on its way to a stage.

    Args:
        ref: The version.
        stage: The stage.
        use: What of the model is in use.

    Raises:
        UnknownVersionError: If there is no such version.
        ModelVersionInUseError: If it serves behind such an alias, or would be archived and serves.
    """
    version = found(ref, use.versions)
    others = [alias for alias in ALIASES.values() if alias != ALIASES.get(stage)]
    lost = [alias for alias in others if alias in version.aliases]
    if stage is Stage.PRODUCTION:
        # The champion is in production wherever else it serves.
        return [alias for alias in lost if alias not in use.aliases]
    is_followed = any(alias in use.aliases for alias in lost)
    if is_followed or (stage is Stage.ARCHIVED and use.variants_of(ref.version)):
        raise in_use(ref, use)
    return lost


def unmarked(use: Use) -> ModelVersion | None:
    """Return the version that serves without being the champion, for it is the newest.

    Args:
        use: What of the model is in use.
    """
    has_champion = any(CHAMPION in version.aliases for version in use.versions)
    is_followed = CHAMPION in use.aliases
    return use.versions[0] if use.versions and is_followed and not has_champion else None


def archived(stage: Stage) -> Notes:
    """Return what is written on a version of a stage."""
    if stage is Stage.ARCHIVED:
        return Notes(tags=[Tag(ARCHIVED_TAG, "true")])
    return Notes(removed=[ARCHIVED_TAG])


def found(ref: VersionRef, versions: Sequence[ModelVersion]) -> ModelVersion:
    """Return a version.

    Raises:
        UnknownVersionError: If there is none.
    """
    version = next((each for each in versions if each.ref == ref), None)
    if version is None:
        raise unknown(ref, versions)
    return version


def unknown(ref: VersionRef, versions: Sequence[ModelVersion]) -> UnknownVersionError:
    """Return the error that there is no such version."""
    return UnknownVersionError(
        model=ref.model,
        named=f"version {ref.version}",
        versions=tuple(each.version for each in versions),
    )


def in_use(ref: VersionRef, use: Use) -> ModelVersionInUseError:
    """Return the error that a version serves."""
    return ModelVersionInUseError(
        model=ref.model, version=ref.version, variants=use.variants_of(ref.version)
    )
