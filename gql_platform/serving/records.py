"""Served models, predictions and live metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.registry.records import Signature

Rows = Sequence[Mapping[str, object] | Sequence[object]]
"""Input rows: objects by column name, or arrays in the signature's order."""


class Task(DescribedEnum):
    """What a model predicts."""

    CLASSIFICATION = "CLASSIFICATION", "One label out of several, for each row."
    REGRESSION = "REGRESSION", "A number for each row."


class ModelState(DescribedEnum):
    """How far a model is on its way to predicting."""

    LOADING = "LOADING", "Its version is being loaded and warmed up."
    READY = "READY", "It predicts."
    FAILED = "FAILED", "Its version could not be loaded; `reason` says why."


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as this server serves it."""

    model: Annotated[str, Doc("The name of the model.")]
    version: Annotated[int, Doc("The version behind the alias `champion`, else the newest.")]
    state: Annotated[ModelState, Doc("Whether it predicts.")]
    task: Annotated[Task | None, Doc("What it predicts, once it is loaded.")]
    labels: Annotated[tuple[str, ...], Doc("A classifier's labels, in the model's order.")]
    reason: Annotated[str | None, Doc("Why it could not be loaded.")]
    loaded_at: Annotated[datetime | None, Doc("When it was ready.")]
    load_ms: Annotated[float | None, Doc("How long loading and warming up took, in milliseconds.")]
    signature: Annotated[Signature | None, Doc("What it takes and gives.")]


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


Prediction = ClassPrediction | ValuePrediction


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers to the rows of one request."""

    model: Annotated[str, Doc("The name of the model that answered.")]
    version: Annotated[int, Doc("The version that answered.")]
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
