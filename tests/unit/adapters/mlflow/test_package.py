"""The small files of a version are read as MLflow writes them, now and in earlier versions."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from gql_platform.adapters.mlflow.package import EXAMPLE_ROWS, package_of
from gql_platform.registry.records import Column, ColumnType, ModelPackage, Signature

FLAVOURS = {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {}}


def read_package(
    document: Mapping[str, object], files: Mapping[str, str] | None = None
) -> ModelPackage:
    """Return what an MLmodel file, and the files beside it, say."""
    described = yaml.safe_dump({"flavors": FLAVOURS} | dict(document))
    contents = {"MLmodel": described, **(files or {})}
    return package_of(lambda name: contents[name].encode())


def inputs_of(*specs: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the input columns of a signature that MLflow recorded."""
    package = read_package({"signature": {"inputs": json.dumps(specs), "outputs": None}})
    assert package.signature is not None
    return package.signature.inputs


def example_of(table: str, **info: object) -> tuple[Mapping[str, object], ...]:
    """Return the rows of an input example."""
    facts = {"type": "dataframe", "artifact_path": "input_example.json", "pandas_orient": "split"}
    document = {"saved_input_example_info": facts | info}
    return read_package(document, {"input_example.json": table}).input_example


class TestPackage:
    def test_bare_model(self) -> None:
        """A model that was logged without extras has none."""
        assert read_package({}) == ModelPackage("sklearn", None, None, ())

    def test_size(self) -> None:
        """The recorded size is that of all files."""
        assert read_package({"model_size_bytes": 1234}).size_bytes == 1234

    @pytest.mark.parametrize(
        ("flavours", "expected"),
        [
            ({"python_function": {}, "lightgbm": {}}, "lightgbm"),
            ({"onnx": {}, "python_function": {}}, "onnx"),
            ({"python_function": {}}, "python_function"),
        ],
    )
    def test_native_flavour_wins(self, flavours: Mapping[str, object], expected: str) -> None:
        """The common interface is the flavour only of models that have no other."""
        assert read_package({"flavors": flavours}).flavour == expected

    @pytest.mark.parametrize("text", ["", "- a list", "flavors: [", "signature: {}"])
    def test_what_mlflow_did_not_write_is_refused(self, text: str) -> None:
        """Other content is an error, not an empty package."""
        with pytest.raises((TypeError, KeyError, ValueError, yaml.YAMLError)):
            package_of(lambda _: text.encode())

    def test_file_cannot_make_objects(self) -> None:
        """The file is data; YAML's tags that call Python are refused."""
        with pytest.raises(yaml.YAMLError):
            package_of(lambda _: b"flavors: !!python/object/apply:os.getcwd []")


class TestSignature:
    @pytest.mark.parametrize(
        ("recorded", "expected"),
        [
            ("boolean", ColumnType.BOOLEAN),
            ("integer", ColumnType.INTEGER),
            ("long", ColumnType.LONG),
            ("float", ColumnType.FLOAT),
            ("double", ColumnType.DOUBLE),
            ("string", ColumnType.STRING),
            ("datetime", ColumnType.DATETIME),
            ("binary", ColumnType.UNKNOWN),
            ("array", ColumnType.UNKNOWN),
            ("object", ColumnType.UNKNOWN),
            ("map", ColumnType.UNKNOWN),
            ("any", ColumnType.UNKNOWN),
            ("unknown", ColumnType.UNKNOWN),
        ],
    )
    def test_types(self, recorded: str, expected: ColumnType) -> None:
        """Each type of MLflow's is ours, or is known not to be served."""
        assert inputs_of({"type": recorded, "name": "a", "required": True}) == (
            Column("a", expected, required=True),
        )

    @pytest.mark.parametrize(
        ("spec", "required"),
        [
            ({"required": True}, True),
            ({"required": False}, False),
            ({"optional": True}, False),
            ({}, True),
        ],
    )
    def test_required(self, spec: Mapping[str, bool], required: bool) -> None:
        """Whether a column may miss values was recorded in two ways over the years."""
        (column,) = inputs_of({"type": "double", "name": "a", **spec})
        assert column.required is required

    def test_tensors(self) -> None:
        """A tensor is a column of a type that is not served, with a name if it has one."""
        spec = {"dtype": "float64", "shape": [-1, 4]}
        assert inputs_of(
            {"type": "tensor", "tensor-spec": spec},
            {"type": "tensor", "name": "image", "tensor-spec": spec},
        ) == (
            Column("", ColumnType.UNKNOWN, required=True),
            Column("image", ColumnType.UNKNOWN, required=True),
        )

    def test_numbers_for_names(self) -> None:
        """Columns of a table that had numbers for names are called by them."""
        columns = inputs_of({"type": "double", "name": 0}, {"type": "double", "name": 1})
        assert [column.name for column in columns] == ["0", "1"]

    def test_only_outputs(self) -> None:
        """A signature may know one side alone."""
        outputs = json.dumps([{"type": "string"}])
        package = read_package({"signature": {"inputs": None, "outputs": outputs, "params": None}})
        assert package.signature == Signature((), (Column("", ColumnType.STRING, required=True),))


class TestExample:
    def test_rows_by_column_name(self) -> None:
        """The table becomes rows of plain values."""
        table = '{"columns": ["a", "when"], "data": [[1.5, "2026-01-01T00:00:00"], [2, null]]}'
        assert example_of(table) == (
            {"a": 1.5, "when": "2026-01-01T00:00:00"},
            {"a": 2, "when": None},
        )

    def test_only_the_first_rows_are_kept(self) -> None:
        """An example may be a whole data set."""
        table = json.dumps({"columns": ["a"], "data": [[number] for number in range(100)]})
        assert [row["a"] for row in example_of(table)] == list(range(EXAMPLE_ROWS))

    def test_nan_is_a_missing_value(self) -> None:
        """What is no JSON does not get through to those who expect JSON."""
        table = '{"columns": ["a", "b"], "data": [[NaN, Infinity]]}'
        assert example_of(table) == ({"a": None, "b": None},)

    def test_rows_beside_params(self) -> None:
        """With params the rows lie one level deeper."""
        table = '{"inputs": {"columns": ["a"], "data": [[1]]}, "params": {"top": 3}}'
        assert example_of(table, params=True) == ({"a": 1},)

    @pytest.mark.parametrize("kind", ["ndarray", "json_object", "sparse_matrix_csr"])
    def test_what_is_no_table_is_left_out(self, kind: str) -> None:
        """Other examples have no columns to go by; their file is not even read."""
        info = {"saved_input_example_info": {"type": kind, "artifact_path": "not there"}}
        assert read_package(info).input_example == ()

    def test_ragged_table_is_refused(self) -> None:
        """A row of another length is an error."""
        with pytest.raises(ValueError, match="shorter"):
            example_of('{"columns": ["a", "b"], "data": [[1]]}')
