"""A version must have a usable signature, and pass its own input example."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gql_platform.adapters.forecasters.steps import STEP_SIGNATURE, StepForecaster
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import Column, ColumnType, ModelPackage, ModelVersion, Signature
from gql_platform.serving.ports import Table, ValueOutput
from gql_platform.serving.records import NATIVE, Task
from gql_platform.serving.warmup import check_signature, warm_up
from gql_platform.testing import HOUSE_PACKAGE, InMemoryStore, LinearRegressor, columns_of

VERSION: ModelVersion = InMemoryStore().add_version("house", package=HOUSE_PACKAGE)
ALL_TYPES = columns_of(
    {f"a {kind.value}": kind for kind in ColumnType if kind is not ColumnType.UNKNOWN}
)


class Recorder:
    """A predictor that keeps what it was asked, or fails."""

    task = Task.REGRESSION
    labels: tuple[str, ...] = ()
    takes_arrays = False
    compilation = NATIVE

    def __init__(self, error: Exception | None = None) -> None:
        self.frames: list[pd.DataFrame] = []
        self._error = error

    def predict(self, rows: Table) -> ValueOutput:
        """Keep the rows, and answer or fail."""
        assert isinstance(rows, pd.DataFrame)
        frame = rows
        self.frames.append(frame)
        if self._error is not None:
            raise self._error
        return ValueOutput(frame.index.to_numpy(dtype="float64"))

    def close(self) -> None:
        """It holds nothing."""


def package_of(signature: Signature | None, *example: dict[str, object]) -> ModelPackage:
    """Return the package of a version with that signature and input example."""
    return dataclasses.replace(HOUSE_PACKAGE, signature=signature, input_example=example)


class TestCheckSignature:
    def test_usable_signature_is_returned(self) -> None:
        """A signature with named columns of served types passes."""
        assert check_signature(VERSION, HOUSE_PACKAGE) is HOUSE_PACKAGE.signature

    @pytest.mark.parametrize(
        ("signature", "reason"),
        [
            (None, "it has no input signature; log it with infer_signature(X, y)."),
            (
                Signature((), columns_of({"y": ColumnType.DOUBLE})),
                "it has no input signature; log it with infer_signature(X, y).",
            ),
            (
                Signature(columns_of({"a": ColumnType.DOUBLE, "b": ColumnType.UNKNOWN}), ()),
                "its signature has columns of types that are not served: b.",
            ),
            (
                Signature((Column("", ColumnType.DOUBLE, required=True),), ()),
                "its signature has columns without names; log it from a pandas.DataFrame.",
            ),
        ],
    )
    def test_unusable_signature_is_refused(self, signature: Signature | None, reason: str) -> None:
        """Without names and types there is nothing to check rows against."""
        with pytest.raises(UnsupportedModelError) as caught:
            check_signature(VERSION, package_of(signature))
        assert caught.value.data == {"name": "house", "version": 1, "reason": reason}


class TestWarmUp:
    signature = Signature(columns_of({"a a": ColumnType.LONG}), ())

    def test_input_example_is_predicted(self) -> None:
        """The model predicts all rows of its own example first."""
        predictor = Recorder()
        warm_up(predictor, VERSION, package_of(self.signature, {"a a": 1}, {"a a": 2}))
        frame = predictor.frames[0]
        pd.testing.assert_frame_equal(frame, pd.DataFrame({"a a": [1, 2]}))

    def test_neutral_row_is_predicted_without_an_example(self) -> None:
        """A model without example gets one row with a neutral value of each type."""
        predictor = Recorder()
        warm_up(predictor, VERSION, package_of(Signature(ALL_TYPES, ())))
        frame = predictor.frames[0]
        assert frame.iloc[0].to_dict() == {
            "a BOOLEAN": False,
            "a INTEGER": 0,
            "a LONG": 0,
            "a FLOAT": 0.0,
            "a DOUBLE": 0.0,
            "a STRING": "",
            "a DATETIME": pd.Timestamp("1970-01-01"),
        }

    def test_neutral_row_lies_in_the_ranges_of_the_model(self) -> None:
        """A model that answers some values only is tried, and timed, with the least of these."""
        forecaster = StepForecaster(np.arange(3.0), None)
        assert warm_up(forecaster, VERSION, package_of(STEP_SIGNATURE)) is not None

    def test_example_out_of_range_is_refused(self) -> None:
        """An example that the model does not answer says so, before the model computes."""
        forecaster = StepForecaster(np.arange(3.0), None)
        with pytest.raises(UnsupportedModelError, match="Expected a whole number from 1 to 3"):
            warm_up(forecaster, VERSION, package_of(STEP_SIGNATURE, {"step": 4}))

    def test_calls_of_one_and_of_32_rows_are_timed(self) -> None:
        """The rows of the example are repeated, and the shortest call counts."""
        predictor = Recorder()
        speed = warm_up(predictor, VERSION, package_of(self.signature, {"a a": 1}, {"a a": 2}))
        assert {len(frame) for frame in predictor.frames[1:]} == {1, 32}
        assert predictor.frames[-1]["a a"].tolist() == [1, 2] * 16
        assert speed is not None
        assert 0 < speed.one_row_us < 1e6
        assert 0 < speed.thirty_two_rows_us < 1e6

    def test_neutral_row_may_be_refused(self) -> None:
        """A row that we made up says nothing against a model that fails on it."""
        predictor = Recorder(ValueError("unknown category ''"))
        warm_up(predictor, VERSION, package_of(self.signature))
        assert len(predictor.frames) == 1

    def test_example_that_does_not_fit_is_refused(self) -> None:
        """A model whose example does not fit its signature was logged wrong."""
        with pytest.raises(UnsupportedModelError) as caught:
            warm_up(Recorder(), VERSION, package_of(self.signature, {"a a": "x"}))
        assert caught.value.reason == (
            "its input example does not fit its signature: 1 value does not fit the signature of "
            "'house'; row 0, column 'a a': The value is text ('x'). Expected a whole number of 64 "
            "bits."
        )

    def test_model_that_fails_on_its_example_is_refused(self) -> None:
        """A model that cannot predict its own example is not served."""
        with pytest.raises(ModelLoadError) as caught:
            warm_up(Recorder(KeyError("b")), VERSION, package_of(self.signature, {"a a": 1}))
        assert caught.value.reason == "it fails on its own input example: KeyError: 'b'"

    def test_unusable_signature_is_refused_before_the_model_runs(self) -> None:
        """Nothing is predicted without a signature."""
        predictor = Recorder()
        with pytest.raises(UnsupportedModelError):
            warm_up(predictor, VERSION, package_of(None))
        assert predictor.frames == []

    def test_real_predictor_passes(self) -> None:
        """A linear model takes the neutral row of its signature."""
        warm_up(LinearRegressor([1.0, 2.0, 3.0]), VERSION, HOUSE_PACKAGE)
