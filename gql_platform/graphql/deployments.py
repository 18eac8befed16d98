"""Deployments in the schema: what serves under a model's name, and its changes."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.changes.records import DeploymentNotice
from gql_platform.deployments.records import (
    Comparison,
    DeployedVariant,
    Deployment,
    Routing,
    Variant,
    VariantMode,
)
from gql_platform.doc import Doc
from gql_platform.errors import (
    BreakingChangeError,
    DeploymentConflictError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    InvalidDeploymentError,
    InvalidIdempotencyKeyError,
    InvalidNoteError,
    ModelLoadError,
    ModelNotFoundError,
    NoEarlierDeploymentError,
    PlatformError,
    UnknownVersionError,
    UnsupportedModelError,
)
from gql_platform.graphql.connection import DEFAULT_FIRST, After, Connection, First, connection_of
from gql_platform.graphql.context import Info
from gql_platform.graphql.events import AfterSequence, EventType
from gql_platform.graphql.mutation import Path, root_mutation
from gql_platform.graphql.node import Node, encode_id
from gql_platform.graphql.permission import root_field, root_subscription
from gql_platform.graphql.scalars import Int64
from gql_platform.graphql.serving import ServedModelType
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.registry.records import CHAMPION, VersionRef

enum_of(Routing)
enum_of(VariantMode)


@type_of(Comparison)
class ComparisonType:
    """A shadow's answers beside those that were sent."""

    request_count: strawberry.auto
    failure_count: strawberry.auto
    dropped_count: strawberry.auto
    row_count: strawberry.auto
    agreement: strawberry.auto
    mean_difference: strawberry.auto


@type_of(Variant)
class VariantType:
    """A version in a deployment."""

    name: strawberry.auto
    version: strawberry.auto
    alias: strawberry.auto
    weight: strawberry.auto
    mode: strawberry.auto


@type_of(DeployedVariant)
class DeployedVariantType:
    """A variant as this server serves it."""

    variant: strawberry.auto
    share: strawberry.auto
    served: ServedModelType | None
    candidate: ServedModelType | None
    comparison: strawberry.auto


