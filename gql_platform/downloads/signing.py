"""Tokens that say what may be fetched, and cannot be forged.

A token is ``payload.signature``, both in base64url without padding. The payload is a list in JSON:
kind, key, name, and the end as seconds since 1970. The signature is the HMAC-SHA256 (RFC 2104) of
the payload as it stands in the token, so that nothing is decoded before it is known to be ours.
"""

import base64
import hmac
import json
from datetime import UTC, datetime

from gql_platform.downloads.records import DownloadGrant
from gql_platform.errors import DownloadExpiredError, InvalidDownloadError

MAX_TOKEN = 8192
"""How long a token may be, in characters; proxies refuse longer addresses."""

PURPOSE = b"download:1:"
"""Goes before what is signed: no signature for another purpose, or of another form, is one here."""


def token_of(grant: DownloadGrant, *, key: bytes) -> str:
    """Return the token that says what may be fetched.

    Args:
        grant: What; its end has whole seconds.
        key: What signs it, at least 32 random bytes.

    Raises:
        ValueError: If the token would be longer than an address may be.
    """
    values = [grant.kind, grant.key, grant.name, int(grant.expires_at.timestamp())]
    payload = _text(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())
    token = f"{payload}.{_text(_signature(payload, key=key))}"
    if len(token) > MAX_TOKEN:
        raise ValueError(f"a link of {len(token)} characters is longer than {MAX_TOKEN}")
    return token


def grant_of(token: str, *, key: bytes, now: datetime) -> DownloadGrant:
    """Return what a token permits.

    Raises:
        InvalidDownloadError: If it is not one of ours.
        DownloadExpiredError: If it is, and its time is over.
    """
    payload, _, signature = token.partition(".")
    if len(token) > MAX_TOKEN or not token.isascii():
        raise InvalidDownloadError
    # The text is compared, not the bytes: base64 can spell the same bytes in several ways.
    if not hmac.compare_digest(signature, _text(_signature(payload, key=key))):
        raise InvalidDownloadError
    kind, file_key, name, seconds = json.loads(_bytes(payload))
    expires_at = datetime.fromtimestamp(seconds, tz=UTC)
    if now >= expires_at:
        raise DownloadExpiredError(expired_at=expires_at.isoformat())
    return DownloadGrant(kind, file_key, name, expires_at)


def _signature(payload: str, *, key: bytes) -> bytes:
    return hmac.digest(key, PURPOSE + payload.encode("ascii"), "sha256")


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
