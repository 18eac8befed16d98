"""Served models, predictions and live metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.registry.records import Signature

Rows = Sequence[Mapping[str, object] | Sequence[object]]
"""Input rows: objects by column name, or arrays in the signature's order."""


class Task(DescribedEnum):
    """What a model predicts."""

    CLASSIFICATION = "CLASSIFICATION", "One label out of several, for each row."
    REGRESSION = "REGRESSION", "A number for each row."
    FORECASTING = "FORECASTING", "A number to come for each row, and the interval that it lies in."


@dataclass(frozen=True, slots=True)
class Range:
    """The values of a column that a model answers, where these are fewer than its type has.

    Attributes:
        minimum: The least of them; a time is UTC and has no offset.
        maximum: The greatest.
        is_whole: Whether only whole numbers are among them.
        meaning: What the column says, for the error.
    """

    minimum: int | datetime
    maximum: int | datetime
    is_whole: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model in a file.

    Attributes:
        name: The name to serve it under.
        path: The file, or the folder of a model that MLflow saved.
        task: What it is to predict; a model that predicts something else is refused.
        input_example: Rows that it takes, by column name; they tell the types of the columns.
    """

    name: str
    path: Path
    task: Task
    input_example: tuple[Mapping[str, object], ...] = ()


class ModelState(DescribedEnum):
    """How far a model is on its way to predicting."""

    LOADING = "LOADING", "Its version is being loaded and warmed up."
    READY = "READY", "It predicts."
    FAILED = "FAILED", "Its version could not be loaded; `reason` says why."


class Engine(DescribedEnum):
    """What computes the predictions of a version."""

    NATIVE = "NATIVE", "The model as it was logged."
    EXACT = "EXACT", "The model's own arrays, by a shorter way to the very same numbers."
    FOLDED = "FOLDED", "A linear model and its preprocessing, folded into one float64 product."
    ONNX = "ONNX", "An ONNX graph that was verified against the model."


@dataclass(frozen=True, slots=True)
class RefusedEngine:
    """A quicker engine that does not compute a version, and why."""

    engine: Annotated[Engine, Doc("The engine.")]
    reason: Annotated[str, Doc("Why it was refused.")]


@dataclass(frozen=True, slots=True)
class Compilation:
    """How a version was compiled, and how that was verified."""

    engine: Annotated[Engine, Doc("What computes its predictions.")]
    largest_difference: Annotated[
        float | None,
        Doc(
            "The largest difference from the model as it was logged, over all compared rows: "
            "absolute for probabilities, relative to the spread of the values for numbers; null "
            "where nothing was compared."
        ),
    ]
    tolerance: Annotated[
        float | None, Doc("The largest difference that is accepted; null where nothing was.")
    ]
    compared_rows: Annotated[int, Doc("How many rows were compared.")]
    compile_ms: Annotated[float, Doc("How long compiling and comparing took, in milliseconds.")]
    refused: Annotated[
        tuple[RefusedEngine, ...], Doc("Quicker engines that were tried and refused.")
    ] = ()


NATIVE = Compilation(Engine.NATIVE, None, None, 0, 0.0)
"""The compilation of a model that is not compiled."""


class Placement(DescribedEnum):
    """Where a version computes."""

    INLINE = "INLINE", "On the event loop: it answers before a request could be handed over."
    THREAD = "THREAD", "In threads of the server."
    PROCESS = "PROCESS", "In a process of its own, which is started anew when it dies."


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a call of a version takes, as it was measured when it was loaded."""

    one_row_us: Annotated[float, Doc("A call with 1 row, in microseconds.")]
    thirty_two_rows_us: Annotated[float, Doc("A call with 32 rows, in microseconds.")]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A version of a model as this server serves it."""

    model: Annotated[str, Doc("The name of the model.")]
    version: Annotated[int, Doc("The number of the version.")]
    state: Annotated[ModelState, Doc("Whether it predicts.")]
    task: Annotated[Task | None, Doc("What it predicts, once it is loaded.")]
    labels: Annotated[tuple[str, ...], Doc("A classifier's labels, in the model's order.")]
    reason: Annotated[str | None, Doc("Why it could not be loaded.")]
    loaded_at: Annotated[datetime | None, Doc("When it was ready.")]
    load_ms: Annotated[float | None, Doc("How long loading and warming up took, in milliseconds.")]
    signature: Annotated[Signature | None, Doc("What it takes and gives.")]
    compilation: Annotated[
        Compilation | None, Doc("How it was compiled; null until it is loaded.")
    ] = None
    speed: Annotated[Speed | None, Doc("How quick it is, where that could be measured.")] = None
    placement: Annotated[Placement | None, Doc("Where it computes, once it is loaded.")] = None


@dataclass(frozen=True, slots=True)
class LabelProbability:
    """A label, and how probable the model holds it."""

    label: Annotated[str, Doc("The label.")]
    probability: Annotated[float, Doc("Its probability, from 0 to 1.")]


@dataclass(frozen=True, slots=True)
class ClassPrediction:
    """A classifier's answer to one row."""

    label: Annotated[str, Doc("The predicted label.")]
    probability: Annotated[
        float | None,
        Doc("The probability of that label; null when the model gives no probabilities."),
    ]
    probabilities: Annotated[
        tuple[LabelProbability, ...], Doc("All labels with their probabilities.")
    ]


