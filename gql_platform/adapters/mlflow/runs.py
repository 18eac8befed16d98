"""Experiments and runs, as MLflow's client reads them."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.entities import experiment_of, run_of, series_of, version_of
from gql_platform.adapters.mlflow.listing import all_pages, walked
from gql_platform.adapters.mlflow.searches import order_by, pushed_down
from gql_platform.registry.records import ModelVersion
from gql_platform.run_search.records import RunFilter, RunOrder, RunPosition
from gql_platform.tracking.records import DatasetRef, Experiment, MetricRef, Run, Series

RUNS_PER_SEARCH = 500
"""How many ids one search for runs carries."""

HISTORIES_AT_ONCE = 4
"""How many threads read histories: MLflow spends the time in Python, where they take turns."""

_RUN_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,255}")
_DIGEST = re.compile(r"[^\x00-\x1f'\"\\]{1,36}")
_METRIC_KEY = re.compile(r"[^\x00]{1,250}", re.DOTALL)


class MLflowRuns:
    """Read runs by MLflow's client, over its REST API or in its store; a `RunStore`.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def experiments(self, *, after: str | None, limit: int) -> Sequence[Experiment]:
        """Return up to ``limit`` experiments by ascending name, behind ``after``.

        MLflow pages by offset and in the order of the database's collation, so that all of them
        are listed and the page is cut here.
        """
        found = await self._client.call(_active_experiments, asks_for_runs=True)
        behind = [each for each in found if after is None or each.name > after]
        return sorted(behind, key=lambda each: each.name)[:limit]

    async def experiment_count(self) -> int | None:
        """Return None: MLflow counts nothing without listing it."""
        return None

    async def experiments_by_id(self, experiment_ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments of these ids that exist, by id."""
        found = await self._client.call(_all_experiments, asks_for_runs=True)
        wanted = set(experiment_ids)
        return {each.experiment_id: each for each in found if each.experiment_id in wanted}

    async def experiment_named(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        if not is_experiment_name(name):
            return None
        found = await self._client.call(
            lambda client: client.get_experiment_by_name(name), asks_for_runs=True
        )
        return experiment_of(found) if found is not None else None

    async def run_page(
        self, chosen: RunFilter, *, order: RunOrder, after: RunPosition | None, limit: int
    ) -> Sequence[Run]:
        """Return up to ``limit`` runs that a filter chooses, behind a position.

        MLflow pages by offset, and its searches know no alternatives. So it lists what its own
        filters leave, in the right order, and the rest is left out here.
        """
        if chosen.run_ids == ():
            return []
        return await self._client.call(
            partial(_page, chosen=chosen, order=order, after=after, limit=limit),
            asks_for_runs=True,
        )

    async def run_count(self, chosen: RunFilter) -> int | None:
        """Return None, as for experiments."""
        del chosen
        return None

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, deleted ones included, by id."""
        # The ids become part of a filter, and MLflow makes no ids of other characters.
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if is_run_id(run_id)]
        if not wanted:
            return {}
        return await self._client.call(lambda client: _runs(client, wanted), asks_for_runs=True)

    async def runs_of_dataset(self, dataset: DatasetRef, *, limit: int) -> Sequence[Run]:
        """Return up to ``limit`` runs that a data set was logged with, the newest first."""
        if not is_dataset(dataset):
            return []
        return await self._client.call(
            partial(_runs_of_dataset, dataset=dataset, limit=limit), asks_for_runs=True
        )

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return all logged values of these metrics, of those that have any.

        MLflow's client takes one metric at a time, and fetches its values in pages.
        """
        wanted = [ref for ref in dict.fromkeys(metrics) if is_metric(ref)]
        parts = [wanted[start::HISTORIES_AT_ONCE] for start in range(HISTORIES_AT_ONCE)]
        reads = [partial(_histories, metrics=part) for part in parts if part]
        found = await asyncio.gather(
            *(self._client.call(read, asks_for_runs=True) for read in reads)
        )
        return {ref: series for part in found for ref, series in part.items()}

    async def versions_of_runs(
        self, run_ids: Sequence[str]
    ) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return the registered versions that these runs trained, by run."""
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if is_run_id(run_id)]
        if not wanted:
            return {}
        return await self._client.call(lambda client: _versions(client, wanted))

    async def close(self) -> None:
        """Do nothing: MLflow keeps its connections to itself."""


def is_run_id(text: str) -> bool:
    """Return whether MLflow may have made such an id."""
    return bool(_RUN_ID.fullmatch(text))


def is_metric(metric: MetricRef) -> bool:
    """Return whether MLflow can know such a metric; PostgreSQL would take a NUL for an error."""
    return is_run_id(metric.run_id) and bool(_METRIC_KEY.fullmatch(metric.key))


