"""Served models, predictions and live metrics in the schema."""

import math
from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.graphql.context import Info
from gql_platform.graphql.execution.limits.declarations import Cost, ListSize
from gql_platform.graphql.permission import root_field, root_subscription
from gql_platform.graphql.registry import ModelVersionType, SignatureType
from gql_platform.graphql.scalars import FloatMatrix, FloatVector, Int64, RowsInput
from gql_platform.graphql.type_of import edge, type_of
from gql_platform.serving.records import (
    INTERVAL_LEVEL,
    ClassPrediction,
    Compilation,
    ForecastPrediction,
    LabelProbability,
    LatencyQuantiles,
    LiveMetrics,
    ModelMetrics,
    Predictions,
    RefusedEngine,
    ServedModel,
    Speed,
    ValuePrediction,
)

PREDICTION_COST = (
    Cost(weight=1, multipliers=["rows"]),
    ListSize(slicing_arguments=["rows"], sized_fields=["predictions"]),
)
"""A prediction costs by its rows, and answers each of them."""

Key = Annotated[
    str | None,
    strawberry.argument(
        description="What a sticky deployment chooses the variant by, such as the id of a user."
    ),
]


@type_of(Speed)
class SpeedType:
    """How long a call of a version takes."""

    one_row_us: strawberry.auto
    thirty_two_rows_us: strawberry.auto


@type_of(RefusedEngine)
class RefusedEngineType:
    """A quicker engine that does not compute a version."""

    engine: strawberry.auto
    reason: strawberry.auto


@type_of(Compilation)
class CompilationType:
    """How a version was compiled."""

    engine: strawberry.auto
    largest_difference: strawberry.auto
    tolerance: strawberry.auto
    compared_rows: strawberry.auto
    compile_ms: strawberry.auto
    refused: strawberry.auto


@type_of(ServedModel)
class ServedModelType:
    """A model as this server serves it."""

    model: strawberry.auto
    version: strawberry.auto
    state: strawberry.auto
    task: strawberry.auto
    labels: strawberry.auto
    reason: strawberry.auto
    loaded_at: strawberry.auto
    load_ms: strawberry.auto
    signature: SignatureType | None
    compilation: strawberry.auto
    speed: strawberry.auto
    placement: strawberry.auto

    @edge(graphql_type=ModelVersionType | None)
    @staticmethod
    async def model_version(parent: strawberry.Parent[ServedModel], info: Info) -> object | None:
        """The version's entry in the registry; null when it was deleted meanwhile."""
        versions = await info.context.loaders.versions.load(parent.model) or ()
        return next((each for each in versions if each.version == parent.version), None)


@type_of(LabelProbability)
class LabelProbabilityType:
    """A label and its probability."""

    label: strawberry.auto
    probability: strawberry.auto


@type_of(ClassPrediction)
class ClassPredictionType:
    """A classifier's answer to one row."""

    label: strawberry.auto
    probability: strawberry.auto
    probabilities: strawberry.auto = strawberry.field(directives=[ListSize(assumed_size=3)])


@type_of(ValuePrediction)
class ValuePredictionType:
    """A regressor's answer to one row."""

    value: strawberry.auto


@type_of(ForecastPrediction)
class ForecastPredictionType:
    """A forecaster's answer to one row."""

    value: strawberry.auto
    lower: strawberry.auto
    upper: strawberry.auto


PredictionType = Annotated[
    ClassPredictionType | ValuePredictionType | ForecastPredictionType,
    strawberry.union("Prediction", description="A model's answer to one row, by its task."),
]


@type_of(Predictions, name="Predictions")
class PredictionsType:
    """Answers of a model whose task is known at run time only."""

    model: strawberry.auto
    version: strawberry.auto
    variant: strawberry.auto
    engine: strawberry.auto
    prediction_id: strawberry.auto
    latency_ms: strawberry.auto
    predictions: list[PredictionType]


@type_of(Predictions, name="Classification", description="A classifier's answers.")
class ClassificationType:
    """A classifier's answers."""

    model: strawberry.auto
    version: strawberry.auto
    variant: strawberry.auto
    engine: strawberry.auto
    prediction_id: strawberry.auto
    latency_ms: strawberry.auto
    predictions: list[ClassPredictionType]

    @edge()
    @staticmethod
    def column_labels(parent: strawberry.Parent[Predictions]) -> list[str]:
        """The label of each column of `probabilityMatrix`."""
        first = parent.predictions[0]
        return [entry.label for entry in getattr(first, "probabilities", ())]

    @edge(graphql_type=FloatMatrix | None)
    @staticmethod
    def probability_matrix(parent: strawberry.Parent[Predictions]) -> list[list[float]] | None:
        """All probabilities in one value, for many rows: a row for each, a column for each label.

        Null when the model gives no probabilities.
        """
        rows = [
            [entry.probability for entry in each.probabilities]
            for each in parent.predictions
            if isinstance(each, ClassPrediction)
        ]
        return rows if rows and rows[0] else None


