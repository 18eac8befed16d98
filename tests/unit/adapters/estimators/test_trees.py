"""Thresholds, ranks and sums of trees are those of the estimators."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from gql_platform.adapters.estimators.trees import (
    Ranks,
    Thresholds,
    float32_of,
    forest_sum,
    has_ranked_form,
    is_of_trees,
    ranked,
    thresholds_of,
)
from gql_platform.serving.ports import ClassOutput, ValueOutput
from tests.unit.adapters.estimators.fitted import (
    DIABETES,
    IRIS,
    IS_LAST,
    KINDS,
    PROGRESSION,
    around,
    trees_of,
)

ROWS = IRIS.to_numpy()
BIT = 2.0**-40


class TestThresholds:
    def test_of_one_tree(self) -> None:
        """A stump decides at one value of one column."""
        rows = np.array([[0.0, 1.0], [0.0, 3.0]])
        assert thresholds_of(DecisionTreeClassifier().fit(rows, [0, 1])) == [(1, 2.0)]

    def test_of_a_forest(self) -> None:
        """Those of all trees are there once."""
        forest = RandomForestClassifier(5, max_depth=2, random_state=0).fit(ROWS, KINDS)
        expected = {each for tree in forest.estimators_ for each in thresholds_of(tree)}
        assert thresholds_of(forest) == sorted(expected)

    def test_of_boosted_trees(self) -> None:
        """The trees of each round and label count."""
        boosted = GradientBoostingClassifier(n_estimators=2, max_depth=1).fit(ROWS, KINDS)
        expected = {each for tree in boosted.estimators_.flat for each in thresholds_of(tree)}
        assert thresholds_of(boosted) == sorted(expected)

    def test_of_a_bag_that_reads_some_columns(self) -> None:
        """The columns are those of the rows, and not those that one tree was given."""
        bag = BaggingClassifier(
            DecisionTreeClassifier(max_depth=1), 4, max_features=1, random_state=0
        ).fit(ROWS, KINDS)
        used = {int(columns[0]) for columns in bag.estimators_features_}
        assert {column for column, _ in thresholds_of(bag)} == used
        assert used != {0}

    def test_of_what_has_no_trees(self) -> None:
        """A linear model decides nowhere."""
        estimator = LinearRegression().fit(ROWS, KINDS)
        assert thresholds_of(estimator) == []
        assert not is_of_trees(estimator)


@st.composite
def rows_at_thresholds(
    draw: st.DrawFn,
) -> tuple[Thresholds, npt.NDArray[np.float64]]:
    """Draw thresholds of three columns, and rows with values at and beside them."""
    values = st.floats(-1e3, 1e3)
    thresholds = sorted(
        set(draw(st.lists(st.tuples(st.integers(0, 2), values), min_size=1, max_size=12)))
    )
    near = [
        value
        for _, threshold in thresholds
        for value in (threshold, np.nextafter(threshold, 1e9), np.nextafter(threshold, -1e9))
    ]
    value = st.one_of(st.sampled_from(near), values)
    count = draw(st.integers(1, 12))
    cells = draw(st.lists(value, min_size=3 * count, max_size=3 * count))
    return thresholds, np.array(cells, dtype=np.float64).reshape(count, 3)


class TestRanks:
    @given(drawn=rows_at_thresholds())
    def test_they_decide_as_the_values_do(self, drawn: Any) -> None:
        """A value is at most a threshold where its rank is at most that of the threshold."""
        thresholds, rows = drawn
        ranks = Ranks(thresholds, 3)
        found = ranks(rows)
        assert found is not None
        for column, threshold in thresholds:
            np.testing.assert_array_equal(
                found[:, column] <= ranks.rank(column, threshold), rows[:, column] <= threshold
            )

    @given(drawn=rows_at_thresholds())
    def test_few_rows_and_many_have_the_same(self, drawn: Any) -> None:
        """The way for a few rows is another one, with the same ranks."""
        thresholds, rows = drawn
        ranks = Ranks(thresholds, 3)
        many = ranks(np.repeat(rows, 9, axis=0))
        assert many is not None
        np.testing.assert_array_equal(ranks(rows[:1]), many[:1])

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_missing_values_have_none(self, value: float) -> None:
        """Where a value that is no number goes, only the model knows."""
        assert Ranks([(0, 1.0)], 1)(np.array([[value]])) is None

    @pytest.mark.parametrize(
        "estimator",
        [HistGradientBoostingClassifier(max_iter=5), HistGradientBoostingRegressor(max_iter=5)],
        ids=["classifier", "regressor"],
    )
    def test_ranked_trees_answer_exactly(self, estimator: Any) -> None:
        """Trees that read ranks answer to the bit what the trees answer to values."""
        estimator.fit(ROWS, KINDS)
        assert has_ranked_form(estimator)
        copied, ranks = ranked(estimator, 4)
        rows = np.vstack([ROWS, around(IRIS).to_numpy()])
        found = ranks(rows)
        np.testing.assert_array_equal(copied.predict(found), estimator.predict(rows))

    def test_the_estimator_stays_as_it_is(self) -> None:
        """Only the copy reads ranks."""
        estimator = HistGradientBoostingRegressor(max_iter=2).fit(ROWS, KINDS)
        before = [nodes["num_threshold"].tolist() for nodes in trees_of(estimator)]
        ranked(estimator, 4)
        assert [nodes["num_threshold"].tolist() for nodes in trees_of(estimator)] == before

    def test_categories_have_no_ranks(self) -> None:
        """Trees that decide by sets of categories are refused."""
        rows = np.array([[0.0], [1.0], [2.0]] * 30)
        estimator = HistGradientBoostingRegressor(max_iter=2, categorical_features=[0])
        estimator.fit(rows, np.tile([0.0, 9.0, 1.0], 30))
        with pytest.raises(ValueError, match=r"^its trees decide by categories$"):
            ranked(estimator, 1)


class TestForestSum:
    @pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
    @pytest.mark.parametrize("target", [KINDS, IS_LAST], ids=["three labels", "two labels"])
    def test_classifiers(self, kind: Any, target: Any) -> None:
        """Probabilities are the forest's own, to the bit, and so are labels."""
        forest = kind(7, random_state=0, max_depth=3).fit(ROWS, target)
        mean = forest_sum(forest)
        assert mean is not None
        rows = around(IRIS).to_numpy()
        output = mean(rows)
        assert isinstance(output, ClassOutput)
        np.testing.assert_array_equal(output.probabilities, forest.predict_proba(rows))
        np.testing.assert_array_equal(forest.classes_[output.chosen], forest.predict(rows))

    @pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
    def test_regressors(self, kind: Any) -> None:
        """Values are the forest's own, to the bit."""
        forest = kind(7, random_state=0).fit(DIABETES.to_numpy(), PROGRESSION)
        mean = forest_sum(forest)
        assert mean is not None
        rows = around(DIABETES).to_numpy()
        output = mean(rows)
        assert isinstance(output, ValueOutput)
        np.testing.assert_array_equal(output.values, forest.predict(rows))

    def test_unusual_rows_are_left_to_the_forest(self) -> None:
        """What float32 does not hold has no sum."""
        forests = [
            RandomForestClassifier(2, random_state=0).fit(ROWS, KINDS),
            RandomForestRegressor(2, random_state=0).fit(ROWS, KINDS),
        ]
        for forest in forests:
            mean = forest_sum(forest)
            assert mean is not None
            assert mean(np.array([[1e39, 0, 0, 0]])) is None

    def test_others_have_none(self) -> None:
        """Boosted trees are no mean, and a subclass may do as it likes."""

        class Forest(RandomForestClassifier):  # type: ignore[misc] # it has no types
            """Another forest."""

        assert forest_sum(GradientBoostingClassifier()) is None
        assert forest_sum(Forest(2).fit(ROWS, KINDS)) is None


class TestFloat32:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.5e38, -1e300])
    def test_what_it_does_not_hold(self, value: float) -> None:
        """Missing, infinite and huge values have no float32."""
        assert float32_of(np.array([[0.0, value]])) is None

    def test_others_are_rounded_as_numpy_does(self) -> None:
        """The nearest float32 counts, as for scikit-learn's trees."""
        rows = np.array([[0.1, 1 + BIT, 3.4e38]])
        found = float32_of(rows)
        assert found is not None
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, pd.DataFrame(rows).astype(np.float32).to_numpy())
