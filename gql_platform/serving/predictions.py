"""A model's arrays, turned into predictions."""

from gql_platform.serving.ports import ClassOutput, ValueOutput
from gql_platform.serving.records import (
    ClassPrediction,
    LabelProbability,
    Prediction,
    ValuePrediction,
)


def predictions_of(
    output: ClassOutput | ValueOutput, labels: tuple[str, ...]
) -> tuple[Prediction, ...]:
    """Return one prediction per row.

    Args:
        output: The arrays of n rows.
        labels: The k labels of a classifier; not used for a regressor.
    """
    if isinstance(output, ValueOutput):
        return tuple(ValuePrediction(value) for value in output.values.tolist())
    chosen: list[int] = output.chosen.tolist()
    if output.probabilities is None:
        return tuple(ClassPrediction(labels[index], None, ()) for index in chosen)
    return tuple(
        ClassPrediction(
            labels[index], row[index], tuple(map(LabelProbability, labels, row))
        )
        for index, row in zip(chosen, output.probabilities.tolist(), strict=True)
    )
