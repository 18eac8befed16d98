"""Models and their versions in the schema."""

import re
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.errors import InvalidIDError
from gql_platform.graphql.connection import (
    DEFAULT_FIRST,
    After,
    Connection,
    First,
    connection_of,
    is_counted,
)
from gql_platform.graphql.context import Info
from gql_platform.graphql.node import Node, decode_id, encode_id
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.scalars import Int64
from gql_platform.graphql.tags import TagType as TagType
from gql_platform.graphql.tracking import MetricType, ParamType, RunType
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.paging import Page
from gql_platform.registry.records import (
    Alias,
    Column,
    Model,
    ModelVersion,
    Signature,
    Stage,
    VersionRef,
    serving_version,
)
from gql_platform.registry.service import version_page
from gql_platform.tracking.records import Metric, Param, Run

enum_of(Stage)

_VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


@type_of(Column)
class ColumnType:
    """A column of a model's input or output."""

    name: strawberry.auto
    type: strawberry.auto
    required: strawberry.auto


@type_of(Signature)
class SignatureType:
    """What a model takes and gives."""

    inputs: strawberry.auto
    outputs: strawberry.auto


@type_of(Alias)
class AliasType:
    """A name that points to a version."""

    name: strawberry.auto
    version: strawberry.auto


@type_of(ModelVersion)
class ModelVersionType(Node):
    """One trained version of a model."""

    version: strawberry.auto
    aliases: strawberry.auto
    description: strawberry.auto
    tags: strawberry.auto
    created_at: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[ModelVersion]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("ModelVersion", f"{parent.version}@{parent.model_name}")

    @edge()
    @staticmethod
    def stage(parent: strawberry.Parent[ModelVersion]) -> Stage:
        """Where it stands on its way."""
        return parent.stage

    @edge(graphql_type=Annotated["ModelType", strawberry.lazy(__name__)])
    @staticmethod
    async def model(parent: strawberry.Parent[ModelVersion], info: Info) -> Model | None:
        """The model that it is a version of."""
        return await info.context.loaders.models.load(parent.model_name)

    @edge(graphql_type=SignatureType | None)
    @staticmethod
    async def signature(parent: strawberry.Parent[ModelVersion], info: Info) -> Signature | None:
        """What it takes and gives; null when it was logged without a signature."""
        package = await info.context.loaders.packages.load(parent.ref)
        return package.signature if package else None

    @edge()
    @staticmethod
    async def flavour(parent: strawberry.Parent[ModelVersion], info: Info) -> str | None:
        """MLflow's flavour of it, such as `sklearn`; null when its files are away."""
        package = await info.context.loaders.packages.load(parent.ref)
        return package.flavour if package else None

    @edge()
    @staticmethod
    async def size_bytes(parent: strawberry.Parent[ModelVersion], info: Info) -> Int64 | None:
        """The size of its files, in bytes; null when it was not recorded."""
        package = await info.context.loaders.packages.load(parent.ref)
        return Int64(package.size_bytes) if package and package.size_bytes is not None else None

    @edge(graphql_type=RunType | None)
    @staticmethod
    async def run(parent: strawberry.Parent[ModelVersion], info: Info) -> Run | None:
        """The run that trained it; null when it was registered without one."""
        return await info.context.loaders.runs.load(parent.run_id) if parent.run_id else None

    @edge(graphql_type=list[MetricType] | None)
    @staticmethod
    async def metrics(
        parent: strawberry.Parent[ModelVersion], info: Info
    ) -> tuple[Metric, ...] | None:
        """The metrics of the run that trained it, as a shortcut."""
        run = await info.context.loaders.runs.load(parent.run_id) if parent.run_id else None
        return run.metrics if run else None

    @edge(graphql_type=list[ParamType] | None)
    @staticmethod
    async def params(
        parent: strawberry.Parent[ModelVersion], info: Info
    ) -> tuple[Param, ...] | None:
        """The parameters of the run that trained it, as a shortcut."""
        run = await info.context.loaders.runs.load(parent.run_id) if parent.run_id else None
        return run.params if run else None


