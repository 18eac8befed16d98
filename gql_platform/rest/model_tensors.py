"""What a served model takes and gives, as tensors of the Open Inference Protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated

import numpy as np

from gql_platform.doc import Doc
from gql_platform.errors import InvalidBodyError, ModelNotReadyError
from gql_platform.registry.records import Signature
from gql_platform.rest.inference import AskedOutput, OutputTensor
from gql_platform.rest.tensors import DATATYPES, DTYPES, Datatype, texts_as_bytes
from gql_platform.serving.records import (
    ClassPrediction,
    ForecastPrediction,
    Prediction,
    ServedModel,
    Task,
)

PLATFORM = "mlflow"

OUTPUTS: Mapping[Task, tuple[str, ...]] = {
    Task.CLASSIFICATION: ("label", "probabilities"),
    Task.REGRESSION: ("value",),
    Task.FORECASTING: ("value", "lower", "upper"),
}
"""The names of the outputs of each task."""


@dataclass(frozen=True, slots=True)
class TensorMetadata:
    """A tensor that a model takes or gives."""

    name: Annotated[str, Doc("Its name; of an input, the name of the column.")]
    datatype: Annotated[Datatype, Doc("The type of its elements; another one that fits is taken.")]
    shape: Annotated[tuple[int, ...], Doc("Its sizes; -1 is the number of rows.")]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """A model, as the Open Inference Protocol V2 describes it."""

    name: Annotated[str, Doc("The name of the model.")]
    versions: Annotated[tuple[str, ...], Doc("The versions that can be asked for by number.")]
    platform: Annotated[str, Doc("Always `mlflow`.")]
    inputs: Annotated[tuple[TensorMetadata, ...], Doc("A tensor for each column of the signature.")]
    outputs: Annotated[
        tuple[TensorMetadata, ...],
        Doc(
            "`label` and `probabilities`, in the order of the model's labels, of a classifier, "
            "of which a few have no probabilities; `value` of a regressor; `value`, `lower` and "
            "`upper` of a forecaster, of which some have no intervals."
        ),
    ]


def loaded_parts(served: ServedModel) -> tuple[Signature, Task]:
    """Return what is known of a model that is loaded.

    Raises:
        ModelNotReadyError: If it is not.
    """
    if served.signature is None or served.task is None:
        reason = served.reason or "it is being loaded; try again in a moment."
        raise ModelNotReadyError(name=served.model, reason=reason)
    return served.signature, served.task


def metadata_of(served: ServedModel, versions: Sequence[ServedModel]) -> ModelMetadata:
    """Describe a version of a served model.

    Args:
        served: The version.
        versions: All versions of the model that are served.

    Raises:
        ModelNotReadyError: If it is not loaded.
    """
    signature, task = loaded_parts(served)
    outputs = tuple(TensorMetadata(each, "FP64", (-1,)) for each in OUTPUTS[task])
    if task is Task.CLASSIFICATION:
        probabilities = TensorMetadata("probabilities", "FP64", (-1, len(served.labels)))
        outputs = (TensorMetadata("label", "BYTES", (-1,)), probabilities)
    return ModelMetadata(
        name=served.model,
        versions=tuple(str(each.version) for each in versions),
        platform=PLATFORM,
        inputs=tuple(
            TensorMetadata(column.name, DATATYPES[column.type], (-1,))
            for column in signature.inputs
        ),
        outputs=outputs,
    )


def output_tensors(
    predictions: Sequence[Prediction], asked: Sequence[AskedOutput] | None, *, all_binary: bool
) -> list[OutputTensor]:
    """Return predictions as tensors.

    Args:
        predictions: At least one, all of one task.
        asked: The outputs that are wanted, of names in `OUTPUTS`; None for all that there are.
        all_binary: Whether in that case in binary form.

    Raises:
        InvalidBodyError: If probabilities or intervals are asked for that the model does not give.
    """
    given = _tensors_of(predictions)
    if asked is None:
        asked = [AskedOutput(name, all_binary) for name in given]
    if any(output.name not in given for output in asked):
        absent = "probabilities" if "label" in given else "intervals"
        raise InvalidBodyError(
            problem=f"The model gives no {absent}.",
            expected=f"a request for the output {next(iter(given))!r} alone",
        )
    return [_binary(given[each.name]) if each.is_binary else given[each.name] for each in asked]


def _tensors_of(predictions: Sequence[Prediction]) -> dict[str, OutputTensor]:
    """Return all outputs that a model gave, by their names."""
    count = len(predictions)
    classes = [each for each in predictions if isinstance(each, ClassPrediction)]
    if not classes:
        return _number_tensors(predictions)
    tensors = {"label": OutputTensor("label", "BYTES", (count,), [each.label for each in classes])}
    width = len(classes[0].probabilities)
    if width:
        listed = chain.from_iterable(each.probabilities for each in classes)
        numbers = [each.probability for each in listed]
        tensors["probabilities"] = OutputTensor("probabilities", "FP64", (count, width), numbers)
    return tensors


def _number_tensors(predictions: Sequence[Prediction]) -> dict[str, OutputTensor]:
    """Return the outputs of a regressor or a forecaster, by their names."""
    columns: dict[str, list[float | None]] = {
        "value": [each.value for each in predictions if not isinstance(each, ClassPrediction)]
    }
    forecasts = [each for each in predictions if isinstance(each, ForecastPrediction)]
    if any(each.lower is not None for each in forecasts):
        columns["lower"] = [each.lower for each in forecasts]
        columns["upper"] = [each.upper for each in forecasts]
    return {
        name: OutputTensor(name, "FP64", (len(predictions),), numbers)
        for name, numbers in columns.items()
    }


def _binary(tensor: OutputTensor) -> OutputTensor:
    if tensor.datatype == "BYTES":
        data = texts_as_bytes(str(text) for text in tensor.data)
    else:
        data = np.array(tensor.data, dtype=DTYPES[tensor.datatype]).tobytes()
    return OutputTensor(tensor.name, tensor.datatype, tensor.shape, data)
