"""Graphs answer as scikit-learn does, and leave to it what they would answer otherwise."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from gql_platform.adapters.estimators.categories import known_values
from gql_platform.adapters.estimators.graphs import MatrixGraph, TableGraph, final_graph
from gql_platform.registry.records import Column, ColumnType
from gql_platform.serving.ports import ClassOutput, ValueOutput
from tests.unit.adapters.estimators.fitted import (
    DIABETES,
    FLATS,
    IRIS,
    IS_DEAR,
    KINDS,
    PROGRESSION,
    around,
)

COLUMNS = [
    Column("town (Swiss)", ColumnType.STRING, required=True),
    Column("kind", ColumnType.STRING, required=True),
    Column("rooms", ColumnType.LONG, required=True),
    Column("area m2", ColumnType.DOUBLE, required=True),
]
"""The columns of `FLATS`."""

FLOAT32_ERROR = 1e-5

ROWS = around(IRIS).to_numpy()


def table_graph(transformer: Any, *, are_doubles: bool = True) -> TableGraph:
    """Return the graph over fitted preprocessing of `FLATS`."""
    known = known_values([transformer], COLUMNS)
    return TableGraph(copy.deepcopy(transformer), COLUMNS, known, are_doubles=are_doubles)


def preprocessing(encoder: Any) -> Any:
    """Return preprocessing of `FLATS`, fitted."""
    table = ColumnTransformer(
        [
            ("texts", encoder, ["town (Swiss)", "kind"]),
            ("numbers", StandardScaler(), ["rooms", "area m2"]),
        ],
        sparse_threshold=0.0,
    )
    return table.fit(FLATS)


class TestFinalGraph:
    @pytest.mark.parametrize("is_single", [True, False])
    def test_classifier(self, is_single: bool) -> None:
        """Labels are those of the model, and its probabilities but for the rounding of a graph."""
        model = LogisticRegression(max_iter=500).fit(IRIS.to_numpy(), KINDS)
        output = final_graph(model, 4, is_single=is_single)(ROWS)
        assert isinstance(output, ClassOutput)
        assert output.probabilities is not None
        assert output.probabilities.dtype == np.float64
        expected = model.predict_proba(ROWS)
        np.testing.assert_allclose(output.probabilities, expected, rtol=0, atol=FLOAT32_ERROR)
        np.testing.assert_array_equal(output.chosen, model.predict(ROWS))

    def test_forest(self) -> None:
        """Trees in float32 choose the same leaves for rows that float32 holds."""
        rows = np.round(ROWS * 64) / 64
        model = RandomForestClassifier(10, random_state=0).fit(IRIS.to_numpy(), KINDS)
        output = final_graph(model, 4, is_single=True)(rows)
        assert isinstance(output, ClassOutput)
        assert output.probabilities is not None
        expected = model.predict_proba(rows)
        np.testing.assert_allclose(output.probabilities, expected, rtol=0, atol=FLOAT32_ERROR)
        np.testing.assert_array_equal(output.chosen, model.predict(rows))

    def test_equal_probabilities(self) -> None:
        """Of labels that are equally likely the first is chosen, as scikit-learn does."""
        rows = np.zeros((6, 1))
        model = DecisionTreeClassifier().fit(rows, [2, 0, 1, 0, 1, 2])
        output = final_graph(model, 1, is_single=True)(rows)
        assert isinstance(output, ClassOutput)
        assert output.chosen.tolist() == model.predict(rows).tolist() == [0] * 6

    @pytest.mark.parametrize(
        ("model", "tolerance"),
        [(LinearRegression(), 1e-10), (RandomForestRegressor(10, random_state=0), 1e-3)],
        ids=str,
    )
    def test_regressor(self, model: Any, tolerance: float) -> None:
        """Values are one per row in float64, whatever the shape that the graph gives them."""
        rows = DIABETES.to_numpy()
        model.fit(rows, PROGRESSION)
        is_single = tolerance > 1e-6
        output = final_graph(model, 10, is_single=is_single)(rows)
        assert isinstance(output, ValueOutput)
        assert output.values.shape == (len(rows),)
        assert output.values.dtype == np.float64
        np.testing.assert_allclose(output.values, model.predict(rows), rtol=0, atol=tolerance)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
    def test_values_that_are_left_to_the_model(self, value: float) -> None:
        """A graph in float32 answers no row with a value that float32 does not hold."""
        model = RandomForestRegressor(2, random_state=0).fit(IRIS.to_numpy(), KINDS)
        rows = IRIS.to_numpy().copy()
        rows[3, 1] = value
        assert final_graph(model, 4, is_single=True)(rows) is None

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite(self, value: float) -> None:
        """Nor does one in float64 answer a row with a value that is not finite."""
        model = LogisticRegression(max_iter=500).fit(IRIS.to_numpy(), KINDS)
        rows = np.full((2, 4), 1.0)
        rows[1, 2] = value
        assert final_graph(model, 4, is_single=False)(rows) is None

    def test_rows_that_lie_elsewhere_in_memory(self) -> None:
        """Columns of a larger table are read as they are, and are not changed."""
        wide = np.asfortranarray(np.column_stack([ROWS, ROWS]))
        model = LinearRegression().fit(IRIS.to_numpy(), KINDS)
        output = final_graph(model, 4, is_single=False)(wide[:, :4])
        assert isinstance(output, ValueOutput)
        np.testing.assert_allclose(output.values, model.predict(ROWS), rtol=0, atol=1e-12)


class TestMatrixGraph:
    @settings(max_examples=50)
    @given(
        rows=arrays(
            np.float64,
            st.tuples(st.integers(1, 5), st.just(4)),
            elements=st.floats(-1e6, 1e6, allow_subnormal=False),
        )
    )
    def test_any_numbers(self, rows: Any) -> None:
        """Rows of any numbers are transformed as scikit-learn does, to float64's rounding."""
        found = GRAPH(rows)
        assert found is not None
        expected = STEPS.transform(rows)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_values_that_are_not_finite(self, value: float) -> None:
        """What becomes of such values, only the model knows."""
        assert GRAPH(np.array([[1.0, 2.0, 3.0, 4.0], [1.0, value, 3.0, 4.0]])) is None

    def test_what_does_not_convert(self) -> None:
        """The converter says so, and nothing is made."""
        with pytest.raises(Exception, match="Unknown"):
            MatrixGraph(Unknown().fit(IRIS.to_numpy()), 4)


