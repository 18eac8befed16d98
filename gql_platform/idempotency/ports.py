"""What the keys of requests need of a store."""

from datetime import datetime
from typing import Protocol

from gql_platform.idempotency.records import KeptRequest, Result
from gql_platform.store import Transaction


class RequestKeys(Protocol):
    """Keep the keys of requests.

    Each method raises `gql_platform.errors.StoreUnavailableError` when the database does not
    answer.
    """

    async def claim(
        self, transaction: Transaction, request: KeptRequest, *, now: datetime
    ) -> KeptRequest | None:
        """Keep a request, unless one with its key is kept already.

        One that has expired, or whose claim ran out without a result, is replaced if it is the same
        request; of several who try at once, one succeeds.

        Returns:
            The one that is kept already, or None when this one is kept now.
        """
        ...

    async def prolong(self, request: KeptRequest, *, until: datetime) -> None:
        """Keep others from taking a request over, if the claim still holds."""
        ...

    async def complete(
        self, transaction: Transaction, request: KeptRequest, result: Result
    ) -> bool:
        """Keep what a request came to, and return False if somebody else has taken it over."""
        ...

    async def release(self, request: KeptRequest) -> None:
        """Forget a request that came to nothing, if the claim still holds."""
        ...

    async def delete_expired(self, *, now: datetime) -> int:
        """Forget what has expired, and return how many there were."""
        ...
