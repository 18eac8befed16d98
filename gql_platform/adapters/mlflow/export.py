"""The registry and its runs, written to tables in a file that can be downloaded."""

import asyncio
import json
import zipfile
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from gql_platform import __version__
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.job_files import ArtifactJobFiles
from gql_platform.adapters.mlflow.reader import readers_of
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.adapters.parquet import TableFile
from gql_platform.exports.records import ExportRequest
from gql_platform.jobs.records import Note, Progress, Running, Values
from gql_platform.registry.records import Tag
from gql_platform.run_search.records import RunFilter, RunOrder
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import Experiment, MetricRef, Run

T = TypeVar("T")

FILE = "registry.zip"

MODELS_AT_ONCE = 100
RUNS_AT_ONCE = 200
"""How many are read in one go."""

Call = Callable[[Coroutine[Any, Any, Any]], Any]

TABLES = {
    "models": {
        "name": "text", "description": "text", "tags": "json", "aliases": "json",
        "created_at": "moment", "updated_at": "moment",
    },
    "versions": {
        "model": "text", "version": "int64", "aliases": "json", "description": "text",
        "tags": "json", "created_at": "moment", "run_id": "text",
    },
    "experiments": {
        "experiment_id": "text", "name": "text", "tags": "json", "created_at": "moment",
        "updated_at": "moment",
    },
    "runs": {
        "run_id": "text", "experiment_id": "text", "name": "text", "state": "text",
        "started_at": "moment", "finished_at": "moment", "tags": "json",
    },
    "params": {"run_id": "text", "key": "text", "value": "text"},
    "metrics": {"run_id": "text", "key": "text", "value": "float64", "step": "int64"},
    "datasets": {
        "run_id": "text", "name": "text", "digest": "text", "source_type": "text",
        "source": "text", "context": "text",
    },
}  # fmt: skip
"""The tables and their columns."""

HISTORIES = "metric_histories"


@dataclass(frozen=True, slots=True)
class RegistryExport:
    """Write all models, their versions, and runs; the work of a job.

    Attributes:
        tracking_uri: Where MLflow keeps runs.
        registry_uri: Where MLflow keeps registered models.
        files_uri: Where the files of jobs are kept.
    """

    tracking_uri: str = field(repr=False)
    registry_uri: str = field(repr=False)
    files_uri: str

    def __call__(self, job_id: str, given: Values) -> Running:
        """Write the tables, and keep them as one file of the job."""
        request = ExportRequest(tuple(given["experiments"]), given["has_histories"])
        client = Client(tracking_uri=self.tracking_uri, registry_uri=self.registry_uri)
        with TemporaryDirectory(prefix="gql-platform-") as folder, asyncio.Runner() as runner:
            columns = dict(TABLES)
            if request.has_histories:
                columns[HISTORIES] = TABLES["metrics"]
            tables = {
                name: TableFile(Path(folder) / f"{name}.parquet", columns[name]) for name in columns
            }
            readers = readers_of(client)
            try:
                yield from _models(readers.registry, tables, runner.run)
                yield from _runs(readers.runs, tables, runner.run, request)
            finally:
                runner.run(readers.runs.close())
            yield Progress(message="packing", numbers=_counts(tables))
            packed = _packed(Path(folder), tables)
            ArtifactJobFiles(self.files_uri).put(job_id, packed)
            size = packed.stat().st_size
        return {"files": [{"name": FILE, "size_bytes": size}], "rows": _counts(tables)}


def _models(
    store: MLflowStore, tables: dict[str, TableFile], call: Call
) -> Iterator[Progress | Note]:
    after = None
    while True:
        models = call(store.models(after=after, limit=MODELS_AT_ONCE))
        tables["models"].add(
            (
                *(each.name, each.description, _tags(each.tags)),
                {alias.name: alias.version for alias in each.aliases},
                *(each.created_at, each.updated_at),
            )
            for each in models
        )
        found = call(store.versions([each.name for each in models])) if models else {}
        tables["versions"].add(
            (
                *(each.model_name, each.version, list(each.aliases), each.description),
                *(_tags(each.tags), each.created_at, each.run_id),
            )
            for versions in found.values()
            for each in versions
        )
        yield Progress(message="reading models", numbers=_counts(tables))
        if len(models) < MODELS_AT_ONCE:
            return
        after = models[-1].name


def _runs(
    store: RunStore, tables: dict[str, TableFile], call: Call, request: ExportRequest
) -> Iterator[Progress | Note]:
    experiments = list(_experiments(store, call, request))
    tables["experiments"].add(
        (each.experiment_id, each.name, _tags(each.tags), each.created_at, each.updated_at)
        for each in experiments
    )
    order = RunOrder()
    for done, experiment in enumerate(experiments):
        chosen, position = RunFilter().within(experiment.experiment_id), None
        while True:
            runs: Sequence[Run] = call(
                store.run_page(chosen, order=order, after=position, limit=RUNS_AT_ONCE)
            )
            _add_runs(runs, tables)
            if request.has_histories:
                _add_histories(runs, store, tables[HISTORIES], call)
            fraction = done / len(experiments)
            yield Progress(fraction, f"reading {experiment.name}", _counts(tables))
            if len(runs) < RUNS_AT_ONCE:
                break
            position = order.position_of(runs[-1])
        yield Note(f"{experiment.name} is read")


def _experiments(store: RunStore, call: Call, request: ExportRequest) -> Iterator[Experiment]:
    if request.experiments:
        for name in request.experiments:
            found = call(store.experiment_named(name))
            if found is None:
                raise ValueError(f"there is no experiment {name!r} any more")
            yield found
        return
    after = None
    while True:
        page = call(store.experiments(after=after, limit=RUNS_AT_ONCE))
        yield from page
        if len(page) < RUNS_AT_ONCE:
            return
        after = page[-1].name


def _add_runs(runs: Iterable[Run], tables: dict[str, TableFile]) -> None:
    for run in runs:
        row = (run.run_id, run.experiment_id, run.name, run.state.value)
        tables["runs"].add([(*row, run.started_at, run.finished_at, _tags(run.tags))])
        tables["params"].add((run.run_id, each.key, each.value) for each in run.params)
        tables["metrics"].add((run.run_id, each.key, each.value, each.step) for each in run.metrics)
        tables["datasets"].add(
            (
                *(run.run_id, each.name, each.digest),
                *(each.source_type, each.source, each.context),
            )
            for each in run.datasets
        )


def _add_histories(runs: Iterable[Run], store: RunStore, table: TableFile, call: Call) -> None:
    # One metric is in memory at a time, as an array: a run can have many millions of values.
    for run in runs:
        for each in run.metrics:
            ref = MetricRef(run.run_id, each.key)
            for series in call(store.metric_histories([ref])).values():
                points = zip(series.values, series.steps, strict=True)
                table.add((ref.run_id, ref.key, float(value), int(step)) for value, step in points)


def _tags(tags: Iterable[Tag]) -> dict[str, str]:
    return {each.key: each.value for each in tags}


def _counts(tables: dict[str, TableFile]) -> dict[str, float]:
    return {name: table.rows for name, table in tables.items()}


def _packed(folder: Path, tables: dict[str, TableFile]) -> Path:
    """Return one file with all tables, which are compressed already."""
    about = {"gql_platform": __version__, "rows": _counts(tables)}
    with zipfile.ZipFile(folder / FILE, "w", zipfile.ZIP_STORED) as packed:
        for table in tables.values():
            table.close()
            packed.write(table.path, table.path.name)
        packed.writestr("export.json", json.dumps(about, indent=2))
    return folder / FILE
