"""MLflow's entities as our records."""

import math
import sys
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mlflow.entities import Experiment as MlflowExperiment
from mlflow.entities import Metric as MlflowMetric
from mlflow.entities import Run as MlflowRun
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.entities.model_registry import RegisteredModel

from gql_platform.registry.records import Alias, Model, ModelVersion, Tag
from gql_platform.tracking.records import (
    Experiment,
    LoggedDataset,
    Metric,
    Param,
    Run,
    RunState,
    Series,
)

CONTEXT_TAG = "mlflow.data.context"
"""The tag of an input that says what a data set was used for."""


def model_of(model: RegisteredModel) -> Model:
    """Return a registered model as a record."""
    return Model(
        name=model.name,
        description=model.description or None,
        aliases=tuple(Alias(name, int(model.aliases[name])) for name in sorted(model.aliases)),
        tags=_tags(model.tags),
        created_at=moment_of(model.creation_timestamp),
        updated_at=moment_of(model.last_updated_timestamp or model.creation_timestamp),
    )


def version_of(version: MlflowVersion, model: RegisteredModel) -> ModelVersion:
    """Return a version as a record.

    Args:
        version: The version; a search leaves its aliases empty.
        model: Its model, which knows all aliases.
    """
    number = int(version.version)
    return ModelVersion(
        model_name=version.name,
        version=number,
        aliases=tuple(
            sorted(alias for alias, target in model.aliases.items() if int(target) == number)
        ),
        description=version.description or None,
        tags=_tags(version.tags),
        created_at=moment_of(version.creation_timestamp),
        run_id=version.run_id or None,
    )


def run_of(run: MlflowRun) -> Run:
    """Return a run as a record."""
    info = run.info
    # The message has the step of each metric, which the dictionary of metrics leaves out.
    metrics = run.data.to_proto().metrics
    return Run(
        run_id=info.run_id,
        name=info.run_name or None,
        state=RunState.__members__.get(info.status, RunState.UNKNOWN),
        params=tuple(Param(key, value) for key, value in sorted(run.data.params.items())),
        metrics=tuple(
            Metric(metric.key, number_of(metric.value), metric.step)
            for metric in sorted(metrics, key=lambda metric: str(metric.key))
        ),
        started_at=moment_or_none(info.start_time),
        finished_at=moment_or_none(info.end_time),
        experiment_id=str(info.experiment_id),
        tags=_tags(run.data.tags),
        datasets=_datasets_of(run),
        is_deleted=info.lifecycle_stage == "deleted",
    )


def experiment_of(experiment: MlflowExperiment) -> Experiment:
    """Return an experiment as a record."""
    return Experiment(
        experiment_id=str(experiment.experiment_id),
        name=experiment.name,
        tags=_tags(experiment.tags),
        created_at=moment_or_none(experiment.creation_time),
        updated_at=moment_or_none(experiment.last_update_time),
        is_deleted=experiment.lifecycle_stage == "deleted",
    )


def _datasets_of(run: MlflowRun) -> tuple[LoggedDataset, ...]:
    logged = run.inputs.dataset_inputs if run.inputs is not None else ()
    found = [
        LoggedDataset(
            name=each.dataset.name,
            digest=each.dataset.digest,
            source_type=each.dataset.source_type,
            source=each.dataset.source,
            context=next((tag.value for tag in each.tags if tag.key == CONTEXT_TAG), None),
        )
        for each in logged
    ]
    return tuple(sorted(found, key=lambda dataset: (dataset.name, dataset.digest)))


def series_of(metrics: Iterable[MlflowMetric]) -> Series:
    """Return all logged values of a metric, in any order, as a record."""
    points = sorted(metrics, key=lambda metric: (metric.step, metric.timestamp))
    return Series(
        steps=array("q", (point.step for point in points)),
        values=array("d", (number_of(point.value) for point in points)),
        sampled=False,
        total_points=len(points),
    )


def number_of(value: float, *, is_nan: bool = False) -> float:
    """Return the value of a metric; MLflow's databases hold the largest float for infinity."""
    if is_nan:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _tags(tags: Mapping[str, str]) -> tuple[Tag, ...]:
    return tuple(Tag(key, tags[key]) for key in sorted(tags))


def moment_of(milliseconds: int | None) -> datetime:
    """Return a moment that MLflow gives in milliseconds of Unix time."""
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)


def moment_or_none(milliseconds: int | None) -> datetime | None:
    """Return a moment that may be missing."""
    return moment_of(milliseconds) if milliseconds else None
