"""The changes of webhooks in the schema."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.errors import (
    EventFilterError,
    InvalidIDError,
    PlatformError,
    TooManyWebhooksError,
    WebhookAddressError,
    WebhookDeliveryNotFoundError,
    WebhookDisabledError,
    WebhookNotFoundError,
    WebhookSecretError,
    WebhookTextError,
)
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import IDEMPOTENCY_KEY, KEY_ERRORS
from gql_platform.graphql.events import EventFilterInput, chosen_by
from gql_platform.graphql.mutation import Path, root_mutation
from gql_platform.graphql.type_of import type_of
from gql_platform.graphql.webhooks import WebhookDeliveryType as WebhookDeliveryType
from gql_platform.graphql.webhooks import WebhookType as WebhookType
from gql_platform.graphql.webhooks import delivery_key, webhook_key
from gql_platform.webhooks.records import (
    Webhook,
    WebhookCredentials,
    WebhookDelivery,
    WebhookDraft,
    WebhookRevision,
)


@type_of(WebhookCredentials)
class WebhookCredentialsType:
    """A webhook with its secret."""

    webhook: strawberry.auto
    secret: strawberry.auto


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """A webhook that was changed."""

    webhook: Annotated[Webhook, Doc("The webhook as it is now.")]


@type_of(WebhookChange)
class WebhookChangeType:
    """A webhook that was changed."""

    webhook: strawberry.auto


@dataclass(frozen=True, slots=True)
class WebhookDeletion:
    """A webhook that is gone, with all that was on its way to it."""

    id: Annotated[strawberry.ID, Doc("The global id that it had.")]


@type_of(WebhookDeletion)
class WebhookDeletionType:
    """A webhook that is gone."""

    id: strawberry.auto


@dataclass(frozen=True, slots=True)
class WebhookDispatch:
    """A message that is sent in a moment."""

    delivery: Annotated[WebhookDelivery, Doc("The delivery as it is now.")]


@type_of(WebhookDispatch)
class WebhookDispatchType:
    """A message that is sent in a moment."""

    delivery: strawberry.auto


_URL = (
    "Where to: an `https` address of a public host. `http`, and hosts that are not public, are for "
    "networks that the server's `GQL_PLATFORM_WEBHOOK_NETWORKS` names."
)
_OWN = (
    "A secret of your own, `whsec_` and the base64 of 24 to 64 random bytes; by default a new one "
    "is made."
)


@strawberry.input(description="An address that events are to be sent to.")
class WebhookCreateInput:
    """An address that events are to be sent to."""

    url: str = strawberry.field(description=_URL)
    description: str = strawberry.field(default="", description="What it is for.")
    filter: EventFilterInput | None = strawberry.field(
        default=None, description="Which events; all by default."
    )
    is_enabled: bool = strawberry.field(
        default=True, description="Whether events are sent from now on."
    )
    secret: str | None = strawberry.field(default=None, description=_OWN)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="What is to be another with a webhook; what is left out stays.")
class WebhookUpdateInput:
    """What is to be another with a webhook."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    url: str | None = strawberry.field(default=None, description=_URL)
    description: str | None = strawberry.field(default=None, description="What it is for.")
    filter: EventFilterInput | None = strawberry.field(
        default=None,
        description="Which events, in the place of the filter before; `{}` asks for all.",
    )
    is_enabled: bool | None = strawberry.field(
        default=None, description="Whether events are sent; those of meanwhile never are."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A webhook whose secret is to be replaced.")
class WebhookSecretRotateInput:
    """A webhook whose secret is to be replaced."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    secret: str | None = strawberry.field(default=None, description=_OWN)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A webhook that is to go.")
class WebhookDeleteInput:
    """A webhook that is to go."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A webhook that is to be tried.")
class WebhookTestInput:
    """A webhook that is to be tried."""

    id: strawberry.ID = strawberry.field(description="Its global id.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A message that is to be sent once more.")
