"""Webhooks, and the events on their way to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gql_platform.events.records import Event, EventFilter

WEBHOOK_TESTED = "webhook.tested"
"""Somebody asked for a message on trial; it goes to its webhook whatever that asks for."""


PORTS = {"http": 80, "https": 443}
"""Where web addresses lead that name no port."""


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


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
class Webhook:
    """An address that events are sent to.

    Attributes:
        id: What tells it from all others, a UUID.
        url: Where to.
        description: What it is for.
        types: Types of events, or beginnings of types; none means all.
        subject_kind: The kind of what events happened to; None means any.
        subject_id: What they happened to; None means anything.
        secret: What messages are signed with.
        previous_secret: The one before, while receivers change over.
        previous_secret_until: How long that one signs too.
        is_enabled: Whether anything is sent.
        disabled_because: Why not, if the platform itself stopped it.
        paused_until: The receiver is left alone up to then, because it fails again and again.
        created_at: Since when there is it.
        created_by: Who made it.
    """

    id: str
    url: str
    description: str
    types: tuple[str, ...]
    subject_kind: str | None
    subject_id: str | None
    secret: str
    previous_secret: str | None
    previous_secret_until: datetime | None
    is_enabled: bool
    disabled_because: str | None
    paused_until: datetime | None
    created_at: datetime
    created_by: str

    def wants(self, event: Event) -> bool:
        """Return whether an event is to be sent here."""
        if not self.is_enabled:
            return False
        if event.type == WEBHOOK_TESTED:
            return event.subject_id == self.id
        return EventFilter(self.types, self.subject_kind, self.subject_id).matches(event)

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
class WebhookDelivery:
    """An event on its way to a webhook.

    Attributes:
        id: What tells it from all others, a UUID; it is the same at each attempt.
        webhook_id: Where to.
        event: What happened, as it was written down.
        state: How far it has come.
        attempts: How many were begun.
        next_attempt_at: When it is due; while an attempt is at work, when that counts as lost.
        lease: Who is at work on it; None when nobody is.
        completed_at: When it arrived or was given up.
        status_code: What the receiver answered last.
        problem: What went wrong last.
    """

    id: str
    webhook_id: str
    event: Event
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    lease: str | None = None
    completed_at: datetime | None = None
    status_code: int | None = None
    problem: str | None = None


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