@dataclass(frozen=True, slots=True)
class ValuePrediction:
    """A regressor's answer to one row."""

    value: Annotated[float, Doc("The predicted value, in the unit of the training target.")]


INTERVAL_LEVEL = 0.95
"""How probable it is, as a forecaster sees it, that a value lies within its interval."""


@dataclass(frozen=True, slots=True)
class ForecastPrediction:
    """A forecaster's answer to one row."""

    value: Annotated[float, Doc("The value to expect, in the unit of the series.")]
    lower: Annotated[
        float | None,
        Doc(
            "The lower end of the interval that the value lies in with a probability of 95 %, as "
            "the model sees it; null when the model gives no interval."
        ),
    ]
    upper: Annotated[float | None, Doc("The upper end of that interval.")]


Prediction = ClassPrediction | ValuePrediction | ForecastPrediction


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers to the rows of one request."""

    model: Annotated[str, Doc("The name of the model that answered.")]
    version: Annotated[int, Doc("The version that answered.")]
    variant: Annotated[str, Doc("The variant of the deployment that answered.")]
    engine: Annotated[Engine, Doc("What computed the answers.")]
    prediction_id: Annotated[
        str, Doc("The id of this answer, in the order of time; outcomes are reported under it.")
    ]
    predictions: Annotated[tuple[Prediction, ...], Doc("One answer per row, in their order.")]
    latency_ms: Annotated[
        float, Doc("The time in the model, in milliseconds, including the wait for it.")
    ]


@dataclass(frozen=True, slots=True)
class LatencyQuantiles:
    """How long predictions took."""

    p50_ms: Annotated[float, Doc("Half of them took at most this long, in milliseconds.")]
    p95_ms: Annotated[float, Doc("95 % of them took at most this long, in milliseconds.")]
    p99_ms: Annotated[float, Doc("99 % of them took at most this long, in milliseconds.")]


@dataclass(frozen=True, slots=True)
class ModelMetrics:
    """The traffic of one model."""

    model: Annotated[str, Doc("The name of the model.")]
    request_count: Annotated[int, Doc("Predictions asked for since the server's start.")]
    error_count: Annotated[int, Doc("How many of them failed, refused rows included.")]
    in_flight: Annotated[int, Doc("Predictions at work right now.")]
    requests_per_second: Annotated[float, Doc("The rate of answered requests over the window.")]
    latency: Annotated[
        LatencyQuantiles | None, Doc("Latency over the window; null when nothing was predicted.")
    ]


@dataclass(frozen=True, slots=True)
class LiveMetrics:
    """A sample of the traffic of the served models."""

    sampled_at: Annotated[datetime, Doc("When the sample was taken.")]
    window_seconds: Annotated[
        int, Doc("The rate and the latency quantiles cover the last so many seconds.")
    ]
    models: Annotated[tuple[ModelMetrics, ...], Doc("One entry per model, sorted by name.")]
