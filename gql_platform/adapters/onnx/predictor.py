"""Predictors over ONNX graphs.

A graph is data: neither reading nor running it runs code of its author.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd

from gql_platform.adapters.estimators.example import example_frame
from gql_platform.adapters.estimators.sessions import session_of
from gql_platform.adapters.onnx.inputs import Feeder, Feeds, GraphInput, feeder_of
from gql_platform.adapters.onnx.outputs import Answers, GraphOutput, Reader, reader_of
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import Column, ColumnType, ModelPackage, ModelVersion
from gql_platform.serving.ports import ClassOutput, Table, ValueOutput
from gql_platform.serving.records import NATIVE, Compilation, Task


class GraphPredictor:
    """Predict with an ONNX graph; a `Predictor`.

    Args:
        session: What runs it.
        feeder: How rows become its inputs.
        reader: How its outputs are read.
        takes_arrays: Whether all columns are doubles, and go into one input.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        feeder: Feeder,
        reader: Reader,
        *,
        takes_arrays: bool,
    ) -> None:
        self.labels = tuple(str(label) for label in reader.labels)
        self.takes_arrays = takes_arrays
        self._session = session
        self._feeder = feeder
        self._reader = reader

    @property
    def task(self) -> Task:
        """What its outputs are."""
        return self._reader.task

    @property
    def compilation(self) -> Compilation:
        """It is not compiled: the graph is the model as it was logged."""
        return NATIVE

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ClassOutput | ValueOutput:
        """Compute the outputs of n rows.

        Raises:
            ValueError: If the graph's inputs do not hold a value.
        """
        feeds = self._feeder.feed(rows)
        answers = run(self._session, self._reader.names, feeds, one_by_one=self._feeder.is_single)
        return self._reader.read(answers)


def graph_predictor(path: Path, version: ModelVersion, package: ModelPackage) -> GraphPredictor:
    """Return the predictor over the graph in a file.

    Raises:
        ModelLoadError: If it is no graph that runs, or one whose inputs do not fit the signature.
        UnsupportedModelError: If its outputs are not served.
    """
    name, number = version.model_name, version.version
    if package.signature is None or not package.signature.inputs:
        reason = "it has no input signature; log it with infer_signature(X, y)."
        raise UnsupportedModelError(name=name, version=number, reason=reason)
    columns = package.signature.inputs
    try:
        session = session_of(str(path))
        graph = onnx.load(str(path), load_external_data=False)
    except Exception as error:
        reason = f"its graph does not load: {' '.join(str(error).split())[:300]}"
        raise ModelLoadError(name=name, version=number, reason=reason) from error
    try:
        feeder = feeder_of(inputs_of(session), columns)
    except ValueError as error:
        raise ModelLoadError(name=name, version=number, reason=str(error)) from error
    try:
        reader = reader_of(_outputs_of(session, feeder, example_frame(package)), graph)
    except ValueError as error:
        raise UnsupportedModelError(name=name, version=number, reason=str(error)) from error
    are_doubles = all(column.type is ColumnType.DOUBLE for column in columns)
    return GraphPredictor(session, feeder, reader, takes_arrays=feeder.is_matrix and are_doubles)


def inputs_of(session: onnxruntime.InferenceSession) -> list[GraphInput]:
    """Return what a graph must be given."""
    return [GraphInput(each.name, each.type, tuple(each.shape)) for each in session.get_inputs()]


def columns_of(path: Path) -> tuple[Column, ...]:
    """Return the columns that a graph in a file reads, under names of ours where it has none.

    Returns:
        None of them where the graph leaves their number open.

    Raises:
        Exception: If it is no graph that runs.
    """
    inputs = inputs_of(session_of(str(path)))
    matrix = inputs[0]
    if len(inputs) == 1 and len(matrix.shape) == 2:
        width = matrix.shape[1] if isinstance(matrix.shape[1], int) else 0
        kind = _kind_of(matrix)
        return tuple(Column(f"feature_{place}", kind, required=True) for place in range(width))
    return tuple(Column(each.name, _kind_of(each), required=True) for each in inputs)


def run(
    session: onnxruntime.InferenceSession, names: list[str], feeds: Feeds, *, one_by_one: bool
) -> Answers:
    """Return the named outputs of a graph.

    Args:
        session: What runs it.
        names: The outputs.
        feeds: The inputs for n rows.
        one_by_one: Whether it takes a single row at a time.
    """
    rows = len(next(iter(feeds.values())))
    if not one_by_one or rows == 1:
        return dict(zip(names, session.run(names, feeds), strict=True))
    each = [
        session.run(names, {name: given[row : row + 1] for name, given in feeds.items()})
        for row in range(rows)
    ]
    return {
        name: _joined(parts) for name, parts in zip(names, zip(*each, strict=True), strict=True)
    }


def _joined(parts: tuple[Any, ...]) -> Any:
    if isinstance(parts[0], list):
        return [entry for part in parts for entry in part]
    return np.concatenate([np.reshape(part, (1, -1)) for part in parts])


def _outputs_of(
    session: onnxruntime.InferenceSession, feeder: Feeder, example: pd.DataFrame | None
) -> list[GraphOutput]:
    """Return the outputs of a graph, with the sizes that it gives on its input example.

    What a graph says of its sizes is not always complete.
    """
    given = session.get_outputs()
    answers: Answers = {}
    if example is not None:
        try:
            names = [each.name for each in given]
            answers = run(session, names, feeder.feed(example), one_by_one=feeder.is_single)
        except Exception:  # noqa: BLE001 - warming up tells the user why it fails on its example
            answers = {}
    return [
        GraphOutput(
            each.name, each.type, tuple(getattr(answers.get(each.name), "shape", each.shape))
        )
        for each in given
    ]


def _kind_of(given: GraphInput) -> ColumnType:
    kinds = {
        "tensor(string)": ColumnType.STRING,
        "tensor(bool)": ColumnType.BOOLEAN,
        "tensor(int64)": ColumnType.LONG,
        "tensor(int32)": ColumnType.INTEGER,
    }
    return kinds.get(given.kind, ColumnType.DOUBLE)
