"""Changing deployments: once for each request, with an event, and told to all servers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import structlog

from gql_platform.changes.records import DeploymentNotice
from gql_platform.deployments.records import Deployment, Routing, Variant
from gql_platform.deployments.service import Deployments
from gql_platform.errors import InvalidNoteError, ModelNotFoundError, UnavailableError
from gql_platform.events.records import DEPLOYMENT_CHANGED, Delivery, EventFilter, NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.records import KeyedRequest, Result
from gql_platform.idempotency.service import Idempotency, keyed
from gql_platform.registry.records import CHAMPION, VersionRef
from gql_platform.serving.service import Serving
from gql_platform.store import Transaction
from gql_platform.texts import MAX_NOTE_LENGTH, is_note

SUBJECT = "Deployment"
FOLLOWED = (DEPLOYMENT_CHANGED, "model.*", "model_version.*")
"""Types of events after which the registry may name something else."""

RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class DeploymentChanges:
    """Change deployments on behalf of somebody.

    A change that has begun goes to its end, even if whoever asked for it is gone.

    Args:
        deployments: What changes them.
        serving: What serves them here.
        events: Where each change is written down.
        idempotency: What does each request once.
        pause: Waits for so many seconds.
    """

    def __init__(
        self,
        deployments: Deployments,
        serving: Serving,
        events: Events,
        idempotency: Idempotency,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._deployments = deployments
        self._serving = serving
        self._events = events
        self._idempotency = idempotency
        self._pause = pause
        self._at_work: set[asyncio.Task[Deployment]] = set()
        self._own: set[int] = set()

    async def update(
        self,
        model: str,
        *,
        by: str,
        routing: Routing,
        variants: Sequence[Variant],
        expected_revision: int | None = None,
        allow_breaking: bool = False,
        key: str | None = None,
    ) -> Deployment:
        """Change the variants of a model; otherwise as `Deployments.update`.

        Args:
            model: The name of the model.
            by: Who wants that.
            routing: How the live variants share the requests.
            variants: At least one live one with a weight.
            expected_revision: The revision that the caller has seen; None for any.
            allow_breaking: Whether versions may break the typed contract.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        arguments = {
            "model": model,
            "routing": routing,
            "variants": [asdict(each) for each in variants],
            "expected_revision": expected_revision,
            "allow_breaking": allow_breaking,
        }
        request = keyed(key, caller=by, operation="deployment.update", arguments=arguments)

        async def change() -> Deployment:
            return await self._deployments.update(
                model,
                routing=routing,
                variants=variants,
                expected_revision=expected_revision,
                allow_breaking=allow_breaking,
                request=_mark(request),
            )

        return await self._once(request, model, change, by=by, details={"action": "UPDATE"})

    async def promote(
        self,
        ref: VersionRef,
        *,
        by: str,
        alias: str = CHAMPION,
        allow_breaking: bool = False,
        note: str | None = None,
        key: str | None = None,
    ) -> Deployment:
        """Point an alias to a version; otherwise as `Deployments.promote`.

        Args:
            ref: The version.
            by: Who wants that.
            alias: The alias.
            allow_breaking: Whether the version may break the typed contract.
            note: Why; it is written down with the change.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidNoteError: If the note is too long.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        if not is_note(note):
            raise InvalidNoteError(maximum=MAX_NOTE_LENGTH)
        noted = {} if note is None else {"note": note}
        arguments = {
            "ref": [ref.model, ref.version],
            "alias": alias,
            "allow_breaking": allow_breaking,
            **noted,
        }
        request = keyed(key, caller=by, operation="deployment.promote", arguments=arguments)

        async def change() -> Deployment:
            return await self._deployments.promote(ref, alias=alias, allow_breaking=allow_breaking)

        details = {"action": "PROMOTE", "version": ref.version, "alias": alias, **noted}
        return await self._once(request, ref.model, change, by=by, details=details)

    async def roll_back(self, model: str, *, by: str, key: str | None = None) -> Deployment:
        """Go back to the plan before the present one; otherwise as `Deployments.roll_back`.

        Args:
            model: The name of the model.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        arguments = {"model": model}
        request = keyed(key, caller=by, operation="deployment.rollback", arguments=arguments)

        async def change() -> Deployment:
            return await self._deployments.roll_back(model, request=_mark(request))

        return await self._once(request, model, change, by=by, details={"action": "ROLLBACK"})

    async def follow(
        self, model: str | None = None, *, after: int | None = None
    ) -> AsyncGenerator[DeploymentNotice]:
        """Yield each deployment as it is, each change of it, and what this server does about it.

        Args:
            model: The one to follow, or None for all.
            after: The sequence of the last change that the caller knows; None for the present.

        Raises:
            SequenceError: If no event has had the sequence.
            StoreUnavailableError: If the platform's database does not answer.
        """
        sequence = await self._events.newest() if after is None else after
        chosen = EventFilter((DEPLOYMENT_CHANGED,), SUBJECT, model)
        changes = self._events.follow(after=sequence, chosen=chosen)
        async with aclosing(_merged(self._deployments.changes(model), changes)) as found:
            async for news in found:
                if isinstance(news, Deployment):
                    yield DeploymentNotice(news, None, sequence, lagged=False, skipped_count=0)
                    continue
                sequence = news.event.sequence
                yield DeploymentNotice(
                    self._serving.deployment(news.event.subject_id),
                    news.event,
                    sequence,
                    news.lagged,
                    news.skipped_count,
                )

    async def follow_others(self) -> None:
        """Look at the registry as soon as another server has changed it, without end."""
        chosen = EventFilter(FOLLOWED)
        while True:
            try:
                async for delivery in self._events.follow(chosen=chosen):
                    if delivery.event.sequence in self._own:
                        self._own.discard(delivery.event.sequence)
                    else:
                        await self._deployments.follow_once()
            except UnavailableError as error:
                log.warning("changes_not_followed", reason=str(error))
            except Exception:
                # The next look at the registry sees the change too.
                log.exception("changes_not_followed")
            await self._pause(RETRY_SECONDS)

    async def _once(
        self,
        request: KeyedRequest | None,
        model: str,
        change: Callable[[], Awaitable[Deployment]],
        *,
        by: str,
        details: Mapping[str, Any],
    ) -> Deployment:
        """Change a deployment and write that down, or return it as it is if that was done."""
        task = asyncio.create_task(self._changed(request, model, change, by=by, details=details))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def _changed(
        self,
        request: KeyedRequest | None,
        model: str,
        change: Callable[[], Awaitable[Deployment]],
        *,
        by: str,
        details: Mapping[str, Any],
    ) -> Deployment:
        done: list[Deployment] = []

        async def effect() -> None:
            done.append(await change())

        async def finish(transaction: Transaction) -> Result:
            data = {**details, "revision": done[0].revision}
            event = NewEvent(DEPLOYMENT_CHANGED, SUBJECT, model, by, data)
            (written,) = await self._events.append(transaction, [event])
            self._own.add(written.sequence)
            return data

        await self._idempotency.once(request, finish, effect=effect)
        return done[0] if done else await self._present(model)

    async def _present(self, model: str) -> Deployment:
        """Return what serves now where a change was made before, by whichever server."""
        await self._deployments.follow_once()
        found = self._serving.deployment(model)
        if found is None:
            served = tuple(each.model for each in self._serving.models())
            raise ModelNotFoundError(name=model, served=served)
        return found


def _mark(request: KeyedRequest | None) -> str | None:
    return None if request is None else request.mark


async def _merged(
    deployments: AsyncGenerator[Deployment], changes: AsyncGenerator[Delivery]
) -> AsyncGenerator[Deployment | Delivery]:
    """Yield what either of two yields, as it comes.

    Each waits until what it gave was taken, so that whoever is slow lags as its own source says.
    """
    found: asyncio.Queue[Deployment | Delivery | Exception] = asyncio.Queue(maxsize=1)

    async def take(source: AsyncIterator[Deployment] | AsyncIterator[Delivery]) -> None:
        try:
            async for each in source:
                await found.put(each)
        except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
            await found.put(error)

    tasks = [asyncio.create_task(take(deployments)), asyncio.create_task(take(changes))]
    try:
        while True:
            each = await found.get()
            if isinstance(each, Exception):
                raise each
            yield each
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for source in (deployments, changes):
            await source.aclose()
