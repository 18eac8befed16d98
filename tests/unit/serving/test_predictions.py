"""Arrays become predictions, and arrays that cannot are told apart."""

import numpy as np
import pytest

from gql_platform.serving.ports import ClassOutput, ForecastOutput, Output, ValueOutput
from gql_platform.serving.predictions import fault_of, predictions_of
from gql_platform.serving.records import (
    ClassPrediction,
    ForecastPrediction,
    LabelProbability,
    ValuePrediction,
)

LABELS = ("red", "green", "blue")
CHOSEN = np.array([2, 0])
PROBABILITIES = np.array([[0.25, 0.25, 0.5], [0.75, 0.125, 0.125]])


class TestPredictionsOf:
    def test_classifier_with_probabilities(self) -> None:
        """A label comes with its own probability and with that of all others."""
        found = predictions_of(ClassOutput(CHOSEN, PROBABILITIES), LABELS)
        assert found == (
            ClassPrediction(
                "blue",
                0.5,
                (
                    LabelProbability("red", 0.25),
                    LabelProbability("green", 0.25),
                    LabelProbability("blue", 0.5),
                ),
            ),
            ClassPrediction(
                "red",
                0.75,
                (
                    LabelProbability("red", 0.75),
                    LabelProbability("green", 0.125),
                    LabelProbability("blue", 0.125),
                ),
            ),
        )

    def test_classifier_without_probabilities(self) -> None:
        """A model that only names labels leaves probabilities out."""
        found = predictions_of(ClassOutput(CHOSEN, None), LABELS)
        assert found == (ClassPrediction("blue", None, ()), ClassPrediction("red", None, ()))

    def test_label_need_not_be_the_most_probable(self) -> None:
        """The model's choice stands, with the probability of the label that it chose."""
        (found,) = predictions_of(ClassOutput(np.array([1]), PROBABILITIES[:1]), LABELS)
        assert isinstance(found, ClassPrediction)
        assert (found.label, found.probability) == ("green", 0.25)

    def test_regressor(self) -> None:
        """Each value is a plain float."""
        found = predictions_of(ValueOutput(np.array([1.5, -2.0])), ())
        assert found == (ValuePrediction(1.5), ValuePrediction(-2.0))
        assert all(type(p) is ValuePrediction and type(p.value) is float for p in found)

    def test_numbers_are_plain(self) -> None:
        """No numpy type leaves the service."""
        (found, _) = predictions_of(ClassOutput(CHOSEN, PROBABILITIES), LABELS)
        assert isinstance(found, ClassPrediction)
        assert type(found.probability) is float
        assert all(type(entry.probability) is float for entry in found.probabilities)


class TestFaultOf:
    @pytest.mark.parametrize(
        "output",
        [
            ClassOutput(CHOSEN, PROBABILITIES),
            ClassOutput(CHOSEN, None),
            ValueOutput(np.array([1.0, 2.0])),
        ],
    )
    def test_good_arrays_have_none(self, output: Output) -> None:
        """Arrays of the right shape with finite numbers are taken."""
        assert fault_of(output, rows=2, labels=3) is None

    @pytest.mark.parametrize(
        ("output", "fault"),
        [
            (ValueOutput(np.array([1.0])), "it returned 1 answers for 2 rows."),
            (ValueOutput(np.ones((2, 1))), "it returned 2 x 1 answers for 2 rows."),
            (
                ValueOutput(np.array([1.0, np.nan])),
                "it returned values that are not finite numbers.",
            ),
            (
                ValueOutput(np.array([1.0, np.inf])),
                "it returned values that are not finite numbers.",
            ),
            (ClassOutput(np.array([1, 2, 0]), None), "it returned 3 answers for 2 rows."),
            (ClassOutput(np.array([0, 3]), None), "it chose a label that is not among its 3."),
            (ClassOutput(np.array([0, -1]), None), "it chose a label that is not among its 3."),
            (
                ClassOutput(CHOSEN, PROBABILITIES[:1]),
                "it returned 1 x 3 probabilities for 2 rows and 3 labels.",
            ),
            (
                ClassOutput(CHOSEN, PROBABILITIES[:, :2]),
                "it returned 2 x 2 probabilities for 2 rows and 3 labels.",
            ),
            (
                ClassOutput(CHOSEN, PROBABILITIES * np.nan),
                "it returned values that are not finite numbers.",
            ),
        ],
    )
    def test_bad_arrays_are_told(self, output: Output, fault: str) -> None:
        """What does not answer the rows is said as a clause for the error."""
        assert fault_of(output, rows=2, labels=3) == fault


class TestForecasts:
    VALUES = np.array([1.0, 2.0])

    def test_intervals(self) -> None:
        """An end that is not a number is not known."""
        output = ForecastOutput(self.VALUES, np.array([0.5, np.nan]), np.array([1.5, np.inf]))
        assert predictions_of(output, ()) == (
            ForecastPrediction(1.0, 0.5, 1.5),
            ForecastPrediction(2.0, None, None),
        )
        assert fault_of(output, rows=2, labels=0) is None

    def test_no_intervals(self) -> None:
        """Without intervals, both ends are null."""
        found = predictions_of(ForecastOutput(self.VALUES, None, None), ())
        assert found == (ForecastPrediction(1.0, None, None), ForecastPrediction(2.0, None, None))

    def test_faults(self) -> None:
        """Half an interval, ends for other rows and values that are not finite are faults."""
        half = ForecastOutput(self.VALUES, self.VALUES, None)
        short = ForecastOutput(self.VALUES, self.VALUES[:1], self.VALUES)
        endless = ForecastOutput(self.VALUES * np.inf, None, None)
        assert fault_of(half, rows=2, labels=0) == "it returned intervals with one end."
        assert fault_of(short, rows=2, labels=0) == "it returned 1 ends of intervals for 2 rows."
        assert (
            fault_of(endless, rows=2, labels=0) == "it returned values that are not finite numbers."
        )
