"""What the features need of the platform's own database: transactions that several share."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Transaction(Protocol):
    """Writes that take effect together, or not at all.

    Ports take it as their first argument, and hand it to nobody else: what it is made of is known
    to the adapters of one database alone.
    """

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something when the writes are there for good; a roll-back calls nothing."""
        ...


class Store(Protocol):
    """Where the platform keeps what must survive.

    Each method raises `gql_platform.errors.StoreUnavailableError` within two seconds when the
    database is away, locked or full, and works again as soon as the database does.
    """

    async def prepare(self) -> None:
        """Bring the tables up to what this code knows; other servers wait meanwhile.

        Raises:
            DatabaseTooNewError: If a newer version of the platform has written them.
        """
        ...

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction: it is committed at the end of the block, or undone by an error.

        Transactions that write wait for each other on SQLite; a block does nothing slow.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
