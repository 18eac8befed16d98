"""What is wrong with a webhook that somebody wants."""

from dataclasses import dataclass

from gql_platform.errors.availability import UnavailableError
from gql_platform.errors.input import InvalidInputError


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
class ReceiverUnavailableError(UnavailableError):
    """The receiver at {host!r} cannot be reached: {problem}; it is tried again later."""

    code = "RECEIVER_UNAVAILABLE"
    host: str
    problem: str