class Unknown(StandardScaler):  # type: ignore[misc]
    """A transformer that no converter knows."""


STEPS = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)).fit(
    IRIS.to_numpy()
)
GRAPH = MatrixGraph(copy.deepcopy(STEPS), 4)


class TestTableGraph:
    @pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=str)
    def test_all_columns(self, encoder: Any) -> None:
        """Text, whole numbers and numbers become what scikit-learn makes of them."""
        steps = preprocessing(encoder)
        found = table_graph(steps)(FLATS)
        assert found is not None
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, steps.transform(FLATS), rtol=1e-12, atol=1e-12)

    def test_whole_numbers_as_they_are(self) -> None:
        """Whole numbers that are encoded are no doubles."""
        steps = ColumnTransformer([("rooms", OneHotEncoder(), ["rooms"])], sparse_threshold=0.0)
        steps.fit(FLATS)
        found = table_graph(steps, are_doubles=False)(FLATS)
        np.testing.assert_array_equal(found, steps.transform(FLATS))

    def test_columns_that_are_dropped(self) -> None:
        """What the preprocessing does not read is no input of the graph, and may be anything."""
        steps = ColumnTransformer([("numbers", StandardScaler(), ["area m2"])]).fit(FLATS)
        frame = FLATS.assign(kind="castle")
        found = table_graph(steps)(frame)
        assert found is not None
        np.testing.assert_allclose(found, steps.transform(frame), rtol=1e-12)

    @pytest.mark.parametrize("column", ["town (Swiss)", "kind"])
    def test_unknown_values_are_left_to_the_model(self, column: str) -> None:
        """Where the model fails on a value, so that a graph must not answer it."""
        steps = preprocessing(OneHotEncoder())
        frame = FLATS.head(3).copy()
        frame.loc[1, column] = "Bern"
        with pytest.raises(ValueError, match="unknown categories"):
            steps.transform(frame)
        assert table_graph(steps)(frame) is None

    def test_unknown_values_that_are_ignored(self) -> None:
        """Where the model takes any value, a graph answers it alike."""
        steps = preprocessing(OneHotEncoder(handle_unknown="ignore"))
        frame = FLATS.head(3).assign(kind=["flat", "castle", ""])
        found = table_graph(steps)(frame)
        assert found is not None
        np.testing.assert_allclose(found, steps.transform(frame), rtol=1e-12, atol=1e-12)
        assert found[1, 3:5].tolist() == [0.0, 0.0]

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("kind", None),
            ("kind", np.nan),
            ("kind", 3),
            ("area m2", np.nan),
            ("area m2", np.inf),
            ("rooms", np.nan),
        ],
    )
    def test_missing_and_odd_values_are_left_to_the_model(self, column: str, value: Any) -> None:
        """A graph has no missing values, and takes text for text alone."""
        frame = FLATS.head(3).copy()
        frame[column] = frame[column].astype(object if column == "kind" else np.float64)
        frame.loc[2, column] = value
        assert table_graph(preprocessing(OneHotEncoder()))(frame) is None

    @settings(max_examples=50)
    @given(
        rows=st.lists(
            st.tuples(
                st.sampled_from(["Basel", "Chur", "Zug", "Bern", ""]),
                st.sampled_from(["flat", "house", "FLAT"]),
                st.integers(-(2**40), 2**40),
                st.floats(-1e9, 1e9, allow_subnormal=False) | st.just(np.nan),
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_any_rows(self, rows: Any) -> None:
        """A graph answers as the model does, or leaves the rows to it; known ones it answers."""
        frame = pd.DataFrame(rows, columns=FLATS.columns)
        found = TABLE(frame)
        is_known = (
            frame["town (Swiss)"].isin(["Basel", "Chur", "Zug"]).all()
            and frame["kind"].isin(["flat", "house"]).all()
            and frame["area m2"].notna().all()
        )
        assert (found is not None) == is_known
        if found is not None:
            np.testing.assert_allclose(found, ENCODED.transform(frame), rtol=1e-9, atol=1e-9)


ENCODED = preprocessing(OneHotEncoder())
TABLE = table_graph(ENCODED)


def test_a_table_and_its_classifier() -> None:
    """Preprocessing and classifier, each as a graph, choose the labels of the pipeline."""
    steps = make_pipeline(preprocessing(OneHotEncoder()), LogisticRegression()).fit(FLATS, IS_DEAR)
    rows = table_graph(steps[0])(FLATS)
    assert rows is not None
    output = final_graph(steps[1], rows.shape[1], is_single=False)(rows)
    assert isinstance(output, ClassOutput)
    np.testing.assert_array_equal(output.chosen, steps.predict(FLATS))