@type_of(Deployment)
class DeploymentType(Node):
    """What serves under a model's name."""

    model: strawberry.auto
    revision: strawberry.auto
    routing: strawberry.auto
    variants: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Deployment]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Deployment", parent.model)


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A deployment that was changed."""

    deployment: Annotated[Deployment, Doc("The deployment as it is now.")]


@type_of(DeploymentChange)
class DeploymentChangeType:
    """A deployment that was changed."""

    deployment: strawberry.auto


@type_of(DeploymentNotice)
class DeploymentNoticeType:
    """A deployment that is another now."""

    deployment: strawberry.auto
    event: EventType | None
    sequence: Int64
    lagged: strawberry.auto
    skipped_count: Int64


IDEMPOTENCY_KEY = (
    "A key of your own for this change, such as a random UUID. Sent again with it within 24 hours, "
    "the change is not made a second time; with another change, it is refused."
)

NOTE = "Why, in at most 1,000 characters; the event of the change has it as `note`."

KEY_ERRORS: dict[type[PlatformError], Path] = {
    InvalidIdempotencyKeyError: ("input", "idempotencyKey"),
    IdempotencyKeyReusedError: ("input", "idempotencyKey"),
    IdempotencyKeyBusyError: ("input", "idempotencyKey"),
}


@strawberry.input(one_of=True, description="One way to name the version of a variant.")
class VariantVersion:
    """One way to name the version of a variant."""

    number: int | None = strawberry.field(
        default=strawberry.UNSET, description="Its number; the variant stays with it."
    )
    alias: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="An alias, such as `champion`; the variant follows it.",
    )


@strawberry.input(description="A variant that is to serve.")
class VariantInput:
    """A variant that is to serve."""

    name: str = strawberry.field(description="Its name, unique in the deployment.")
    version: VariantVersion = strawberry.field(description="The version that it stands for.")
    weight: float = strawberry.field(
        default=1.0,
        description="Its share of the requests, in proportion to the other live variants' weights.",
    )
    mode: VariantMode = strawberry.field(
        default=VariantMode.LIVE, description="Whether it answers, or is only compared."
    )


@strawberry.input(description="What is to serve under a model's name.")
class DeploymentUpdateInput:
    """What is to serve under a model's name."""

    model: str = strawberry.field(description="The name of the model.")
    variants: list[VariantInput] = strawberry.field(
        description="All variants; at least one is live and has a weight above 0."
    )
    routing: Routing = strawberry.field(
        default=Routing.WEIGHTED, description="How the live variants share the requests."
    )
    expected_revision: int | None = strawberry.field(
        default=None,
        description="The revision that the change is based on; another one is a conflict.",
    )
    allow_breaking: bool = strawberry.field(
        default=False, description="Whether the typed contract of the model may break."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A version that is to take over.")
class ModelVersionPromoteInput:
    """A version that is to take over."""

    model: str = strawberry.field(description="The name of the model.")
    version: int = strawberry.field(description="The number of the version.")
    alias: str = strawberry.field(
        default=CHAMPION, description="The alias that is pointed to the version."
    )
    allow_breaking: bool = strawberry.field(
        default=False, description="Whether the typed contract of the model may break."
    )
    note: str | None = strawberry.field(default=None, description=NOTE)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A deployment that is to go back.")
class DeploymentRollbackInput:
    """A deployment that is to go back."""

    model: str = strawberry.field(description="The name of the model.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type
class DeploymentsQuery:
    """The root fields of deployments."""

    @root_field(Permission.MODEL_READ, graphql_type=Connection[DeploymentType] | None)
    @staticmethod
    async def deployments(
        info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Deployment]:
        """What serves under each model's name, by name."""
        return connection_of(info.context.services.deployments.page(first=first, after=after))

    @root_field(Permission.MODEL_READ, graphql_type=DeploymentType | None)
    @staticmethod
    async def deployment(
        info: Info,
        model: Annotated[str, strawberry.argument(description="The name of the model.")],
    ) -> Deployment | None:
        """What serves under a model's name; null when nothing does."""
        return info.context.services.serving.deployment(model)


@strawberry.type
class DeploymentsMutation:
    """The changes of deployments."""

    @root_mutation(
        Permission.MODEL_DEPLOY,
        success=DeploymentChangeType,
        errors={
            InvalidDeploymentError: ("input", "variants"),
            ModelNotFoundError: ("input", "model"),
            UnknownVersionError: ("input", "variants"),
            DeploymentConflictError: ("input", "expectedRevision"),
            BreakingChangeError: ("input", "variants"),
            ModelLoadError: ("input", "variants"),
            UnsupportedModelError: ("input", "variants"),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def deployment_update(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            DeploymentUpdateInput, strawberry.argument(description="What is to serve.")
        ],
    ) -> DeploymentChange:
        """Change the variants of a model, once all of their versions are loaded."""
        changes = info.context.services.changes
        return DeploymentChange(
            await changes.update(
                input.model,
                by=info.context.viewer.name,
                routing=input.routing,
                variants=[_variant(each) for each in input.variants],
                expected_revision=input.expected_revision,
                allow_breaking=input.allow_breaking,
                key=input.idempotency_key,
            )
        )

    @root_mutation(
        Permission.MODEL_DEPLOY,
        success=DeploymentChangeType,
        errors={
            InvalidDeploymentError: ("input", "alias"),
            InvalidNoteError: ("input", "note"),
            ModelNotFoundError: ("input", "model"),
            UnknownVersionError: ("input", "version"),
            BreakingChangeError: ("input", "version"),
            ModelLoadError: ("input", "version"),
            UnsupportedModelError: ("input", "version"),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def model_version_promote(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ModelVersionPromoteInput,
            strawberry.argument(description="Which version takes over."),
        ],
    ) -> DeploymentChange:
        """Point an alias to a version, once it is loaded and keeps the typed contract."""
        changes = info.context.services.changes
        return DeploymentChange(
            await changes.promote(
                VersionRef(input.model, input.version),
                by=info.context.viewer.name,
                alias=input.alias,
                allow_breaking=input.allow_breaking,
                note=input.note,
                key=input.idempotency_key,
            )
        )

    @root_mutation(
        Permission.MODEL_DEPLOY,
        success=DeploymentChangeType,
        errors={
            ModelNotFoundError: ("input", "model"),
            NoEarlierDeploymentError: ("input", "model"),
            UnknownVersionError: ("input", "model"),
            ModelLoadError: ("input", "model"),
            UnsupportedModelError: ("input", "model"),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def deployment_rollback(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            DeploymentRollbackInput,
            strawberry.argument(description="Which deployment goes back."),
        ],
    ) -> DeploymentChange:
        """Let serve again what `deploymentUpdate` replaced."""
        changes = info.context.services.changes
        by, key = info.context.viewer.name, input.idempotency_key
        return DeploymentChange(await changes.roll_back(input.model, by=by, key=key))


@strawberry.type
class DeploymentsSubscription:
    """The subscription on deployments."""

    @root_subscription(Permission.MODEL_READ, graphql_type=DeploymentNoticeType)
    @staticmethod
    async def deployment_changed(
        info: Info,
        model: Annotated[
            str | None, strawberry.argument(description="One model; all of them by default.")
        ] = None,
        after_sequence: AfterSequence = None,
    ) -> AsyncIterator[DeploymentNotice]:
        """Each deployment as it is, and again whenever it is changed or this server gets further.

        Changes made on any server come in their order, each once.
        """
        changes = info.context.services.changes
        async with aclosing(changes.follow(model, after=after_sequence)) as found:
            async for notice in found:
                yield notice


def _variant(given: VariantInput) -> Variant:
    return Variant(
        given.name,
        given.version.number or None,
        given.version.alias or None,
        given.weight,
        given.mode,
    )