class WebhookRedeliverInput:
    """A message that is to be sent once more."""

    id: strawberry.ID = strawberry.field(description="The global id of its delivery.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


ID_ERRORS: dict[type[PlatformError], Path] = {
    InvalidIDError: ("input", "id"),
    WebhookNotFoundError: ("input", "id"),
    **KEY_ERRORS,
}
CONTENT_ERRORS: dict[type[PlatformError], Path] = {
    WebhookAddressError: ("input", "url"),
    WebhookTextError: ("input",),
    EventFilterError: ("input", "filter", "types"),
}


@strawberry.type
class WebhooksMutation:
    """The changes of webhooks."""

    @root_mutation(
        Permission.WEBHOOK_WRITE,
        success=WebhookCredentialsType,
        errors={
            **CONTENT_ERRORS,
            WebhookSecretError: ("input", "secret"),
            TooManyWebhooksError: ("input",),
            WebhookNotFoundError: ("input", "idempotencyKey"),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def webhook_create(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            WebhookCreateInput, strawberry.argument(description="What is to be sent where.")
        ],
    ) -> WebhookCredentials:
        """Have events sent, signed with a secret told once: a repeated request gets null for it."""
        return await info.context.services.webhooks.create(
            _draft(input),
            by=info.context.viewer.name,
            secret=input.secret,
            key=input.idempotency_key,
        )

    @root_mutation(
        Permission.WEBHOOK_WRITE, success=WebhookChangeType, errors={**ID_ERRORS, **CONTENT_ERRORS}
    )
    @staticmethod
    async def webhook_update(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            WebhookUpdateInput, strawberry.argument(description="What is to be another.")
        ],
    ) -> WebhookChange:
        """Change where events are sent to, or which; what waits is sent at once."""
        hooks, by = info.context.services.webhooks, info.context.viewer.name
        key, revision = input.idempotency_key, _revision(input)
        return WebhookChange(await hooks.update(webhook_key(input.id), revision, by=by, key=key))

    @root_mutation(
        Permission.WEBHOOK_WRITE,
        success=WebhookCredentialsType,
        errors={**ID_ERRORS, WebhookSecretError: ("input", "secret")},
    )
    @staticmethod
    async def webhook_secret_rotate(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            WebhookSecretRotateInput, strawberry.argument(description="Whose secret.")
        ],
    ) -> WebhookCredentials:
        """Sign with another secret, told once too; for 24 hours the one before signs as well."""
        hooks, by = info.context.services.webhooks, info.context.viewer.name
        key, secret = input.idempotency_key, input.secret
        return await hooks.rotate_secret(webhook_key(input.id), by=by, secret=secret, key=key)

    @root_mutation(Permission.WEBHOOK_WRITE, success=WebhookDeletionType, errors=ID_ERRORS)
    @staticmethod
    async def webhook_delete(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            WebhookDeleteInput, strawberry.argument(description="Which one.")
        ],
    ) -> WebhookDeletion:
        """Send no more to an address, and forget what was sent and what waits."""
        hooks, by = info.context.services.webhooks, info.context.viewer.name
        await hooks.delete(webhook_key(input.id), by=by, key=input.idempotency_key)
        return WebhookDeletion(input.id)

    @root_mutation(
        Permission.WEBHOOK_WRITE,
        success=WebhookDispatchType,
        errors={
            **ID_ERRORS,
            WebhookDisabledError: ("input", "id"),
            WebhookDeliveryNotFoundError: ("input", "idempotencyKey"),
        },
    )
    @staticmethod
    async def webhook_test(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            WebhookTestInput, strawberry.argument(description="Which one.")
        ],
    ) -> WebhookDispatch:
        """Send an event `webhook.tested` to a webhook and to no other, whatever that asks for."""
        hooks, by = info.context.services.webhooks, info.context.viewer.name
        key = input.idempotency_key
        return WebhookDispatch(await hooks.test(webhook_key(input.id), by=by, key=key))

    @root_mutation(
        Permission.WEBHOOK_WRITE,
        success=WebhookDispatchType,
        errors={
            **ID_ERRORS,
            WebhookDisabledError: ("input", "id"),
            WebhookDeliveryNotFoundError: ("input", "id"),
        },
    )
    @staticmethod
    async def webhook_redeliver(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            WebhookRedeliverInput, strawberry.argument(description="Which message.")
        ],
    ) -> WebhookDispatch:
        """Send a message once more, with its `webhook-id`, whatever came of it before."""
        hooks, by = info.context.services.webhooks, info.context.viewer.name
        key = input.idempotency_key
        return WebhookDispatch(await hooks.redeliver(delivery_key(input.id), by=by, key=key))


def _draft(given: WebhookCreateInput) -> WebhookDraft:
    chosen = chosen_by(given.filter)
    return WebhookDraft(
        given.url,
        given.description,
        chosen.types,
        chosen.subject_kind,
        chosen.subject_id,
        given.is_enabled,
    )


def _revision(given: WebhookUpdateInput) -> WebhookRevision:
    chosen = None if given.filter is None else chosen_by(given.filter)
    return WebhookRevision(given.url, given.description, chosen, given.is_enabled)