@type_of(Predictions, name="Regression", description="A regressor's answers.")
class RegressionType:
    """A regressor's answers."""

    model: strawberry.auto
    version: strawberry.auto
    variant: strawberry.auto
    engine: strawberry.auto
    prediction_id: strawberry.auto
    latency_ms: strawberry.auto
    predictions: list[ValuePredictionType]

    @edge(graphql_type=FloatVector)
    @staticmethod
    def values(parent: strawberry.Parent[Predictions]) -> list[float]:
        """All values in one value, for many rows, in their order."""
        return [each.value for each in parent.predictions if isinstance(each, ValuePrediction)]


@type_of(Predictions, name="Forecast", description="A forecaster's answers.")
class ForecastType:
    """A forecaster's answers."""

    model: strawberry.auto
    version: strawberry.auto
    variant: strawberry.auto
    engine: strawberry.auto
    prediction_id: strawberry.auto
    latency_ms: strawberry.auto
    predictions: list[ForecastPredictionType]

    @edge()
    @staticmethod
    def interval_level(parent: strawberry.Parent[Predictions]) -> float:
        """How probable the model holds it that a value lies within its interval, from 0 to 1."""
        del parent
        return INTERVAL_LEVEL

    @edge(graphql_type=FloatVector)
    @staticmethod
    def values(parent: strawberry.Parent[Predictions]) -> list[float]:
        """All values in one value, for many rows, in their order."""
        return [each.value for each in _forecasts(parent)]

    @edge(graphql_type=FloatVector | None)
    @staticmethod
    def lower(parent: strawberry.Parent[Predictions]) -> list[float] | None:
        """The lower ends of all intervals, in the order of the rows.

        An end that is not known is null in it; all of it is null when the model gives no intervals.
        """
        return _ends([each.lower for each in _forecasts(parent)])

    @edge(graphql_type=FloatVector | None)
    @staticmethod
    def upper(parent: strawberry.Parent[Predictions]) -> list[float] | None:
        """The upper ends of all intervals, likewise."""
        return _ends([each.upper for each in _forecasts(parent)])


def _forecasts(parent: Predictions) -> list[ForecastPrediction]:
    return [each for each in parent.predictions if isinstance(each, ForecastPrediction)]


def _ends(ends: list[float | None]) -> list[float] | None:
    """Return ends of intervals as numbers, NaN for unknown ones, which is written as null."""
    if all(end is None for end in ends):
        return None
    return [math.nan if end is None else end for end in ends]


@type_of(LatencyQuantiles)
class LatencyQuantilesType:
    """How long predictions took."""

    p50_ms: strawberry.auto
    p95_ms: strawberry.auto
    p99_ms: strawberry.auto


@type_of(ModelMetrics)
class ModelMetricsType:
    """The traffic of one model."""

    model: strawberry.auto
    request_count: Int64
    error_count: Int64
    in_flight: strawberry.auto
    requests_per_second: strawberry.auto
    latency: strawberry.auto


@type_of(LiveMetrics)
class LiveMetricsType:
    """A sample of the traffic."""

    sampled_at: strawberry.auto
    window_seconds: strawberry.auto
    models: strawberry.auto


@strawberry.type
class ServingQuery:
    """Serving's root fields, but for the typed predictions."""

    @root_field(
        Permission.MODEL_PREDICT, graphql_type=PredictionsType | None, directives=PREDICTION_COST
    )
    @staticmethod
    async def predict_rows(
        info: Info,
        model: Annotated[str, strawberry.argument(description="The name of a served model.")],
        rows: Annotated[RowsInput, strawberry.argument(description="The rows to predict for.")],
        key: Key = None,
    ) -> Predictions:
        """Predictions of a model whose name is known at run time only.

        Where the name is known beforehand, `predict` has a typed field for it.
        """
        return await info.context.services.serving.predict(model, rows, key=key)


@strawberry.type
class ServingSubscription:
    """Serving's subscriptions."""

    @root_subscription(Permission.METRICS_READ, graphql_type=LiveMetricsType)
    @staticmethod
    async def live_metrics(
        info: Info,
        model: Annotated[
            str | None, strawberry.argument(description="One model; all of them by default.")
        ] = None,
        interval_seconds: Annotated[
            float, strawberry.argument(description="Time between samples, from 0.1 to 60 s.")
        ] = 1.0,
    ) -> AsyncIterator[LiveMetrics]:
        """Requests, errors and latency of the served models, sampled at an interval."""
        serving = info.context.services.serving
        async for sample in serving.live_metrics(model=model, interval_seconds=interval_seconds):
            yield sample
