"""The outputs of an ONNX graph as answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, helper, numpy_helper

from gql_platform.serving.ports import ClassOutput, ValueOutput
from gql_platform.serving.records import Task

_CLASS_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
"""Attributes of the operators of ``ai.onnx.ml`` that name the labels of a classifier."""

_LABEL_TYPES = frozenset({"tensor(string)", "tensor(int64)", "tensor(int32)"})
_NUMBER_TYPES = frozenset({"tensor(float)", "tensor(double)", "tensor(int64)", "tensor(int32)"})
_MAPS = "seq(map("

Label: TypeAlias = str | int
Answers: TypeAlias = Mapping[str, Any]
"""What a graph computed, by the names of its outputs: arrays, or lists of dictionaries."""


@dataclass(frozen=True, slots=True)
class GraphOutput:
    """An output of a graph.

    Attributes:
        name: Its name.
        type: Its type as onnxruntime writes it.
        shape: The sizes of what it gave when it was tried, else those that the graph names.
    """

    name: str
    type: str
    shape: tuple[int | str | None, ...]

    @property
    def is_column(self) -> bool:
        """Whether it gives one value for each row."""
        return len(self.shape) == 1 or (len(self.shape) == 2 and self.shape[1] == 1)


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Read the numbers of a regressor.

    Attributes:
        output: The output that has them.
    """

    output: str
    labels: tuple[Label, ...] = ()
    task: Task = Task.REGRESSION

    @property
    def names(self) -> list[str]:
        """The outputs that are read."""
        return [self.output]

    def read(self, answers: Answers) -> ValueOutput:
        """Return what a graph computed for n rows."""
        return ValueOutput(np.asarray(answers[self.output], dtype=np.float64).reshape(-1))


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Read the labels of a classifier.

    Attributes:
        labels: The k labels, in the order of the probabilities.
        chosen: The output with the label of each row; None where the most probable one is it.
        probabilities: The output with them: shape (n, k), or a dictionary for each row; None where
            there are none.
    """

    labels: tuple[Label, ...]
    chosen: str | None
    probabilities: str | None
    task: Task = Task.CLASSIFICATION

    @property
    def names(self) -> list[str]:
        """The outputs that are read."""
        return [name for name in (self.chosen, self.probabilities) if name is not None]

    def read(self, answers: Answers) -> ClassOutput:
        """Return what a graph computed for n rows.

        Raises:
            KeyError: If it chose a label that it does not name.
        """
        probabilities = None
        if self.probabilities is not None:
            probabilities = self._matrix(answers[self.probabilities])
        if self.chosen is None:
            assert probabilities is not None  # noqa: S101 - one of both is there
            return ClassOutput(probabilities.argmax(axis=1), probabilities)
        index = {label: place for place, label in enumerate(self.labels)}
        listed = np.asarray(answers[self.chosen]).reshape(-1).tolist()
        return ClassOutput(np.array([index[label] for label in listed], np.int64), probabilities)

    def _matrix(self, given: Any) -> npt.NDArray[np.float64]:
        if isinstance(given, list):
            given = [[row[label] for label in self.labels] for row in given]
        return np.asarray(given, dtype=np.float64)


Reader: TypeAlias = ValueReader | LabelReader


def reader_of(outputs: Sequence[GraphOutput], graph: ModelProto) -> Reader:
    """Return how the outputs of a graph are read.

    Args:
        outputs: The outputs.
        graph: The graph, without its weights.

    Raises:
        ValueError: If they are neither a label with or without probabilities, nor one number for
            each row; the message is a clause that says what they are.
    """
    maps = next((each for each in outputs if each.type.startswith(_MAPS)), None)
    matrix = next((each for each in outputs if _is_matrix(each)), None)
    probabilities = maps or matrix
    others = [each for each in outputs if each is not probabilities]
    if len(others) == 1 and others[0].is_column and others[0].type in _LABEL_TYPES:
        labels = _labels_of(graph, _width_of(matrix), others[0])
        if probabilities is not None:
            return LabelReader(labels, others[0].name, probabilities.name)
        if labels:
            return LabelReader(labels, others[0].name, None)
    if len(outputs) == 1 and outputs[0].is_column and outputs[0].type in _NUMBER_TYPES:
        return ValueReader(outputs[0].name)
    if not others and matrix is not None and _is_softmax(graph, matrix.name):
        labels = _named_labels(graph, _width_of(matrix)) or _numbers(_width_of(matrix))
        if labels:
            return LabelReader(labels, None, matrix.name)
    found = ", ".join(f"{each.name!r} ({each.type} of {list(each.shape)})" for each in outputs)
    raise ValueError(
        f"its outputs are {found}; a label of each row with its probabilities is served, or one "
        "number for each row, or a softmax over the labels."
    )


def _is_matrix(output: GraphOutput) -> bool:
    is_float = output.type in ("tensor(float)", "tensor(double)")
    return is_float and len(output.shape) == 2 and output.shape[1] != 1


def _width_of(matrix: GraphOutput | None) -> int | None:
    width = matrix.shape[1] if matrix is not None else None
    return width if isinstance(width, int) else None


def _labels_of(graph: ModelProto, width: int | None, chosen: GraphOutput) -> tuple[Label, ...]:
    """Return a classifier's labels; numbers from 0 on where nothing names them."""
    named = _named_labels(graph, width)
    is_text = chosen.type == "tensor(string)"
    if named and isinstance(named[0], str) is is_text:
        return named
    if is_text:
        raise ValueError("its graph does not name the labels that its classifier knows.")
    return _numbers(width)


def _numbers(width: int | None) -> tuple[Label, ...]:
    return tuple(range(width or 0))


def _named_labels(graph: ModelProto, width: int | None) -> tuple[Label, ...]:
    """Return the labels that the last operator names that names as many as there are."""
    found = [*_labels_in_nodes(graph.graph.node), *_labels_in_tables(graph)]
    fitting = [labels for labels in found if width is None or len(labels) == width]
    return fitting[0] if fitting else ()


def _labels_in_nodes(nodes: Sequence[NodeProto]) -> Iterator[tuple[Label, ...]]:
    for node in reversed(nodes):
        for attribute in node.attribute:
            if attribute.name in _CLASS_LABELS:
                values = helper.get_attribute_value(attribute)
                if values:
                    yield tuple(
                        each.decode() if isinstance(each, bytes) else each for each in values
                    )


def _labels_in_tables(graph: ModelProto) -> Iterator[tuple[Label, ...]]:
    """Yield the labels that a graph looks up by their index."""
    looked_up = {
        node.input[0] for node in graph.graph.node if node.op_type == "ArrayFeatureExtractor"
    }
    for table in graph.graph.initializer:
        if table.name in looked_up and not table.external_data:
            values = numpy_helper.to_array(table).reshape(-1)
            if values.dtype.kind in "OSUi":
                yield tuple(
                    each.decode() if isinstance(each, bytes) else each for each in values.tolist()
                )


def _is_softmax(graph: ModelProto, output: str) -> bool:
    return any(node.op_type == "Softmax" and output in node.output for node in graph.graph.node)
