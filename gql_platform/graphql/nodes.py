"""Fetching anything by its global id."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.deployments.records import Deployment
from gql_platform.errors import InvalidIDError, TooManyIDsError
from gql_platform.graphql.context import Context, Info
from gql_platform.graphql.deployments import DeploymentType
from gql_platform.graphql.events import EventType
from gql_platform.graphql.execution.limits.declarations import ListSize
from gql_platform.graphql.jobs import JobType, job_key
from gql_platform.graphql.node import Node, decode_id
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.registry import ModelType, ModelVersionType, version_ref
from gql_platform.graphql.schedules import JobScheduleType, schedule_key
from gql_platform.graphql.tracking import ExperimentType, RunType
from gql_platform.graphql.webhooks import (
    WebhookDeliveryType,
    WebhookType,
    delivery_key,
    webhook_key,
)
from gql_platform.registry.records import ModelVersion

MAX_IDS = 100
"""How many objects one field fetches."""

Fetch = Callable[[Context, str], Awaitable[object | None]]


@dataclass(frozen=True, slots=True)
class NodeKind:
    """Objects with a global id.

    Attributes:
        graphql_type: Their type.
        permission: What a caller must be allowed to do.
        fetch: Returns the record behind a global id of theirs; None when it is gone.
    """

    graphql_type: type
    permission: Permission
    fetch: Fetch


def _key(node_id: str) -> str:
    return decode_id(node_id)[1]


async def _version(context: Context, node_id: str) -> ModelVersion | None:
    ref = version_ref(node_id)
    versions = await context.loaders.versions.load(ref.model) or ()
    return next((version for version in versions if version.version == ref.version), None)


async def _deployment(context: Context, node_id: str) -> Deployment | None:
    return context.services.serving.deployment(_key(node_id))


NODE_KINDS = {
    "Model": NodeKind(
        ModelType, Permission.MODEL_READ, lambda of, node_id: of.loaders.models.load(_key(node_id))
    ),
    "ModelVersion": NodeKind(ModelVersionType, Permission.MODEL_READ, _version),
    "Run": NodeKind(
        RunType, Permission.RUN_READ, lambda of, node_id: of.loaders.runs.load(_key(node_id))
    ),
    "Experiment": NodeKind(
        ExperimentType,
        Permission.RUN_READ,
        lambda of, node_id: of.loaders.experiments.load(_key(node_id)),
    ),
    "Deployment": NodeKind(DeploymentType, Permission.MODEL_READ, _deployment),
    "Event": NodeKind(
        EventType, Permission.EVENT_READ, lambda of, node_id: of.loaders.events.load(_key(node_id))
    ),
    "Job": NodeKind(
        JobType, Permission.JOB_READ, lambda of, node_id: of.loaders.jobs.load(job_key(node_id))
    ),
    "JobSchedule": NodeKind(
        JobScheduleType,
        Permission.JOB_READ,
        lambda of, node_id: of.loaders.job_schedules.load(schedule_key(node_id)),
    ),
    "Webhook": NodeKind(
        WebhookType,
        Permission.WEBHOOK_READ,
        lambda of, node_id: of.loaders.webhooks.load(webhook_key(node_id)),
    ),
    "WebhookDelivery": NodeKind(
        WebhookDeliveryType,
        Permission.WEBHOOK_READ,
        lambda of, node_id: of.loaders.webhook_deliveries.load(delivery_key(node_id)),
    ),
}
"""All of them, by the names of their types."""


@strawberry.type
class NodeQuery:
    """Fetching by global id."""

    @root_field(Permission.MODEL_READ, graphql_type=Node | None)
    @staticmethod
    async def node(
        info: Info,
        id: Annotated[  # noqa: A002 - the name that the Relay specification gives it
            strawberry.ID, strawberry.argument(description="Its id.")
        ],
    ) -> object | None:
        """The object with a global id; null when it is gone."""
        return await fetch_node(info.context, id)

    @root_field(
        Permission.MODEL_READ,
        graphql_type=list[Node | None] | None,
        directives=[ListSize(slicing_arguments=["ids"])],
    )
    @staticmethod
    async def nodes(
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"Their ids, at most {MAX_IDS}."),
        ],
    ) -> list[object | None]:
        """The objects with these global ids, in their order; null for each that is gone."""
        if len(ids) > MAX_IDS:
            raise TooManyIDsError(count=len(ids), maximum=MAX_IDS)
        return list(await asyncio.gather(*(fetch_node(info.context, each) for each in ids)))


async def fetch_node(context: Context, node_id: str) -> object | None:
    """Return the record behind a global id, or None when it is gone.

    Raises:
        InvalidIDError: If it is the id of nothing that this schema has.
        ForbiddenError: If the caller may not read objects of its kind.
    """
    kind = NODE_KINDS.get(decode_id(node_id)[0])
    if kind is None:
        raise InvalidIDError(id=node_id)
    context.viewer.require(kind.permission)
    return await kind.fetch(context, node_id)
