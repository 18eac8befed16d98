"""ONNX graphs answer as the models that they were made of, or are refused with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

from gql_platform.adapters.onnx.predictor import GraphPredictor, columns_of, graph_predictor
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import ModelPackage
from gql_platform.serving.ports import ClassOutput, ValueOutput
from gql_platform.serving.records import Task
from tests.unit.adapters.mlflow.versions import package_for, version_of

X, CODES = load_iris(return_X_y=True, as_frame=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[CODES]
ROWS = X.to_numpy(dtype=np.float32)
PAIR = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})


def load(path: Path, graph: Any, package: ModelPackage) -> GraphPredictor:
    """Write a graph to a file, and load it."""
    path.write_bytes(graph.SerializeToString())
    return graph_predictor(path, version_of("graph"), package)


def graph_of(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: Any = ()) -> Any:
    """Return a model with one graph."""
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def tensor(name: str, shape: list[Any], kind: int = TensorProto.FLOAT) -> Any:
    """Return the description of an input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file for a graph, in a folder of its own."""
    (tmp_path / "model").mkdir()
    return tmp_path / "model" / "model.onnx"


class TestClassifiers:
    @pytest.mark.parametrize("zipmap", [True, False], ids=["maps", "matrix"])
    @pytest.mark.parametrize("target", [NAMES, CODES.to_numpy()], ids=["names", "numbers"])
    @pytest.mark.parametrize("estimator", [LogisticRegression(max_iter=900), GaussianNB()])
    def test_of_sklearn(self, path: Path, estimator: Any, target: Any, zipmap: bool) -> None:
        """Labels and probabilities of a converted classifier are those of the classifier."""
        estimator.fit(ROWS, target)
        graph = to_onnx(estimator, ROWS[:1], options={"zipmap": zipmap})
        predictor = load(path, graph, package_for(X))
        output = predictor.predict(X)
        assert predictor.task is Task.CLASSIFICATION
        assert predictor.labels == tuple(str(label) for label in estimator.classes_)
        assert isinstance(output, ClassOutput)
        assert output.probabilities is not None
        labels = [predictor.labels[index] for index in output.chosen]
        assert labels == [str(label) for label in estimator.predict(ROWS)]
        np.testing.assert_allclose(output.probabilities, estimator.predict_proba(ROWS), atol=1e-4)
        again = predictor.predict(X.to_numpy())
        assert predictor.takes_arrays
        assert isinstance(again, ClassOutput)
        np.testing.assert_array_equal(again.probabilities, output.probabilities)

    def test_softmax(self, path: Path) -> None:
        """A softmax is a classifier whose labels are the numbers of its columns."""
        node = helper.make_node("Softmax", ["x"], ["p"], axis=1)
        graph = graph_of([node], [tensor("x", ["n", 2])], [tensor("p", ["n", 2])])
        predictor = load(path, graph, package_for(PAIR))
        output = predictor.predict(PAIR)
        assert isinstance(output, ClassOutput)
        assert predictor.labels == ("0", "1")
        np.testing.assert_array_equal(output.chosen, [1, 1])


class TestRegressors:
    def test_of_sklearn(self, path: Path) -> None:
        """Values of a converted regressor are those of the regressor, to float32."""
        estimator = LinearRegression().fit(ROWS, CODES)
        predictor = load(path, to_onnx(estimator, ROWS[:1]), package_for(X))
        output = predictor.predict(X)
        assert predictor.task is Task.REGRESSION
        assert isinstance(output, ValueOutput)
        np.testing.assert_allclose(output.values, estimator.predict(ROWS), atol=1e-4)

    def test_columns_of_types(self, path: Path) -> None:
        """An input for each column gets the values of that column, in its own type."""
        nodes = [
            helper.make_node("Cast", ["b"], ["c"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["a", "c"], ["y"]),
        ]
        inputs = [tensor("b", ["n", 1], TensorProto.INT64), tensor("a", ["n", 1])]
        predictor = load(path, graph_of(nodes, inputs, [tensor("y", ["n", 1])]), package_for(PAIR))
        output = predictor.predict(PAIR)
        assert isinstance(output, ValueOutput)
        np.testing.assert_array_equal(output.values, [4.0, 6.0])
        assert [column.name for column in columns_of(path)] == ["b", "a"]

    def test_one_row_at_a_time(self, path: Path) -> None:
        """A graph that takes a single row is asked row by row."""
        node = helper.make_node("ReduceSum", ["x"], ["y"], keepdims=1, noop_with_empty_axes=0)
        graph = graph_of([node], [tensor("x", [1, 2])], [tensor("y", [1, 1])])
        output = load(path, graph, package_for(PAIR)).predict(PAIR)
        assert isinstance(output, ValueOutput)
        np.testing.assert_array_equal(output.values, [4.0, 6.0])

    def test_too_large(self, path: Path) -> None:
        """A number that float32 does not hold is refused, and not taken for infinite."""
        estimator = LinearRegression().fit(ROWS, CODES)
        predictor = load(path, to_onnx(estimator, ROWS[:1]), package_for(X))
        with pytest.raises(ValueError, match="does not fit into float32"):
            predictor.predict(np.full((1, 4), 1e300))


class TestRefusals:
    def test_width(self, path: Path) -> None:
        """A graph that takes another number of columns than its signature does not load."""
        estimator = LinearRegression().fit(ROWS, CODES)
        with pytest.raises(ModelLoadError, match="takes 4 columns, and its signature has 2"):
            load(path, to_onnx(estimator, ROWS[:1]), package_for(PAIR))

    def test_names(self, path: Path) -> None:
        """A graph with inputs that are no columns does not load, and both are named."""
        node = helper.make_node("Add", ["a", "z"], ["y"])
        graph = graph_of([node], [tensor("a", ["n"]), tensor("z", ["n"])], [tensor("y", ["n"])])
        with pytest.raises(ModelLoadError, match=r"columns \['b'\].* inputs \['z'\]"):
            load(path, graph, package_for(PAIR))

    def test_types(self, path: Path) -> None:
        """A column of text does not go into an input of numbers."""
        frame = pd.DataFrame({"a": [1.0], "b": ["text"]})
        node = helper.make_node("Softmax", ["x"], ["y"])
        graph = graph_of([node], [tensor("x", ["n", 2])], [tensor("y", ["n", 2])])
        with pytest.raises(ModelLoadError, match="the column 'b' of its signature is STRING"):
            load(path, graph, package_for(frame))

    def test_many_outputs(self, path: Path) -> None:
        """Several numbers for each row are not served."""
        node = helper.make_node("Neg", ["x"], ["y"])
        graph = graph_of([node], [tensor("x", ["n", 2])], [tensor("y", ["n", 2])])
        with pytest.raises(UnsupportedModelError, match=r"its outputs are 'y'"):
            load(path, graph, package_for(PAIR))

    def test_no_graph(self, path: Path) -> None:
        """A file that is no graph, such as a pickle, is never read as anything else."""
        path.write_bytes(b"\x80\x04\x95")
        with pytest.raises(ModelLoadError, match="its graph does not load"):
            graph_predictor(path, version_of("graph"), package_for(PAIR))


class TestExternalData:
    """Weights in files beside the graph."""

    def weights(self, location: str, real: Path) -> Any:
        """Return a graph whose weights stand in another file."""
        values = np.arange(64, dtype=np.float32).reshape(2, 32)
        stored = numpy_helper.from_array(values, "w")
        real.write_bytes(stored.raw_data)
        set_external_data(stored, location)
        stored.ClearField("raw_data")
        nodes = [
            helper.make_node("MatMul", ["x", "w"], ["z"]),
            helper.make_node("ReduceMax", ["z", "axes"], ["y"], keepdims=1),
        ]
        axes = numpy_helper.from_array(np.array([1]), "axes")
        return graph_of(nodes, [tensor("x", ["n", 2])], [tensor("y", ["n", 1])], [stored, axes])

    def test_beside_the_graph(self, path: Path) -> None:
        """Weights beside the graph are read."""
        graph = self.weights("w.bin", path.parent / "w.bin")
        output = load(path, graph, package_for(PAIR)).predict(PAIR)
        assert isinstance(output, ValueOutput)
        np.testing.assert_array_equal(output.values, [31 + 63 * 3, 31 * 2 + 63 * 4])

    @pytest.mark.parametrize("how", ["parent", "absolute", "link"])
    def test_outside_of_the_folder(self, path: Path, how: str) -> None:
        """Weights outside of the model's folder are not read, however they are named."""
        real = path.parent.parent / "secret.bin"
        locations = {"parent": "../secret.bin", "absolute": str(real), "link": "link.bin"}
        if how == "link":
            (path.parent / "link.bin").symlink_to(real)
        graph = self.weights(locations[how], real)
        with pytest.raises(ModelLoadError, match=r"its graph does not load: .*[Ee]xternal"):
            load(path, graph, package_for(PAIR))


def test_columns_of_a_matrix(path: Path) -> None:
    """The columns of a single input are numbered."""
    path.write_bytes(
        onnx.load_from_string(
            to_onnx(LinearRegression().fit(ROWS, CODES), ROWS[:1]).SerializeToString()
        ).SerializeToString()
    )
    assert [column.name for column in columns_of(path)] == [f"feature_{n}" for n in range(4)]
