"""MLflow's entities as our records."""

import math
import sys
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mlflow.entities import Metric as MlflowMetric
from mlflow.entities import Run as MlflowRun
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.entities.model_registry import RegisteredModel

from gql_platform.registry.records import Alias, Model, ModelVersion, Tag
from gql_platform.tracking.records import Metric, Param, Run, RunState, Series


def model_of(model: RegisteredModel) -> Model:
    """Return a registered model as a record."""
    return Model(
        name=model.name,
        description=model.description or None,
        aliases=tuple(Alias(name, int(model.aliases[name])) for name in sorted(model.aliases)),
        tags=_tags(model.tags),
        created_at=_moment(model.creation_timestamp),
        updated_at=_moment(model.last_updated_timestamp or model.creation_timestamp),
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
        created_at=_moment(version.creation_timestamp),
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
            Metric(metric.key, _value(metric.value), metric.step)
            for metric in sorted(metrics, key=lambda metric: str(metric.key))
        ),
        started_at=_moment(info.start_time) if info.start_time else None,
        finished_at=_moment(info.end_time) if info.end_time else None,
    )


def series_of(metrics: Iterable[MlflowMetric]) -> Series:
    """Return all logged values of a metric, in any order, as a record."""
    points = sorted(metrics, key=lambda metric: (metric.step, metric.timestamp))
    return Series(
        steps=array("q", (point.step for point in points)),
        values=array("d", (_value(point.value) for point in points)),
        sampled=False,
        total_points=len(points),
    )


def _value(value: float) -> float:
    """Return the value of a metric; MLflow's databases hold the largest float for infinity."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _tags(tags: Mapping[str, str]) -> tuple[Tag, ...]:
    return tuple(Tag(key, tags[key]) for key in sorted(tags))


def _moment(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
