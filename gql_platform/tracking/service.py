"""Tracking's use cases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gql_platform.errors import TooManyIDsError, TooManySeriesError
from gql_platform.paging import Page, decode_cursor, page_of, page_size
from gql_platform.registry.records import ModelVersion
from gql_platform.registry.service import Registry
from gql_platform.run_search.records import RunFilter, RunOrder
from gql_platform.tracking.comparison import compared
from gql_platform.tracking.cursors import position_in, text_of
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import (
    DEFAULT_POINTS,
    DatasetRef,
    Experiment,
    HistoryRequest,
    MetricRef,
    MetricSeries,
    Run,
    RunComparison,
    SamplingMethod,
    Series,
)
from gql_platform.tracking.sampling import sampled

MAX_COMPARED = 50
"""How many runs are compared at once."""

MAX_SERIES = 200
"""How many series one field returns."""

MAX_RUNS_OF_MODEL = 10_000
"""Runs of so many of a model's newest versions are found by its name."""


class Tracking:
    """Read experiments and runs.

    Args:
        store: Where they are tracked.
        registry: Where versions are registered that runs trained.
    """

    def __init__(self, store: RunStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def experiments(
        self, *, first: int | None, after: str | None = None, counted: bool = False
    ) -> Page[Experiment]:
        """Return a page of experiments that are not deleted, by name.

        Args:
            first: How many.
            after: A cursor.
            counted: Whether to count all of them.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor.
            RegistryUnavailableError: If the store does not answer.
        """
        key = decode_cursor(after) if after is not None else None
        size = page_size(first)
        found = await self._store.experiments(after=key, limit=size + 1)
        total = await self._store.experiment_count() if counted else None
        return page_of(found, [each.name for each in found], first=size, after=after, total=total)

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments of these ids that exist, by id."""
        return await self._store.experiments_by_id(experiment_ids)

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        return await self._store.experiment_named(name)

    async def run_page(
        self,
        chosen: RunFilter,
        *,
        order: RunOrder | None = None,
        first: int | None,
        after: str | None = None,
        counted: bool = False,
    ) -> Page[Run]:
        """Return a page of runs.

        Args:
            chosen: Which.
            order: In which order; the newest first by default.
            first: How many.
            after: A cursor of the same order.
            counted: Whether to count all that are chosen.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor of this order.
            RegistryUnavailableError: If the store does not answer.
        """
        order = order or RunOrder()
        size = page_size(first)
        position = position_in(after, order) if after is not None else None
        chosen = await self._with_runs_of_model(chosen)
        found = await self._store.run_page(chosen, order=order, after=position, limit=size + 1)
        keys = [text_of(order.position_of(run), order) for run in found]
        total = await self._store.run_count(chosen) if counted else None
        return page_of(found, keys, first=size, after=after, total=total)

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, by id."""
        return await self._store.runs(run_ids)

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return up to ``limit`` runs that a data set was logged with, the newest first."""
        return await self._store.runs_of_dataset(dataset, limit=limit)

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return the registered versions that these runs trained, by run, of those with any."""
        return await self._store.versions_of_runs(run_ids)

    async def comparison(self, run_ids: Sequence[str], *, diff_only: bool) -> RunComparison:
        """Compare runs.

        Args:
            run_ids: Which; one that is named twice is shown once.
            diff_only: Whether to leave out what is the same in all of them.

        Raises:
            TooManyIDsError: If there are more than `MAX_COMPARED`.
            RegistryUnavailableError: If the store does not answer.
        """
        wanted = list(dict.fromkeys(run_ids))
        if len(wanted) > MAX_COMPARED:
            raise TooManyIDsError(count=len(wanted), maximum=MAX_COMPARED)
        found = await self._store.runs(wanted)
        runs = [found[run_id] for run_id in wanted if run_id in found]
        missing = [run_id for run_id in wanted if run_id not in found]
        return compared(runs, diff_only=diff_only, missing=missing)

    async def series(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str],
        *,
        max_points: int = DEFAULT_POINTS,
        method: SamplingMethod = SamplingMethod.MIN_MAX,
    ) -> tuple[MetricSeries, ...]:
        """Return the logged values of several metrics of several runs.

        Those that were never logged are left out.

        Raises:
            TooManySeriesError: If there are more than `MAX_SERIES`.
            PointCountError: If no series can have so many points.
            RegistryUnavailableError: If the store does not answer.
        """
        metrics = [
            MetricRef(run_id, key)
            for run_id in dict.fromkeys(run_ids)
            for key in dict.fromkeys(keys)
        ]
        if len(metrics) > MAX_SERIES:
            raise TooManySeriesError(count=len(metrics), maximum=MAX_SERIES)
        requests = [HistoryRequest(metric, max_points, method) for metric in metrics]
        found = await self.metric_histories(requests)
        return tuple(
            MetricSeries(request.metric.run_id, request.metric.key, found[request])
            for request in requests
            if request in found
        )

    async def metric_histories(
        self, requests: Sequence[HistoryRequest]
    ) -> Mapping[HistoryRequest, Series]:
        """Return the logged values of metrics, each with no more points than were asked for.

        Args:
            requests: Which; a metric that is asked for several times is read once.

        Returns:
            The series of each metric that has any values, as `sampled` cuts it down.

        Raises:
            RegistryUnavailableError: If the store does not answer.
        """
        metrics = list(dict.fromkeys(request.metric for request in requests))
        found = await self._store.metric_histories(metrics)
        return {
            request: sampled(found[request.metric], request.max_points, request.method)
            for request in requests
            if request.metric in found
        }

    async def close(self) -> None:
        """Let go of the store's connections."""
        await self._store.close()

    async def _with_runs_of_model(self, chosen: RunFilter) -> RunFilter:
        """Say which runs trained versions of the model that a filter names."""
        if chosen.model is None:
            return chosen
        versions = (await self._registry.versions([chosen.model])).get(chosen.model, ())
        newest = versions[:MAX_RUNS_OF_MODEL]
        ids = dict.fromkeys(version.run_id for version in newest if version.run_id)
        if chosen.run_ids is not None:
            return replace(chosen, run_ids=tuple(each for each in chosen.run_ids if each in ids))
        return replace(chosen, run_ids=tuple(ids))
