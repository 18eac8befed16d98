"""What is wrong with a webhook that somebody wants."""

from dataclasses import dataclass

from gql_platform.errors.availability import UnavailableError
from gql_platform.errors.input import InvalidInputError, NotFoundError


@dataclass(eq=False)
class WebhookAddressError(InvalidInputError):
    """Nothing is sent to {url!r}: {problem}; pass an `https` address of a public host, or have
    the network of the receiver allowed.
    """

    code = "INVALID_WEBHOOK_ADDRESS"
    url: str
    problem: str


@dataclass(eq=False)
class WebhookSecretError(InvalidInputError):
    """The secret cannot sign: pass `whsec_` and the base64 of {minimum} to {maximum} random
    bytes, or none to have one made.
    """

    code = "INVALID_WEBHOOK_SECRET"
    minimum: int
    maximum: int


@dataclass(eq=False)
class WebhookTextError(InvalidInputError):
    """The {text} of a webhook cannot be kept: pass at most {maximum} characters, and no control
    characters but tabs and line breaks.
    """

    code = "INVALID_WEBHOOK_TEXT"
    text: str
    maximum: int


@dataclass(eq=False)
class ReceiverUnavailableError(UnavailableError):
    """The receiver at {host!r} cannot be reached: {problem}; it is tried again later."""

    code = "RECEIVER_UNAVAILABLE"
    host: str
    problem: str


@dataclass(eq=False)
class TooManyWebhooksError(InvalidInputError):
    """There are {maximum} webhooks, and no more can be made; delete one, or widen another."""

    code = "TOO_MANY_WEBHOOKS"
    maximum: int


@dataclass(eq=False)
class WebhookDisabledError(InvalidInputError):
    """The webhook {webhook_id!r} is disabled, so that nothing is sent; enable it first."""

    code = "WEBHOOK_DISABLED"
    webhook_id: str


@dataclass(eq=False)
class WebhookNotFoundError(NotFoundError):
    """There is no webhook {webhook_id!r}; `webhooks` lists those that there are."""

    code = "WEBHOOK_NOT_FOUND"
    webhook_id: str


@dataclass(eq=False)
class WebhookDeliveryNotFoundError(NotFoundError):
    """There is no delivery {delivery_id!r}, or no longer; `webhookDeliveries` lists them."""

    code = "WEBHOOK_DELIVERY_NOT_FOUND"
    delivery_id: str
