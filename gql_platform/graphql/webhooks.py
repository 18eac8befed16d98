"""Webhooks in the schema: where events are sent to, and how that went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.events.records import EventFilter
from gql_platform.graphql.connection import DEFAULT_FIRST, After, Connection, First, connection_of
from gql_platform.graphql.context import Info
from gql_platform.graphql.events import EventFilterType, EventType
from gql_platform.graphql.execution.limits.declarations import ListSize
from gql_platform.graphql.node import UUID, Node, encode_id, key_of
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.webhooks.records import DeliveryState, Webhook, WebhookDelivery
from gql_platform.webhooks.service import MAX_WEBHOOKS

enum_of(DeliveryState)


@type_of(Webhook)
class WebhookType(Node):
    """An address that events are sent to."""

    url: strawberry.auto
    description: strawberry.auto
    previous_secret_until: strawberry.auto
    is_enabled: strawberry.auto
    disabled_because: strawberry.auto
    paused_until: strawberry.auto
    created_at: strawberry.auto
    created_by: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Webhook]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("Webhook", parent.id)

    @edge(graphql_type=EventFilterType)
    @staticmethod
    def filter(parent: strawberry.Parent[Webhook]) -> EventFilter:
        """Which events it asks for."""
        return parent.chosen


@type_of(WebhookDelivery)
class WebhookDeliveryType(Node):
    """An event on its way to a webhook."""

    event: EventType
    state: strawberry.auto
    attempts: strawberry.auto
    completed_at: strawberry.auto
    status_code: strawberry.auto
    problem: strawberry.auto

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[WebhookDelivery]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        return encode_id("WebhookDelivery", parent.id)

    @edge()
    @staticmethod
    def message_id(parent: strawberry.Parent[WebhookDelivery]) -> str:
        """What the receiver reads in `webhook-id`, a UUID; it is the same at each attempt."""
        return parent.id

    @edge()
    @staticmethod
    def next_attempt_at(parent: strawberry.Parent[WebhookDelivery]) -> datetime | None:
        """When it is due, or when the attempt at work counts as lost; null when it is completed."""
        return parent.next_attempt_at if parent.completed_at is None else None

    @edge(graphql_type=WebhookType | None)
    @staticmethod
    async def webhook(parent: strawberry.Parent[WebhookDelivery], info: Info) -> Webhook | None:
        """Where to; null when it was deleted a moment ago."""
        return await info.context.loaders.webhooks.load(parent.webhook_id)


@strawberry.type
class WebhooksQuery:
    """The root fields of webhooks."""

    @root_field(
        Permission.WEBHOOK_READ,
        graphql_type=list[WebhookType] | None,
        directives=[ListSize(assumed_size=MAX_WEBHOOKS)],
    )
    @staticmethod
    async def webhooks(info: Info) -> Sequence[Webhook]:
        """Where events are sent to; there are at most 100 webhooks."""
        return await info.context.services.webhooks.all()

    @root_field(Permission.WEBHOOK_READ, graphql_type=WebhookType | None)
    @staticmethod
    async def webhook(
        info: Info,
        id: Annotated[  # noqa: A002 - the name that global ids have everywhere
            strawberry.ID, strawberry.argument(description="Its global id.")
        ],
    ) -> Webhook | None:
        """A webhook; null when there is none."""
        return await info.context.loaders.webhooks.load(webhook_key(id))

    @root_field(Permission.WEBHOOK_READ, graphql_type=Connection[WebhookDeliveryType] | None)
    @staticmethod
    async def webhook_deliveries(
        info: Info,
        webhook: Annotated[
            strawberry.ID, strawberry.argument(description="The global id of the webhook.")
        ],
        state: Annotated[
            DeliveryState | None,
            strawberry.argument(description="How far they have come; any by default."),
        ] = None,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> Connection[WebhookDelivery] | None:
        """What a webhook was sent and will be, the newest event first; null without the webhook."""
        if await info.context.loaders.webhooks.load(webhook_key(webhook)) is None:
            return None
        hooks, key = info.context.services.webhooks, webhook_key(webhook)
        return connection_of(await hooks.deliveries(key, state=state, first=first, after=after))


def webhook_key(node_id: str) -> str:
    """Return the id of the webhook that a global id stands for.

    Raises:
        InvalidIDError: If it stands for something else.
    """
    return key_of(node_id, "Webhook", spelled=UUID)


def delivery_key(node_id: str) -> str:
    """Return the id of the delivery that a global id stands for.

    Raises:
        InvalidIDError: If it stands for something else.
    """
    return key_of(node_id, "WebhookDelivery", spelled=UUID)
