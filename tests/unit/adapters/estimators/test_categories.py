"""The values that encoders know are found per column, wherever the encoders stand."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from gql_platform.adapters.estimators.categories import by_place, known_values
from gql_platform.registry.records import Column, ColumnType
from tests.unit.adapters.estimators.fitted import FLATS

TOWNS = frozenset({"Basel", "Chur", "Zug"})
KINDS = frozenset({"flat", "house"})
TEXTS = ["town (Swiss)", "kind"]
NUMBERS = ["rooms", "area m2"]


def columns_named(*names: str) -> list[Column]:
    """Return columns of these names."""
    return [Column(name, ColumnType.STRING, required=True) for name in names]


def known_of(transformer: Any, frame: pd.DataFrame = FLATS) -> dict[str, frozenset[Any]]:
    """Fit preprocessing to a table, and return what it knows of each column."""
    return dict(known_values([transformer.fit(frame)], columns_named(*frame.columns)))


class TestKnownValues:
    @pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=str)
    def test_encoder_alone(self, encoder: Any) -> None:
        """An encoder over the whole table knows the values of each of its columns."""
        assert known_of(encoder, FLATS[TEXTS]) == {"town (Swiss)": TOWNS, "kind": KINDS}

    @pytest.mark.parametrize(
        "encoder",
        [
            OneHotEncoder(handle_unknown="ignore"),
            OneHotEncoder(handle_unknown="infrequent_if_exist"),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        ],
        ids=str,
    )
    def test_encoder_that_takes_unknown_values(self, encoder: Any) -> None:
        """Where an unknown value is no error, nothing has to be known."""
        assert known_of(encoder, FLATS[TEXTS]) == {}

    @pytest.mark.parametrize(
        "chosen",
        [
            ["town (Swiss)"],
            [0],
            slice(0, 1),
            [True, False, False, False],
            np.array([True, False, False, False]),
            pd.Index(["town (Swiss)"]),
            lambda frame: frame.columns[:1],
        ],
        ids=["name", "place", "slice", "mask", "array", "index", "function"],
    )
    def test_columns_chosen_in_any_way(self, chosen: Any) -> None:
        """Names, places, slices, masks and functions choose the same column."""
        made = ColumnTransformer(
            [("town", OneHotEncoder(), chosen), ("rest", StandardScaler(), NUMBERS)]
        )
        assert known_of(made) == {"town (Swiss)": TOWNS}

    @pytest.mark.parametrize("chosen", ["kind", 1])
    def test_one_column_as_a_series(self, chosen: Any) -> None:
        """What reads one column as words has no values to know."""
        words = ("words", CountVectorizer(), chosen)
        made = ColumnTransformer([words, ("town", OneHotEncoder(), ["town (Swiss)"])])
        assert known_of(made) == {"town (Swiss)": TOWNS}

    def test_encoders_of_parts(self) -> None:
        """Each part of a table has its own encoder, behind other steps of a pipeline or not."""
        made = ColumnTransformer(
            [
                ("town", make_pipeline(FunctionTransformer(), OneHotEncoder()), ["town (Swiss)"]),
                ("kind", OrdinalEncoder(), ["kind"]),
                ("rooms", OneHotEncoder(handle_unknown="ignore"), ["rooms"]),
            ],
            remainder="passthrough",
        )
        assert known_of(made) == {"town (Swiss)": TOWNS, "kind": KINDS}

    def test_column_of_two_encoders(self) -> None:
        """A value that one of two encoders does not know is an error of the model."""
        first = OneHotEncoder(categories=[["Basel", "Chur", "Zug"]])
        second = OneHotEncoder(categories=[["Basel", "Chur", "Zug", "Bern"]])
        made = ColumnTransformer([("a", first, ["town (Swiss)"]), ("b", second, ["town (Swiss)"])])
        assert known_of(made) == {"town (Swiss)": TOWNS}

    def test_missing_values_are_not_known(self) -> None:
        """A missing value is left to the model, even where its encoder has seen one."""
        frame = pd.DataFrame({"kind": ["flat", None, "house"], "rooms": [1.0, np.nan, 2.0]})
        found = known_of(OneHotEncoder(), frame)
        assert found == {"kind": KINDS, "rooms": frozenset({1.0, 2.0})}

    def test_without_encoders(self) -> None:
        """Numbers that are scaled are all known."""
        assert known_of(StandardScaler(), FLATS[NUMBERS]) == {}

    def test_steps_behind_a_table(self) -> None:
        """What an encoder reads behind another step are no columns of the table any more."""
        table = ColumnTransformer([("kind", OrdinalEncoder(), ["kind"])])
        steps = make_pipeline(table, OneHotEncoder()).fit(FLATS)
        found = known_values([step for _, step in steps.steps], columns_named(*FLATS.columns))
        assert found == {"kind": KINDS}


class TestByPlace:
    @pytest.mark.parametrize(
        "chosen", [TEXTS, [0, 1], slice(0, 2), [True, True, False, False]], ids=repr
    )
    def test_columns_are_chosen_by_their_places(self, chosen: Any) -> None:
        """The same columns are transformed alike from an array, which has no names."""
        made = ColumnTransformer(
            [("texts", OneHotEncoder(sparse_output=False), chosen), ("rest", "drop", NUMBERS)]
        ).fit(FLATS)
        placed = by_place(copy.deepcopy(made), list(FLATS.columns))
        assert [each for *_, each in placed.transformers_] == [[0, 1], [2, 3]]
        texts = placed.transformers_[0][1].transform(FLATS[TEXTS])
        np.testing.assert_array_equal(texts, made.transform(FLATS))

    def test_pipelines_begin_with_the_table(self) -> None:
        """Of a pipeline only the first step reads columns of the table."""
        table = ColumnTransformer([("numbers", StandardScaler(), NUMBERS)])
        steps = make_pipeline(table, StandardScaler()).fit(FLATS)
        placed = by_place(copy.deepcopy(steps), list(FLATS.columns))
        assert [each for *_, each in placed.steps[0][1].transformers_[:1]] == [[2, 3]]
        assert placed.steps[1][1].mean_.tolist() == steps.steps[1][1].mean_.tolist()

    def test_others_are_left_alone(self) -> None:
        """A transformer that chooses no columns is returned as it is."""
        scaler = StandardScaler().fit(FLATS[NUMBERS])
        assert by_place(scaler, NUMBERS) is scaler
