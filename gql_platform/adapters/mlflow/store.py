"""Registered models and tracked runs, as MLflow keeps them."""

import asyncio
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

import structlog
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.artifacts import Artifacts
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.entities import model_of, run_of, series_of, version_of
from gql_platform.adapters.mlflow.outage import described, is_unreachable
from gql_platform.adapters.mlflow.package import package_of
from gql_platform.registry.records import Model, ModelPackage, ModelVersion, VersionRef
from gql_platform.tracking.records import MetricRef, Run, Series

PAGE_SIZE = 1000
"""The most that MLflow returns of a listing at once."""

FEW_NAMES = 10
"""Up to so many models are asked for one by one; beyond, listing all of them is cheaper."""

RUNS_PER_SEARCH = 500
"""How many ids one search for runs carries."""

HISTORIES_AT_ONCE = 4
"""How many threads read histories: MLflow spends the time in Python, where they take turns."""

CACHED_PACKAGES = 1024
"""How many packages are kept in memory; one takes some kilobytes."""

_RUN_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,255}")
_METRIC_KEY = re.compile(r"[^\x00]{1,250}")

log = structlog.get_logger(__name__)


class MLflowStore:
    """Read models and runs from MLflow; a `RegistryStore` and a `RunStore`.

    A version's files never change, so what they say is remembered, until a version of the same
    number is seen that was made at another time: then the model was deleted and registered anew.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._packages: OrderedDict[VersionRef, ModelPackage] = OrderedDict()
        self._made: dict[VersionRef, datetime] = {}

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name, behind ``after``.

        MLflow pages by offset and in the order of the database's collation, so that all models
        are listed and the page is cut here.
        """
        found = await self.client.call(_all_models)
        names = sorted(name for name in found if after is None or name > after)
        return [model_of(found[name]) for name in names[:limit]]

    async def model_count(self) -> int:
        """Return the number of registered models."""
        return len(await self.client.call(_all_models))

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        found = await self.client.call(lambda client: _models_named(client, names))
        return {name: model_of(model) for name, model in found.items()}

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first."""
        found = await self.client.call(lambda client: _versions(client, names))
        for version in chain.from_iterable(found.values()):
            if self._made.get(version.ref) != version.created_at:
                self._made[version.ref] = version.created_at
                self._packages.pop(version.ref, None)
        return found

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say, without loading the models."""
        wanted = list(dict.fromkeys(refs))
        found = await asyncio.gather(*(self._package(ref) for ref in wanted))
        return {ref: package for ref, package in zip(wanted, found, strict=True) if package}

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version that exists, away from the one it pointed to before."""
        await self.client.call(
            lambda client: client.set_registered_model_alias(ref.model, alias, str(ref.version))
        )

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model that exists a tag, in the place of one with the same key."""
        await self.client.call(lambda client: client.set_registered_model_tag(name, key, value))

    async def runs(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs of these ids that exist, deleted ones included, by id."""
        # The ids become part of a filter, and MLflow makes no ids of other characters.
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if _RUN_ID.fullmatch(run_id)]
        if not wanted:
            return {}
        return await self.client.call(lambda client: _runs(client, wanted), asks_for_runs=True)

    async def metric_histories(self, metrics: Sequence[MetricRef]) -> Mapping[MetricRef, Series]:
        """Return all logged values of these metrics, of those that have any.

        MLflow's client takes one metric at a time, and fetches its values in pages.
        """
        wanted = [ref for ref in dict.fromkeys(metrics) if _is_possible(ref)]
        parts = [wanted[start::HISTORIES_AT_ONCE] for start in range(HISTORIES_AT_ONCE)]
        reads = [partial(_histories, metrics=part) for part in parts if part]
        found = await asyncio.gather(
            *(self.client.call(read, asks_for_runs=True) for read in reads)
        )
        return {ref: series for part in found for ref, series in part.items()}

    async def _package(self, ref: VersionRef) -> ModelPackage | None:
        if ref in self._packages:
            self._packages.move_to_end(ref)
            return self._packages[ref]
        package = await self.client.call(lambda client: _read_package(client, ref))
        if package is not None:
            self._packages[ref] = package
            if len(self._packages) > CACHED_PACKAGES:
                self._packages.popitem(last=False)
        return package


def _all_pages(search: Callable[..., Any], **query: object) -> list[Any]:
    """Return the whole of a listing that MLflow gives in pages."""
    page = search(max_results=PAGE_SIZE, **query)
    found = list(page)
    while page.token:
        page = search(max_results=PAGE_SIZE, page_token=page.token, **query)
        found += page
    return found


def _all_models(client: MlflowClient) -> dict[str, RegisteredModel]:
    listed = _all_pages(client.search_registered_models, order_by=["name ASC"])
    return {model.name: model for model in listed}


def _models_named(client: MlflowClient, names: Sequence[str]) -> dict[str, RegisteredModel]:
    if len(names) > FEW_NAMES:
        known = _all_models(client)
        return {name: known[name] for name in names if name in known}
    asked = ((name, _model_named(client, name)) for name in names)
    return {name: model for name, model in asked if model is not None}


def _model_named(client: MlflowClient, name: str) -> RegisteredModel | None:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        # The other code stands for text that can be no model's name.
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def _versions(client: MlflowClient, names: Sequence[str]) -> dict[str, tuple[ModelVersion, ...]]:
    models = _models_named(client, names)
    by_name: dict[str, list[ModelVersion]] = defaultdict(list)
    for version in _found_versions(client, models):
        if version.name in models:
            by_name[version.name].append(version_of(version, models[version.name]))
    return {
        name: tuple(sorted(by_name[name], key=lambda version: -version.version)) for name in models
    }


def _found_versions(client: MlflowClient, names: Iterable[str]) -> list[MlflowVersion]:
    """Return at least all versions of these models."""
    wanted = list(names)
    # A filter cannot hold a name that has both kinds of quotes.
    if len(wanted) > FEW_NAMES or any("'" in name and '"' in name for name in wanted):
        return _all_pages(client.search_model_versions)
    filters = [f'name="{name}"' if "'" in name else f"name='{name}'" for name in wanted]
    return [
        version
        for text in filters
        for version in _all_pages(client.search_model_versions, filter_string=text)
    ]


def _read_package(client: MlflowClient, ref: VersionRef) -> ModelPackage | None:
    try:
        artifacts = Artifacts(client, ref)
        return package_of(artifacts.read)
    except Exception as error:
        # Stores of artifacts and files of models fail in as many ways as there are; one model
        # that cannot be read must not hide the others.
        if is_unreachable(error):
            raise
        log.warning(
            "package_not_read",
            model=ref.model,
            version=ref.version,
            error=described(error),
        )
        return None


def _runs(client: MlflowClient, run_ids: Sequence[str]) -> dict[str, Run]:
    experiments = _all_pages(client.search_experiments, view_type=ViewType.ALL)
    ids = [experiment.experiment_id for experiment in experiments]
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


def _is_possible(metric: MetricRef) -> bool:
    """Return whether MLflow can know such a metric; PostgreSQL would take a NUL for an error."""
    return bool(_RUN_ID.fullmatch(metric.run_id) and _METRIC_KEY.fullmatch(metric.key))


def _histories(client: MlflowClient, metrics: Sequence[MetricRef]) -> dict[MetricRef, Series]:
    asked = ((ref, _logged_values(client, ref)) for ref in metrics)
    return {ref: series_of(values) for ref, values in asked if values}


def _logged_values(client: MlflowClient, metric: MetricRef) -> list[Metric]:
    try:
        return list(client.get_metric_history(metric.run_id, metric.key))
    except MlflowException as error:
        # Servers differ in whether a run that they do not know has an empty history.
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return []
        raise
