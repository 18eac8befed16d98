"""Webhooks, and the events on their way to them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.events.records import Event, EventFilter

WEBHOOK_CREATED = "webhook.created"
WEBHOOK_UPDATED = "webhook.updated"
WEBHOOK_DELETED = "webhook.deleted"
"""Somebody changed where events are sent to."""

WEBHOOK_DISABLED = "webhook.disabled"
"""The platform sends nothing there any more, for the receiver wants nothing."""

WEBHOOK_TESTED = "webhook.tested"
"""Somebody asked for a message on trial; it goes to its webhook whatever that asks for."""


PORTS = {"http": 80, "https": 443}
"""Where web addresses lead that name no port."""


class DeliveryState(DescribedEnum):
    """How far a delivery has come."""

    WAITING = "WAITING", "It is due at some time, or an attempt is at work."
    DELIVERED = "DELIVERED", "The receiver has taken it."
    DEAD = "DEAD", "It was given up; it can be sent once more."
    UNKNOWN = "UNKNOWN", "A state that this server does not know."


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """What somebody wants of a webhook; the attributes are those of `Webhook`."""

    url: str
    description: str = ""
    types: tuple[str, ...] = ()
    subject_kind: str | None = None
    subject_id: str | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class WebhookRevision:
    """What is to be another with a webhook; None leaves it as it is.

    Attributes:
        url: Where to.
        description: What it is for.
        chosen: Which events it asks for.
        is_enabled: Whether anything is sent.
    """

    url: str | None = None
    description: str | None = None
    chosen: EventFilter | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that events are sent to."""

    id: Annotated[str, Doc("What tells it from all others, a UUID.")]
    url: Annotated[str, Doc("Where to.")]
    description: Annotated[str, Doc("What it is for.")]
    types: Annotated[tuple[str, ...], Doc("Types of events, or beginnings; none means all.")]
    subject_kind: Annotated[str | None, Doc("The kind of what they happened to; null means any.")]
    subject_id: Annotated[str | None, Doc("What they happened to; null means anything.")]
    secret: Annotated[str, Doc("What messages are signed with.")] = field(repr=False)
    previous_secret: Annotated[
        str | None, Doc("The secret before, while receivers change over.")
    ] = field(repr=False)
    previous_secret_until: Annotated[
        datetime | None,
        Doc("Until when the secret before signs too; null when there was none before."),
    ]
    is_enabled: Annotated[bool, Doc("Whether anything is sent.")]
    disabled_because: Annotated[
        str | None, Doc("Why not, if the platform itself disabled it; null otherwise.")
    ]
    paused_until: Annotated[
        datetime | None,
        Doc(
            "Nothing is sent up to then, because the receiver failed again and again; null when it "
            "did not."
        ),
    ]
    created_at: Annotated[datetime, Doc("When it was made.")]
    created_by: Annotated[str, Doc("Who made it.")]

    @property
    def chosen(self) -> EventFilter:
        """Which events it asks for."""
        return EventFilter(self.types, self.subject_kind, self.subject_id)

    def wants(self, event: Event) -> bool:
        """Return whether an event is to be sent here."""
        if not self.is_enabled:
            return False
        if event.type == WEBHOOK_TESTED:
            return event.subject_id == self.id
        return self.chosen.matches(event)

    def may_be_sent_to(self, now: datetime) -> bool:
        """Return whether it is neither disabled nor paused."""
        return self.is_enabled and (self.paused_until is None or self.paused_until <= now)

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that sign at a moment, the newest first."""
        until = self.previous_secret_until
        if self.previous_secret is None or until is None or until <= now:
            return (self.secret,)
        return (self.secret, self.previous_secret)


@dataclass(frozen=True, slots=True)
class WebhookCredentials:
    """A webhook, and what its receiver needs to know that messages are ours."""

    webhook: Annotated[Webhook, Doc("The webhook as it is now.")]
    secret: Annotated[
        str | None,
        Doc(
            "What messages are signed with; it is shown this once. Null when the request was sent "
            "again with its `idempotencyKey`: make another secret with `webhookSecretRotate` if "
            "the first answer is lost."
        ),
    ]


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """An event on its way to a webhook.

    Attributes:
        lease: Who is at work on it; None when nobody is.
    """

    id: Annotated[str, Doc("What tells it from all others, a UUID; the same at each attempt.")]
    webhook_id: Annotated[str, Doc("Where to.")]
    event: Annotated[Event, Doc("What happened, as it is sent.")]
    state: Annotated[DeliveryState, Doc("How far it has come.")]
    attempts: Annotated[int, Doc("How many attempts were begun.")]
    next_attempt_at: Annotated[
        datetime, Doc("When it is due; while an attempt is at work, when that counts as lost.")
    ]
    lease: str | None = None
    completed_at: Annotated[
        datetime | None, Doc("When it arrived or was given up; null before.")
    ] = None
    status_code: Annotated[
        int | None, Doc("The HTTP status that the receiver answered last; null without an answer.")
    ] = None
    problem: Annotated[str | None, Doc("What went wrong last; null when nothing did.")] = None


_DELIVERIES = uuid.UUID("4f4e6d1c-5f6d-4f0a-9a0a-6f4b5e6d7c21")


def delivery_id_of(webhook_id: str, event_id: str) -> str:
    """Return the id of an event's delivery, which follows from where it goes."""
    return str(uuid.uuid5(_DELIVERIES, f"{webhook_id}/{event_id}"))


@dataclass(frozen=True, slots=True)
class Target:
    """A web address in its parts.

    Attributes:
        url: As it was written.
        scheme: ``http`` or ``https``.
        host: Its name in small letters, or its address without brackets.
        port: Its port.
        path: What is asked for, the query included.
    """

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The host as the receiver gets to hear it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a receiver.

    Attributes:
        target: Where to.
        addresses: The IP addresses of its host that were judged; one of them is connected to.
        headers: Headers beside those of the transport.
        body: JSON.
    """

    target: Target
    addresses: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; its body is nobody's business.

    Attributes:
        status_code: The HTTP status.
        retry_after_seconds: How long it asks to be left alone, if it does.
    """

    status_code: int
    retry_after_seconds: int | None = None
