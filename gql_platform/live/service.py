"""Following's use cases: runs while they train, and the registry while it changes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from gql_platform.errors import RunNotFoundError
from gql_platform.live.cursors import marks_in
from gql_platform.live.points import Known, PointReads
from gql_platform.live.poll import Pause, Poll
from gql_platform.live.ports import LiveStore
from gql_platform.live.records import (
    FINAL_STATES,
    RegistryUpdate,
    RunNotice,
    RunsUpdate,
    RunUpdate,
)
from gql_platform.live.registries import Snapshot
from gql_platform.live.registries import changes_between as registry_changes
from gql_platform.live.runs import Seen, Window, changes_between, departures
from gql_platform.live.shared import SharedReads
from gql_platform.paging import page_size
from gql_platform.registry.records import Model, ModelVersion
from gql_platform.registry.service import Registry
from gql_platform.run_search.records import RunFilter
from gql_platform.tracking.records import Run
from gql_platform.tracking.service import Tracking

LOOKS_WITHOUT_COUNTS = 10
"""Where points cannot be counted, they are read in every tenth look, whatever a run says."""

Chosen: TypeAlias = "tuple[RunFilter, int]"
"""Which runs somebody follows, and how many of the newest of them."""


class Live:
    """Follow runs and the registry.

    Args:
        store: Tells what is new.
        tracking: Reads runs.
        registry: Reads models.
        pause: Waits for so many seconds.
    """

    def __init__(
        self,
        store: LiveStore,
        tracking: Tracking,
        registry: Registry,
        *,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._store = store
        self._tracking = tracking
        self._registry = registry
        self._looks = 0
        self._points = PointReads(store, pause=pause)
        self._departed: SharedReads[Mapping[str, Run]] = SharedReads(pause=pause)
        self._runs: Poll[str, Seen] = Poll(
            "runs", stamp=store.run_stamp, look=self._look_at_runs, pause=pause
        )
        self._windows: Poll[Chosen, Window] = Poll(
            "lists_of_runs", stamp=store.run_stamp, look=self._look_at_windows, pause=pause
        )
        self._models: Poll[str | None, Snapshot] = Poll(
            "registry", stamp=store.model_stamp, look=self._look_at_models, pause=pause
        )

    async def follow_run(
        self, run_id: str, *, after: str | None = None, skip_history: bool = False
    ) -> AsyncGenerator[RunUpdate]:
        """Yield a run with the points of its metrics, and again what is new, up to its end.

        Args:
            run_id: Which.
            after: A cursor: what was logged behind it comes first; by default all that was.
            skip_history: Whether to begin, without a cursor, with what is logged from now on.

        Raises:
            InvalidCursorError: If ``after`` is no cursor of this run.
            RunNotFoundError: If there is no such run.
            RegistryUnavailableError: If the store does not answer at first.
        """
        known = Known(after, marks_in(after, run_id)) if after is not None else Known()
        known = replace(known, skips=skip_history and after is None)
        told: Run | None = None
        async with aclosing(self._runs.follow(run_id)) as states:
            async for seen in states:
                if seen is None and told is None:
                    raise RunNotFoundError(run_id=run_id)
                if seen is None:
                    return
                is_over = seen.run.state in FINAL_STATES
                for batch in await self._points.batches(seen, known):
                    known = batch.known
                    is_last = is_over and not batch.has_more
                    if batch.points or is_last or told is None or Seen(told) != Seen(seen.run):
                        told = seen.run
                        yield RunUpdate(told, batch.points, batch.has_more, batch.cursor, is_last)
                if is_over:
                    return

    async def follow_runs(
        self, chosen: RunFilter, *, first: int | None
    ) -> AsyncGenerator[RunsUpdate]:
        """Yield the newest runs that a filter chooses, and again those that are others.

        Args:
            chosen: Which.
            first: How many are followed.

        Raises:
            PageSizeError: If ``first`` is no page size.
            RegistryUnavailableError: If the store does not answer at first.
        """
        before: Window | None = None
        async with aclosing(self._windows.follow((chosen, page_size(first)))) as states:
            async for window in states:
                if window is None:
                    continue
                changes = changes_between(before, window)
                if before is not None:
                    changes += await self._departures(before, window, chosen)
                if changes or before is None:
                    yield RunsUpdate(changes)
                before = window

    async def follow_registry(self, model: str | None = None) -> AsyncGenerator[RegistryUpdate]:
        """Yield nothing new at first, and then what happens, to one model or to all of them.

        Raises:
            RegistryUnavailableError: If the registry does not answer at first.
        """
        before: Snapshot | None = None
        async with aclosing(self._models.follow(model)) as states:
            async for snapshot in states:
                now = snapshot or Snapshot({}, {})
                changes = tuple(registry_changes(before or now, now))
                if changes or before is None:
                    yield RegistryUpdate(changes)
                before = now

    async def close(self) -> None:
        """Let go of the store's connections."""
        await self._store.close()

    async def _look_at_runs(self, run_ids: Sequence[str]) -> Mapping[str, Seen]:
        self._looks += 1
        # Points are counted after the state was read: those of a run that is over are complete.
        runs = await self._tracking.runs(run_ids)
        counts = await self._store.point_counts(run_ids)
        if counts is None:
            part = self._looks // LOOKS_WITHOUT_COUNTS
            return {run_id: Seen(run, part) for run_id, run in runs.items()}
        return {run_id: Seen(run, counts.get(run_id, 0)) for run_id, run in runs.items()}

    async def _look_at_windows(self, asked: Sequence[Chosen]) -> Mapping[Chosen, Window]:
        return {each: await self._window(*each) for each in asked}

    async def _window(self, chosen: RunFilter, first: int) -> Window:
        page = await self._tracking.run_page(chosen, first=first)
        return Window({run.run_id: Seen(run) for run in page.items})

    async def _departures(
        self, before: Window, now: Window, chosen: RunFilter
    ) -> tuple[RunNotice, ...]:
        gone = [run_id for run_id in before.runs if run_id not in now.runs]
        if not gone:
            return ()
        key = (tuple(gone), tuple(now.runs))
        left = await self._departed.get(key, partial(self._left, gone))
        return departures(gone, left, chosen)

    async def _left(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        return await self._tracking.runs(run_ids)

    async def _look_at_models(self, asked: Sequence[str | None]) -> Mapping[str | None, Snapshot]:
        """Read the models that are followed, once; None stands for all of them."""
        named = [name for name in asked if name is not None]
        if None in asked:
            models = {model.name: model for model in await self._registry.all_models()}
        else:
            models = dict(await self._registry.models_named(named))
        versions = await self._registry.versions(list(models)) if models else {}
        numbered = {
            name: {version.version: version for version in found}
            for name, found in versions.items()
        }
        everything = Snapshot(models, numbered)
        return {
            name: everything if name is None else _only(name, models, numbered) for name in asked
        }


def _only(
    name: str, models: Mapping[str, Model], versions: Mapping[str, Mapping[int, ModelVersion]]
) -> Snapshot:
    """Return what a snapshot holds of one model."""
    if name not in models:
        return Snapshot({}, {})
    return Snapshot({name: models[name]}, {name: versions.get(name, {})})
