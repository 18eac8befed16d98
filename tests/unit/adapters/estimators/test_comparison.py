"""A form is refused for what it does wrong, and for nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from gql_platform.adapters.estimators.comparison import (
    DisagreementError,
    Output,
    compared,
    difference_of,
    spread_of,
)
from gql_platform.serving.ports import ClassOutput, ValueOutput
from gql_platform.serving.records import Engine
from tests.unit.adapters.estimators.fitted import DIABETES, PROGRESSION, pair_of

MANY = np.linspace(0.0, 100.0, 101)


def values(*numbers: float) -> ValueOutput:
    """Return some values."""
    return ValueOutput(np.array(numbers))


def labels(*rows: tuple[float, ...], chosen: list[int]) -> ClassOutput:
    """Return probabilities and what was chosen."""
    return ClassOutput(np.array(chosen, dtype=np.int64), np.array(rows) if rows else None)


def plus(offset: float) -> Callable[[Any], Output]:
    """Return a model that answers its rows, so far off."""
    return lambda rows: ValueOutput(np.asarray(rows, dtype=np.float64) + offset)


def failing(_: Any) -> Output:
    """Fail as models do."""
    raise ValueError("no")


class TestSpread:
    def test_it_is_the_interquartile_range(self) -> None:
        """Of 0 to 100, the middle half is 50 wide, in however many tables they come."""
        assert spread_of([ValueOutput(MANY)]) == 50.0
        assert spread_of([ValueOutput(MANY[:7]), ValueOutput(MANY[7:])]) == 50.0

    @pytest.mark.parametrize("outlier", [1e39, -1e39, np.nan, np.inf])
    def test_single_values_change_little(self, outlier: float) -> None:
        """A row that is far outside, or answered with no number, does not stretch it."""
        assert spread_of([ValueOutput(MANY), values(outlier)]) == pytest.approx(50, abs=1)

    def test_where_most_are_the_same_the_others_count(self) -> None:
        """Values of which nine in ten are 0 spread as far as the others reach."""
        mostly = np.zeros(100)
        mostly[:10] = 8.0
        assert spread_of([ValueOutput(mostly)]) == 8.0

    def test_nothing_has_none(self) -> None:
        """Neither no values nor one constant spread."""
        assert spread_of([]) == 0.0
        assert spread_of([values(3, 3, 3)]) == 0.0


class TestDifference:
    def test_of_values_is_relative_to_the_spread(self) -> None:
        """Half a unit is a hundredth of a spread of 50."""
        assert difference_of(values(1, 2), values(1, 2.5), tolerance=0, spread=50) == 0.01

    def test_of_large_values_is_relative_to_their_size(self) -> None:
        """A value of a million is measured by a thousandth of it."""
        assert difference_of(values(1e6), values(1e6 + 1), tolerance=0, spread=50) == 1e-3

    @given(
        number=st.floats(-1e6, 1e6), off=st.floats(-1e3, 1e3), factor=st.sampled_from([0.25, 4, 64])
    )
    def test_units_do_not_count(self, number: float, off: float, factor: float) -> None:
        """In other units of the target, the difference is the same."""
        first = difference_of(values(number), values(number + off), tolerance=0, spread=2)
        second = difference_of(
            values(number * factor), values((number + off) * factor), tolerance=0, spread=2 * factor
        )
        assert second == first

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
    def test_what_is_no_number_is_infinitely_far(self, wrong: float) -> None:
        """Such a value is refused in one of them, and equal in both."""
        assert difference_of(values(1), values(wrong), tolerance=0, spread=1) == np.inf
        assert difference_of(values(wrong), values(1), tolerance=0, spread=1) == np.inf
        assert difference_of(values(wrong), values(wrong), tolerance=0, spread=1) == 0.0

    def test_of_probabilities_is_absolute(self) -> None:
        """The largest difference of all probabilities counts."""
        first, second = labels((0.2, 0.8), chosen=[1]), labels((0.25, 0.75), chosen=[1])
        assert difference_of(first, second, tolerance=0.1) == pytest.approx(0.05)

    def test_of_a_single_label(self) -> None:
        """A classifier that knows one label is never wrong."""
        assert (
            difference_of(labels((1.0,), chosen=[0]), labels((1.0,), chosen=[0]), tolerance=0) == 0
        )

    def test_other_labels(self) -> None:
        """Another label is accepted where the model is undecided, and nowhere else."""
        undecided = labels((0.5, 0.5), chosen=[0])
        assert difference_of(undecided, labels((0.5, 0.5), chosen=[1]), tolerance=1e-5) == 0
        decided = labels((0.6, 0.4), chosen=[0])
        with pytest.raises(DisagreementError, match="another label for 1 rows, and is off by 0"):
            difference_of(decided, labels((0.6, 0.4), chosen=[1]), tolerance=1e-5)
        with pytest.raises(DisagreementError, match=r"^it chooses another label for 1 rows$"):
            difference_of(labels(chosen=[0]), labels(chosen=[1]), tolerance=1e-5)

    def test_other_kinds_and_shapes(self) -> None:
        """Labels are no values, and two are not three."""
        with pytest.raises(DisagreementError, match="something else"):
            difference_of(values(1), labels(chosen=[1]), tolerance=1)
        with pytest.raises(DisagreementError, match=r"answers with \(2,\), not \(1,\)"):
            difference_of(values(1), values(1, 1), tolerance=1, spread=1)


class TestCompared:
    def test_a_table_of_one_row_is_judged_by_all(self) -> None:
        """What is a small share of the spread is one in a table without any spread, too."""
        verdict = compared(plus(0), plus(1e-4), [MANY, MANY[60:61]], tolerance=1e-5)
        assert verdict.fault is None
        assert verdict.rows == 102
        assert verdict.spread == pytest.approx(50, abs=1)

    def test_a_huge_value_hides_nothing(self) -> None:
        """Beside an answer of 1e39, a form that is off by a unit is still refused."""
        verdict = compared(plus(0), plus(1), [np.append(MANY, 1e39)], tolerance=1e-5)
        assert verdict.fault is not None
        assert verdict.fault.startswith("it is off by 0.0")

    def test_a_given_spread_counts(self) -> None:
        """Rows that are near each other are judged by those around them."""
        near = np.array([5.0, 5.0])
        assert compared(plus(0), plus(1e-4), [near], tolerance=1e-5).fault is not None
        assert compared(plus(0), plus(1e-4), [near], tolerance=1e-5, spread=50).fault is None

    def test_errors(self) -> None:
        """A form may fail only where the model fails, and answer only where it answers."""
        assert compared(failing, failing, [MANY], tolerance=1).fault is None
        assert compared(failing, lambda _: None, [MANY], tolerance=1).fault is None
        assert compared(plus(0), lambda _: None, [MANY], tolerance=1).fault is None
        assert (
            compared(failing, plus(0), [MANY], tolerance=1).fault
            == "it answers where the model raises ValueError"
        )
        assert (
            compared(plus(0), failing, [MANY], tolerance=1).fault
            == "it raises ValueError where the model answers"
        )

    @pytest.mark.parametrize(
        ("estimator", "engine"),
        [(HistGradientBoostingRegressor(max_iter=30), Engine.ONNX), (Ridge(), Engine.FOLDED)],
        ids=["trees", "linear"],
    )
    def test_correct_forms_of_models_pass(self, estimator: Any, engine: Engine) -> None:
        """Probes of a single row, huge values among them, refuse no correct form."""
        _, quicker = pair_of(estimator, DIABETES, PROGRESSION)
        assert quicker.compilation.engine is engine