def is_dataset(dataset: DatasetRef) -> bool:
    """Return whether MLflow can know such a data set."""
    return "\x00" not in dataset.name and bool(_DIGEST.fullmatch(dataset.digest))


def is_experiment_name(name: str) -> bool:
    """Return whether MLflow can know an experiment of that name."""
    return bool(name) and "\x00" not in name


def _all_experiments(client: MlflowClient) -> list[Experiment]:
    return [experiment_of(e) for e in all_pages(client.search_experiments, view_type=ViewType.ALL)]


def _active_experiments(client: MlflowClient) -> list[Experiment]:
    return [each for each in _all_experiments(client) if not each.is_deleted]


def _page(
    client: MlflowClient,
    *,
    chosen: RunFilter,
    order: RunOrder,
    after: RunPosition | None,
    limit: int,
) -> list[Run]:
    last = order.sort_key(after) if after is not None else None
    found: list[Run] = []
    for run in _searched(client, chosen, order, after, limit):
        is_behind = last is None or order.sort_key(order.position_of(run)) > last
        if is_behind and chosen.matches(run):
            found.append(run)
            if len(found) == limit:
                break
    return found


def _searched(
    client: MlflowClient,
    chosen: RunFilter,
    order: RunOrder,
    after: RunPosition | None,
    limit: int,
) -> Iterator[Run]:
    """Go through what MLflow lists of the runs, in order."""
    if chosen.run_ids is not None:
        wanted = [run_id for run_id in chosen.run_ids if is_run_id(run_id)]
        runs = _runs(client, wanted).values()
        yield from sorted(runs, key=lambda run: order.sort_key(order.position_of(run)))
        return
    known = [each.experiment_id for each in _all_experiments(client)]
    ids = [each for each in known if not chosen.experiments or each in chosen.experiments]
    if ids:
        found = walked(
            client.search_runs,
            experiment_ids=ids,
            filter_string=pushed_down(chosen, order, after),
            order_by=order_by(order),
            # Most pages end with the first one, so that it is not larger than need be.
            max_results=max(limit, 100),
        )
        yield from map(run_of, found)


def _runs_of_dataset(client: MlflowClient, dataset: DatasetRef, limit: int) -> list[Run]:
    ids = [each.experiment_id for each in _all_experiments(client)]
    # The name may be any text, not each of which MLflow's language can write.
    found = walked(
        client.search_runs,
        experiment_ids=ids,
        filter_string=f"dataset.digest = '{dataset.digest}'",
        order_by=order_by(RunOrder()),
        max_results=max(limit, 100),
    )
    named = (run for run in map(run_of, found) if dataset in [each.ref for each in run.datasets])
    return list(islice(named, limit))


def _runs(client: MlflowClient, run_ids: Sequence[str]) -> dict[str, Run]:
    ids = [each.experiment_id for each in _all_experiments(client)]
    found: dict[str, Run] = {}
    for start in range(0, len(run_ids), RUNS_PER_SEARCH):
        part = run_ids[start : start + RUNS_PER_SEARCH]
        listed = client.search_runs(
            ids,
            filter_string=f"attributes.run_id IN ({','.join(repr(one) for one in part)})",
            run_view_type=ViewType.ALL,
            max_results=len(part),
        )
        found |= {run.info.run_id: run_of(run) for run in listed}
    return found


def _histories(client: MlflowClient, metrics: Sequence[MetricRef]) -> dict[MetricRef, Series]:
    asked = ((ref, logged_values(client, ref)) for ref in metrics)
    return {ref: series_of(values) for ref, values in asked if values}


def logged_values(client: MlflowClient, metric: MetricRef) -> list[Metric]:
    """Return all logged values of a metric; none of one that is not known."""
    try:
        return list(client.get_metric_history(metric.run_id, metric.key))
    except MlflowException as error:
        # Servers differ in whether a run that they do not know has an empty history.
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return []
        raise


def _versions(client: MlflowClient, run_ids: Sequence[str]) -> dict[str, tuple[ModelVersion, ...]]:
    listed = []
    for start in range(0, len(run_ids), RUNS_PER_SEARCH):
        part = ",".join(repr(one) for one in run_ids[start : start + RUNS_PER_SEARCH])
        text = f"run_id IN ({part})"
        listed += all_pages(client.search_model_versions, filter_string=text)
    # A search leaves the aliases of versions empty; their models know them.
    models = {name: client.get_registered_model(name) for name in {each.name for each in listed}}
    found: dict[str, list[ModelVersion]] = defaultdict(list)
    for each in listed:
        found[each.run_id].append(version_of(each, models[each.name]))
    return {
        run_id: tuple(sorted(group, key=lambda version: version.ref))
        for run_id, group in found.items()
    }
