"""Keys of requests, and what is kept under them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Result = Mapping[str, Any]
"""What a request came to, as JSON knows it."""


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with the key that its sender gave it.

    Attributes:
        scope: Whose key it is, and of which operation: others may use the same one.
        key: The key.
        request_hash: Tells the request from others, as 64 hexadecimal digits.
    """

    scope: str
    key: str
    request_hash: str

    @property
    def mark(self) -> str:
        """What tells this request from all others, in a few characters."""
        return f"{self.scope}:{self.key}"

    @property
    def digest(self) -> str:
        """What tells this request, with its values, from all others: 32 hexadecimal digits."""
        text = f"{self.mark}:{self.request_hash}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """What is kept of a request.

    Attributes:
        scope: Whose key it is.
        key: The key.
        request_hash: Tells the request from others.
        claim: Who does it, or did.
        claimed_until: Until then nobody else takes it over; it is prolonged by who does it.
        expires_at: Then it is forgotten.
        result: What it came to; None while it is at work.
    """

    scope: str
    key: str
    request_hash: str
    claim: str
    claimed_until: datetime
    expires_at: datetime
    result: Result | None = None

    def may_be_replaced(self, request: "KeptRequest", *, now: datetime) -> bool:
        """Return whether another request may take this one's place under the key."""
        has_lapsed = self.result is None and self.claimed_until <= now
        return self.expires_at <= now or (has_lapsed and self.request_hash == request.request_hash)
