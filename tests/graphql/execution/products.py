"""A small product over the execution, without anything of the platform."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import GraphQLError

from gql_platform.graphql.execution.schema import CompiledSchema


@dataclass
class Stage:
    """What the tests see and steer of the resolvers.

    Attributes:
        log: What happened, in order.
        gate: What waiting resolvers wait for.
        waiting: Whether one waits.
    """

    log: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)


@strawberry.type
class Query:
    """Some queries."""

    @strawberry.field
    async def hello(self, name: str = "you") -> str:
        """Greet."""
        return f"Hello, {name}"

    @strawberry.field
    async def wait(self, info: strawberry.Info[Stage, None]) -> str:
        """Wait until the test opens the gate."""
        info.context.log.append("waiting")
        info.context.waiting.set()
        try:
            await info.context.gate.wait()
        except asyncio.CancelledError:
            info.context.log.append("cancelled")
            raise
        return "done"


@strawberry.type
class Mutation:
    """A mutation."""

    @strawberry.mutation
    async def change(self, info: strawberry.Info[Stage, None]) -> str:
        """Note that it ran."""
        info.context.log.append("changed")
        return "changed"


@strawberry.type
class Subscription:
    """Some subscriptions."""

    @strawberry.subscription
    async def count(self, info: strawberry.Info[Stage, None], to: int = 3) -> AsyncIterator[int]:
        """Count from 1; after the last number, wait for the gate."""
        try:
            for number in range(1, to + 1):
                yield number
            await info.context.gate.wait()
        finally:
            info.context.log.append("closed")

    @strawberry.subscription
    async def fail(self) -> AsyncIterator[int]:
        """Fail after one event."""
        yield 1
        raise ValueError("the secret is 42")


class Hooks:
    """Hooks that leave errors as they are, and remember how operations ended."""

    def __init__(self) -> None:
        self.ends: list[tuple[str | None, str, list[str]]] = []

    def translated(
        self, errors: Sequence[GraphQLError], context: Any, *, in_document: bool
    ) -> list[GraphQLError]:
        """Return them."""
        del context, in_document
        return list(errors)

    def ended(
        self,
        context: Any,
        *,
        name: str | None,
        operation_type: str,
        seconds: float,
        errors: Sequence[GraphQLError],
    ) -> None:
        """Remember it."""
        del context, seconds
        self.ends.append((name, operation_type, [error.message for error in errors]))


def product(hooks: Hooks | None = None, **options: Any) -> CompiledSchema:
    """Return the schema of the product."""
    return CompiledSchema(Query, Mutation, Subscription, hooks=hooks or Hooks(), **options)
