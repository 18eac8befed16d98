"""The schemas of a server: the one that lives with its models, and what follows its changes."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import structlog

from gql_platform.access.records import Permission, Viewer
from gql_platform.doc import Doc
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.news import News
from gql_platform.serving.records import ServedModel
from gql_platform.serving.service import Serving

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The schema as it is since a moment."""

    fingerprint: Annotated[
        str,
        Doc("Tells this schema from others: the SHA-256 of its SDL, in hexadecimal digits."),
    ]
    changed_at: Annotated[datetime, Doc("Since when it is like that.")]


class Schemas:
    """The schema, as far as a caller may see it.

    Args:
        build: Makes the schema of some models; without any, it is the static core.

    Attributes:
        core: The static core, for those who may not read models: the living part shows their names
            and columns.
        full: All of it.
    """

    def __init__(self, build: Callable[[Iterable[ServedModel]], CompiledSchema]) -> None:
        self._build = build
        self._news = News()
        self._contract: object = ()
        self._fingerprints: dict[CompiledSchema, str] = {}
        self._changed_at = datetime.now(UTC)
        self.core = self.full = build(())

    def swap(self, models: Iterable[ServedModel]) -> None:
        """Show these models; operations at work end with the schema that they began with."""
        shown = tuple(models)
        self._put(self._build(shown), _contract_of(shown))

    async def follow(self, serving: Serving, *, on_swap: Callable[[], None]) -> None:
        """Show the models that are served, whenever their typed contract is another, without end.

        The schema is built in a thread beside the old one, which goes on to answer meanwhile.

        Args:
            serving: What serves the models.
            on_swap: Called after each swap.
        """
        async for _ in serving.news.follow():
            models = serving.models()
            contract = _contract_of(models)
            if not serving.is_ready or contract == self._contract:
                continue
            try:
                self._put(await asyncio.to_thread(self._build, models), contract)
                on_swap()
            except Exception:
                # The old schema goes on to answer, and the next change is tried again.
                log.exception("schema_not_swapped")

    def of(self, viewer: Viewer) -> CompiledSchema:
        """Return the schema for a viewer."""
        return self.full if Permission.MODEL_READ in viewer.permissions else self.core

    def change(self, viewer: Viewer) -> SchemaChange:
        """Return which schema a viewer sees, and since when."""
        return SchemaChange(self.fingerprint(self.of(viewer)), self._changed_at)

    async def changes(self, viewer: Viewer) -> AsyncIterator[SchemaChange]:
        """Yield which schema a viewer sees, at once and whenever it is another."""
        last = None
        async for _ in self._news.follow():
            found = self.change(viewer)
            if found.fingerprint != last:
                last = found.fingerprint
                yield found

    def fingerprint(self, schema: CompiledSchema) -> str:
        """Return what tells a schema from others; it is computed once for each."""
        known = self._fingerprints.get(schema)
        if known is None:
            known = hashlib.sha256(schema.as_str().encode()).hexdigest()
            self._fingerprints = {
                each: mark for each, mark in self._fingerprints.items() if each is self.core
            }
            self._fingerprints[schema] = known
        return known

    def _put(self, schema: CompiledSchema, contract: object) -> None:
        self.full, self._contract = schema, contract
        self._changed_at = datetime.now(UTC)
        self._news.tell()


def _contract_of(models: Iterable[ServedModel]) -> object:
    """Return all of some models that the schema depends on."""
    return tuple((each.model, each.state, each.task, each.signature) for each in models)
