"""The small models really compute, as scikit-learn does with the same weights."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression

from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import VersionRef
from gql_platform.serving.ports import ModelLoader, Predictor
from gql_platform.serving.records import Task
from gql_platform.testing import (
    HOUSE_PACKAGE,
    InMemoryLoader,
    InMemoryStore,
    LinearClassifier,
    LinearRegressor,
)

WEIGHTS = np.array([[1.0, -2.0], [0.5, 0.25], [-1.0, 3.0]])
INTERCEPTS = np.array([0.1, 0.0, -0.5])
NUMBERS = st.floats(-1e6, 1e6)


class TestLinearClassifier:
    def test_probabilities_are_those_of_scikit_learn(self) -> None:
        """With the same weights, a multinomial logistic regression says the same."""
        theirs = LogisticRegression()
        theirs.classes_ = np.array(["a", "b", "c"])
        theirs.coef_, theirs.intercept_ = WEIGHTS, INTERCEPTS
        frame = pd.DataFrame({"x 1": [0.0, 1.5, -3.0], "x 2": [0.0, 2.0, 1.0]})
        ours = LinearClassifier(["a", "b", "c"], WEIGHTS, INTERCEPTS)
        output = ours.predict(frame)
        assert output.probabilities == pytest.approx(theirs.predict_proba(frame.to_numpy()))
        labels = [ours.labels[index] for index in output.chosen]
        assert labels == list(theirs.predict(frame.to_numpy()))

    @given(NUMBERS, NUMBERS)
    def test_probabilities_add_up_to_one(self, one: float, other: float) -> None:
        """However large the scores, the probabilities are finite and sum to one."""
        output = LinearClassifier(["a", "b", "c"], WEIGHTS).predict(pd.DataFrame([[one, other]]))
        assert output.probabilities is not None
        assert output.probabilities.sum() == pytest.approx(1.0)
        assert (output.probabilities >= 0).all()
        assert output.chosen[0] == output.probabilities[0].argmax()

    def test_it_is_a_predictor(self) -> None:
        """It tells what it predicts."""
        predictor: Predictor = LinearClassifier(["a", "b"], [[1.0], [2.0]])
        assert (predictor.task, predictor.labels) == (Task.CLASSIFICATION, ("a", "b"))


class TestLinearRegressor:
    def test_values_are_those_of_scikit_learn(self) -> None:
        """With the same weights, a linear regression says the same, booleans included."""
        theirs = LinearRegression()
        theirs.coef_, theirs.intercept_ = np.array([2.0, -1.0]), 0.5
        frame = pd.DataFrame({"x 1": [1.0, 2.5], "x 2": [True, False]})
        output = LinearRegressor([2.0, -1.0], 0.5).predict(frame)
        ours = output.values
        assert ours.tolist() == [1.5, 5.5]
        assert ours == pytest.approx(theirs.predict(frame.to_numpy(dtype=np.float64)))

    def test_it_is_a_predictor(self) -> None:
        """It tells what it predicts."""
        predictor: Predictor = LinearRegressor([1.0])
        assert (predictor.task, predictor.labels) == (Task.REGRESSION, ())


class TestInMemoryLoader:
    pytestmark = pytest.mark.anyio

    async def test_predictor_is_handed_out_by_version(self) -> None:
        """Each version has the predictor, or the error, that was given for it."""
        store = InMemoryStore()
        first, second, third = (store.add_version("house") for _ in range(3))
        error = UnsupportedModelError(name="house", version=2, reason="it is text.")
        predictor = LinearRegressor([1.0])
        loader: ModelLoader = InMemoryLoader(
            {VersionRef("house", 1): predictor, VersionRef("house", 2): error}
        )
        assert await loader.load(first, HOUSE_PACKAGE) is predictor
        with pytest.raises(UnsupportedModelError):
            await loader.load(second, HOUSE_PACKAGE)
        with pytest.raises(ModelLoadError) as caught:
            await loader.load(third, HOUSE_PACKAGE)
        assert caught.value.data == {
            "name": "house",
            "version": 3,
            "reason": "it has no predictor.",
        }
