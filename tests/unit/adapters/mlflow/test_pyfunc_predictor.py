"""Models of other flavours are served when they answer with one number for each row."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

from gql_platform.adapters.mlflow.pyfunc_predictor import numbers_of, pyfunc_predictor
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import Column, ColumnType
from gql_platform.serving.records import Task
from tests.unit.adapters.mlflow.versions import package_for, version_of

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6]})


class Model:
    """What MLflow loads, as far as it is used."""

    def __init__(self, predict: Callable[[pd.DataFrame], object]) -> None:
        self._predict = predict

    def predict(self, frame: pd.DataFrame) -> object:
        """Return what was given."""
        return self._predict(frame)


def wrapped(
    predict: Callable[[pd.DataFrame], object],
    *,
    outputs: tuple[Column, ...] = (),
    has_example: bool = True,
) -> Any:
    """Return the predictor over a function."""
    package = package_for(FRAME, flavour="lightgbm", outputs=outputs, has_example=has_example)
    return pyfunc_predictor(cast("PyFuncModel", Model(predict)), version_of("model"), package)


def output_of(kind: ColumnType) -> tuple[Column, ...]:
    """Return the output of a signature with one column."""
    return (Column("y", kind, required=True),)


class TestNumbers:
    @pytest.mark.parametrize(
        "answer",
        [
            np.array([1.5, 2.5]),
            np.array([[1.5], [2.5]], dtype=np.float32),
            pd.Series([1.5, 2.5], index=["x", "y"]),
            pd.DataFrame({"y": [1.5, 2.5]}),
            [1.5, 2.5],
        ],
        ids=["array", "column", "series", "table", "list"],
    )
    def test_one_for_each_row(self, answer: object) -> None:
        """Whatever holds them, the numbers come as one array."""
        numbers = numbers_of(answer)
        assert numbers.dtype == np.dtype("float64")
        assert numbers.tolist() == [1.5, 2.5]

    def test_whole_numbers(self) -> None:
        """Whole numbers are numbers."""
        assert numbers_of(np.array([1, 2], dtype=np.int8)).tolist() == [1.0, 2.0]

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (np.zeros((2, 3)), "it answers with ndarray of 2 x 3"),
            (pd.DataFrame({"a": [1.0], "b": [2.0]}), "it answers with DataFrame of 1 x 2"),
            (7.5, "it answers with float of a single value"),
            ({"y": [1.0]}, "it answers with dict of a single value"),
            (["cat", "dog"], "it answers with values of type <U3"),
            (pd.Series(["cat", "dog"]), "it answers with values of type object"),
            (np.array([True, False]), "it answers with values of type bool"),
        ],
    )
    def test_anything_else_is_refused(self, answer: object, reason: str) -> None:
        """What is no number for each row is described."""
        with pytest.raises(TypeError) as caught:
            numbers_of(answer)
        assert str(caught.value) == reason


class TestPredictor:
    def test_predicts_numbers(self) -> None:
        """It computes what the model computes, and has no labels."""
        predictor = wrapped(lambda frame: frame["a"] * 2)
        assert (predictor.task, predictor.labels) == (Task.REGRESSION, ())
        assert predictor.predict(FRAME).values.tolist() == [2.0, 4.0, 6.0]

    def test_example_has_the_types_of_the_signature(self) -> None:
        """The model sees its example as it will see requests."""
        seen: list[pd.DataFrame] = []

        def predict(frame: pd.DataFrame) -> object:
            seen.append(frame)
            return frame["a"]

        wrapped(predict)
        pd.testing.assert_frame_equal(seen[0], FRAME.head(2))

    def test_text_is_not_served(self) -> None:
        """A classifier's labels are not known beforehand."""
        with pytest.raises(UnsupportedModelError) as caught:
            wrapped(lambda frame: ["cat"] * len(frame))
        assert caught.value.reason == (
            "a model of flavour 'lightgbm' must answer with numbers, but it answers with values "
            "of type <U3."
        )

    def test_failure_on_its_example(self) -> None:
        """A model that fails on its own example is not loaded, and the reason is chained."""
        with pytest.raises(ModelLoadError, match="ZeroDivisionError") as caught:
            wrapped(lambda _: 1 / 0)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    @pytest.mark.parametrize(
        "kind", [ColumnType.INTEGER, ColumnType.LONG, ColumnType.FLOAT, ColumnType.DOUBLE]
    )
    def test_signature_decides_without_an_example(self, kind: ColumnType) -> None:
        """Without an example the signature's word is taken; the model is not tried."""
        predictor = wrapped(
            lambda frame: frame["a"] / len(frame), outputs=output_of(kind), has_example=False
        )
        assert predictor.task is Task.REGRESSION

    @pytest.mark.parametrize(
        "outputs",
        [
            (),
            output_of(ColumnType.STRING),
            output_of(ColumnType.BOOLEAN),
            output_of(ColumnType.UNKNOWN),
            output_of(ColumnType.DOUBLE) * 2,
        ],
    )
    def test_nothing_shows_that_it_answers_with_numbers(self, outputs: tuple[Column, ...]) -> None:
        """Without an example and without the signature's word, the advice is to add one."""
        with pytest.raises(UnsupportedModelError, match="log it with an input_example"):
            wrapped(lambda frame: frame["a"], outputs=outputs, has_example=False)
