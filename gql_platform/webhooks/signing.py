"""Signatures by which a receiver knows that a message is ours, as Standard Webhooks has them.

The signed text is ``id.timestamp.body``, the signature ``v1,`` and the base64 of its HMAC-SHA256.
See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from gql_platform.errors import WebhookSecretError

PREFIX = "whsec_"
MIN_BYTES = 24
MAX_BYTES = 64
"""How long a secret is, as the specification asks for."""

NEW_BYTES = 32


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Return a secret that nobody can guess.

    Args:
        random_bytes: Returns so many random bytes, such as `secrets.token_bytes`.
    """
    return PREFIX + base64.b64encode(random_bytes(NEW_BYTES)).decode("ascii")


def secret_of(given: str | None, random_bytes: Callable[[int], bytes]) -> str:
    """Return the secret that is given, or a new one.

    Raises:
        WebhookSecretError: If the given one cannot sign.
    """
    if given is None:
        return new_secret(random_bytes)
    check_secret(given)
    return given


def check_secret(secret: str) -> None:
    """Let a secret pass that can sign.

    Raises:
        WebhookSecretError: If it is not written like one, or is too short or too long.
    """
    key_of(secret)


def key_of(secret: str) -> bytes:
    """Return the bytes that a secret signs with.

    Raises:
        WebhookSecretError: If it is not written like one, or is too short or too long.
    """
    written = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise WebhookSecretError(minimum=MIN_BYTES, maximum=MAX_BYTES) from None
    if written == secret or not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise WebhookSecretError(minimum=MIN_BYTES, maximum=MAX_BYTES)
    return key


def signed_headers(
    message_id: str, body: bytes, *, time: datetime, secrets: Sequence[str]
) -> dict[str, str]:
    """Return the headers that go with a message.

    Args:
        message_id: What tells the message from all others; it stays the same at each attempt.
        body: What is sent, byte for byte.
        time: When it is sent.
        secrets: The secret, and while it is replaced also the one before: a receiver takes a
            message when one signature fits.
    """
    timestamp = str(int(time.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(
            signature(message_id, timestamp, body, secret=each) for each in secrets
        ),
    }


def signature(message_id: str, timestamp: str, body: bytes, *, secret: str) -> str:
    """Return the signature of a message by one secret."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    digest = hmac.digest(key_of(secret), signed, "sha256")
    return "v1," + base64.b64encode(digest).decode("ascii")
