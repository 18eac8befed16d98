"""A model's arrays, checked and turned into predictions."""

import numpy as np
import numpy.typing as npt

from gql_platform.serving.ports import ClassOutput, ForecastOutput, Output, ValueOutput
from gql_platform.serving.records import (
    ClassPrediction,
    ForecastPrediction,
    LabelProbability,
    Prediction,
    ValuePrediction,
)

_NOT_FINITE = "it returned values that are not finite numbers."


def fault_of(output: Output, *, rows: int, labels: int) -> str | None:
    """Return what is wrong with what a model computed, as a clause, or None.

    Args:
        output: The arrays.
        rows: How many rows were asked for.
        labels: How many labels a classifier has; not used for other models.
    """
    if isinstance(output, ClassOutput):
        return _class_fault(output, rows, labels)
    if isinstance(output, ForecastOutput):
        fault = _interval_fault(output, rows)
        if fault is not None:
            return fault
    if output.values.shape != (rows,):
        return f"it returned {_shape_of(output.values)} answers for {rows} rows."
    return None if np.isfinite(output.values).all() else _NOT_FINITE


def _interval_fault(output: ForecastOutput, rows: int) -> str | None:
    """Return what is wrong with the ends of intervals; one that is not finite is not known."""
    if (output.lower is None) is not (output.upper is None):
        return "it returned intervals with one end."
    for ends in (output.lower, output.upper):
        if ends is not None and ends.shape != (rows,):
            return f"it returned {_shape_of(ends)} ends of intervals for {rows} rows."
    return None


def _class_fault(output: ClassOutput, rows: int, labels: int) -> str | None:
    if output.chosen.shape != (rows,):
        return f"it returned {_shape_of(output.chosen)} answers for {rows} rows."
    if rows and not 0 <= output.chosen.min() <= output.chosen.max() < labels:
        return f"it chose a label that is not among its {labels}."
    probabilities = output.probabilities
    if probabilities is None:
        return None
    if probabilities.shape != (rows, labels):
        shape = _shape_of(probabilities)
        return f"it returned {shape} probabilities for {rows} rows and {labels} labels."
    return None if np.isfinite(probabilities).all() else _NOT_FINITE


def _shape_of(array: npt.NDArray[np.generic]) -> str:
    return " x ".join(str(size) for size in array.shape)


def predictions_of(output: Output, labels: tuple[str, ...]) -> tuple[Prediction, ...]:
    """Return one prediction per row.

    Args:
        output: The arrays of n rows.
        labels: The k labels of a classifier; not used for other models.
    """
    if isinstance(output, ValueOutput):
        return tuple(ValuePrediction(value) for value in output.values.tolist())
    if isinstance(output, ForecastOutput):
        ends = (_known(output.lower, output), _known(output.upper, output))
        return tuple(map(ForecastPrediction, output.values.tolist(), *ends))
    chosen: list[int] = output.chosen.tolist()
    if output.probabilities is None:
        return tuple(ClassPrediction(labels[index], None, ()) for index in chosen)
    return tuple(
        ClassPrediction(labels[index], row[index], tuple(map(LabelProbability, labels, row)))
        for index, row in zip(chosen, output.probabilities.tolist(), strict=True)
    )


def _known(ends: npt.NDArray[np.float64] | None, output: ForecastOutput) -> list[float | None]:
    """Return the ends of intervals, None for those that are not known."""
    if ends is None:
        return [None] * len(output.values)
    found: list[float] = ends.tolist()
    return [end if np.isfinite(end) else None for end in found]