@type_of(Model)
class ModelType(Node):
    """A registered model."""

    name: strawberry.auto
    description: strawberry.auto
    aliases: strawberry.auto
    tags: strawberry.auto
    created_at: strawberry.auto
    updated_at: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Model]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Model", parent.name)

    @edge(graphql_type=Connection[ModelVersionType])
    @staticmethod
    async def versions(
        parent: strawberry.Parent[Model],
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> Connection[ModelVersion]:
        """Its versions, newest first."""
        found = await info.context.loaders.versions.load(parent.name) or ()
        return connection_of(version_page(found, first=first, after=after))

    @edge(graphql_type=ModelVersionType | None)
    @staticmethod
    async def serving_version(parent: strawberry.Parent[Model], info: Info) -> ModelVersion | None:
        """The version that serves: the one behind `champion`, else the newest."""
        return serving_version(await info.context.loaders.versions.load(parent.name) or ())


@strawberry.input(one_of=True, description="One way to name a model.")
class ModelBy:
    """One way to name a model."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its name in the registry."
    )


@strawberry.input(description="A version by its number.")
class VersionNumber:
    """A version by its number."""

    model: str = strawberry.field(description="The name of the model.")
    version: int = strawberry.field(description="The number of the version.")


@strawberry.input(description="The version behind an alias.")
class VersionAlias:
    """The version behind an alias."""

    model: str = strawberry.field(description="The name of the model.")
    alias: str = strawberry.field(description="The alias, such as `champion`.")


@strawberry.input(one_of=True, description="One way to name a version.")
class ModelVersionBy:
    """One way to name a version."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    number: VersionNumber | None = strawberry.field(
        default=strawberry.UNSET, description="Its model and number."
    )
    alias: VersionAlias | None = strawberry.field(
        default=strawberry.UNSET, description="Its model and an alias."
    )


def model_ref(node_id: str) -> str:
    """Return the name in the global id of a model.

    Raises:
        InvalidIDError: If it is the id of something else.
    """
    type_name, key = decode_id(node_id)
    if type_name != "Model":
        raise InvalidIDError(id=node_id)
    return key


def version_ref(node_id: str) -> VersionRef:
    """Return the key in the global id of a version.

    Raises:
        InvalidIDError: If it is the id of something else.
    """
    type_name, key = decode_id(node_id)
    number, _, model = key.partition("@")
    if type_name != "ModelVersion" or not _VERSION_NUMBER.fullmatch(number):
        raise InvalidIDError(id=node_id)
    return VersionRef(model, int(number))


@strawberry.type
class RegistryQuery:
    """The registry's root fields."""

    @root_field(Permission.MODEL_READ, graphql_type=Connection[ModelType] | None)
    @staticmethod
    async def models(
        info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Model]:
        """All registered models, by name."""
        registry, counted = info.context.services.registry, is_counted(info)
        page: Page[Model] = await registry.models(first=first, after=after, counted=counted)
        return connection_of(page)

    @root_field(Permission.MODEL_READ, graphql_type=ModelType | None)
    @staticmethod
    async def model(
        info: Info, by: Annotated[ModelBy, strawberry.argument(description="Which model.")]
    ) -> Model | None:
        """A registered model; null when there is none of that name."""
        name = model_ref(by.id) if isinstance(by.id, str) else by.name or ""
        return await info.context.loaders.models.load(name)

    @root_field(Permission.MODEL_READ, graphql_type=ModelVersionType | None)
    @staticmethod
    async def model_version(
        info: Info,
        by: Annotated[ModelVersionBy, strawberry.argument(description="Which version.")],
    ) -> ModelVersion | None:
        """A version of a model; null when there is none."""
        registry = info.context.services.registry
        if by.alias:
            return await registry.version(by.alias.model, alias=by.alias.alias)
        number = by.number
        ref = VersionRef(number.model, number.version) if number else version_ref(by.id or "")
        return await registry.version(ref.model, number=ref.version)
