"""Models, versions, signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple

from gql_platform.doc import DescribedEnum, Doc

CHAMPION = "champion"
"""The alias whose version serves; without it the newest version does."""

STAGING = "staging"
"""The alias of the version that is tried out."""

ARCHIVED_TAG = "gql_platform.archived"
"""The tag of a version that is kept, and not meant to serve any more."""


class VersionRef(NamedTuple):
    """The natural key of a version."""

    model: str
    version: int


class ColumnType(DescribedEnum):
    """The type of a signature's column, named as MLflow names it."""

    BOOLEAN = "BOOLEAN", "True or false."
    INTEGER = "INTEGER", "A whole number of 32 bits."
    LONG = "LONG", "A whole number of 64 bits."
    FLOAT = "FLOAT", "A floating-point number of 32 bits."
    DOUBLE = "DOUBLE", "A floating-point number of 64 bits."
    STRING = "STRING", "Text."
    DATETIME = "DATETIME", "A point in time, written as ISO 8601."
    UNKNOWN = "UNKNOWN", "A type that is not served: binary, tensor, array, object or map."


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a model's input or output."""

    name: Annotated[str, Doc("The name that the model was trained with; outputs may have none.")]
    type: Annotated[ColumnType, Doc("The type of its values.")]
    required: Annotated[bool, Doc("Whether each row must have a value here.")]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives."""

    inputs: Annotated[tuple[Column, ...], Doc("The input columns, in the model's order.")]
    outputs: Annotated[tuple[Column, ...], Doc("The output columns, as they were recorded.")]


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """What the files of a version say of themselves.

    Attributes:
        flavour: The native flavour, such as ``sklearn``; ``python_function`` if there is none.
        signature: The recorded signature; None when the model was logged without one.
        size_bytes: The size of all files, if it was recorded.
        input_example: Rows that the model takes, by column name, as they were logged with it;
            empty when there are none.
    """

    flavour: str
    signature: Signature | None
    size_bytes: int | None
    input_example: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that points to one version of a model."""

    name: Annotated[str, Doc("The alias, such as `champion`.")]
    version: Annotated[int, Doc("The version that it points to.")]


@dataclass(frozen=True, slots=True)
class Tag:
    """A key and a value that someone attached."""

    key: Annotated[str, Doc("The tag's key.")]
    value: Annotated[str, Doc("The tag's value.")]


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model: a name, and the versions behind it."""

    name: Annotated[str, Doc("The unique name in the registry, such as `breast_cancer`.")]
    description: Annotated[str | None, Doc("What the model is for, in its owner's words.")]
    aliases: Annotated[tuple[Alias, ...], Doc("All aliases, sorted by name.")]
    tags: Annotated[tuple[Tag, ...], Doc("All tags, sorted by key.")]
    created_at: Annotated[datetime, Doc("When the name was registered.")]
    updated_at: Annotated[datetime, Doc("When the model or a version of it last changed.")]


class Stage(DescribedEnum):
    """Where a version stands on its way; MLflow knows aliases and tags in its place."""

    NONE = "NONE", "Nowhere in particular."
    STAGING = "STAGING", "It is tried out: the alias `staging` points to it."
    PRODUCTION = (
        "PRODUCTION",
        "The alias `champion` points to it: it serves, unless the deployment names other versions.",
    )
    ARCHIVED = "ARCHIVED", "It is kept, and not meant to serve any more."


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One trained version of a model."""

    model_name: Annotated[str, Doc("The name of the model.")]
    version: Annotated[int, Doc("The number of the version, from 1.")]
    aliases: Annotated[tuple[str, ...], Doc("The aliases that point here, sorted.")]
    description: Annotated[str | None, Doc("What is new in this version.")]
    tags: Annotated[tuple[Tag, ...], Doc("All tags, sorted by key.")]
    created_at: Annotated[datetime, Doc("When the version was registered.")]
    run_id: Annotated[str | None, Doc("MLflow's id of the run that trained it.")]

    @property
    def ref(self) -> VersionRef:
        """The natural key."""
        return VersionRef(self.model_name, self.version)

    @property
    def stage(self) -> Stage:
        """Where it stands on its way."""
        if CHAMPION in self.aliases:
            return Stage.PRODUCTION
        if STAGING in self.aliases:
            return Stage.STAGING
        is_archived = any(tag.key == ARCHIVED_TAG for tag in self.tags)
        return Stage.ARCHIVED if is_archived else Stage.NONE


def serving_version(versions: tuple[ModelVersion, ...]) -> ModelVersion | None:
    """Choose the version that serves: the champion, else the newest.

    Args:
        versions: All versions of one model.

    Returns:
        The version, or None when there is no version at all.
    """
    champions = (version for version in versions if CHAMPION in version.aliases)
    newest = max(versions, key=lambda version: version.version, default=None)
    return next(champions, newest)
