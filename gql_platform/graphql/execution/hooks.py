"""The place for what a product does around the operations of its schema."""

from collections.abc import Sequence
from typing import Any, Protocol

from graphql import GraphQLError


class OperationHooks(Protocol):
    """What a product does with the operations of its schema."""

    def translated(
        self, errors: Sequence[GraphQLError], context: Any, *, in_document: bool
    ) -> list[GraphQLError]:
        """Return errors as the caller shall see them.

        Args:
            errors: As graphql-core or the guard made them.
            context: The context of the operation.
            in_document: Whether they were found before anything ran.
        """
        ...

    def ended(
        self,
        context: Any,
        *,
        name: str | None,
        operation_type: str,
        seconds: float,
        errors: Sequence[GraphQLError],
    ) -> None:
        """Take note of an operation that ended, in whatever way.

        Args:
            context: The context of the operation.
            name: The name of the operation, if it has one and is known.
            operation_type: ``query``, ``mutation``, ``subscription``, or ``unknown``.
            seconds: How long it took; for a subscription, until it ended.
            errors: The errors of its answers, as callers saw them.
        """
        ...
