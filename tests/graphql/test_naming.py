"""Names for models and columns, whatever these are called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.graphql.naming import field_name, type_name, unique

VALID = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")


@pytest.mark.parametrize(
    ("original", "field", "type_"),
    [
        ("breast_cancer", "breastCancer", "BreastCancer"),
        ("mean radius", "meanRadius", "MeanRadius"),
        ("od280/od315_of_diluted_wines", "od280Od315OfDilutedWines", "Od280Od315OfDilutedWines"),
        ("HTTP status", "httpStatus", "HttpStatus"),
        ("customerID", "customerID", "CustomerID"),
        ("1st", "_1st", "_1st"),
        ("Côte d'Azur", "coteDAzur", "CoteDAzur"),
        ("__typename", "typename", "Typename"),
        ("日本", "column", "Model"),
        ("", "column", "Model"),
    ],
)
def test_names_follow_the_rules(original: str, field: str, type_: str) -> None:
    assert (field_name(original, otherwise="column"), type_name(original)) == (field, type_)


@given(st.text())
def test_each_name_is_valid(original: str) -> None:
    assert VALID.fullmatch(field_name(original, otherwise="column"))
    assert VALID.fullmatch(type_name(original))


@given(st.lists(st.sampled_from(["a", "a_2", "b", "a_2_2"]), max_size=12))
def test_equal_names_are_told_apart_in_their_order(names: list[str]) -> None:
    found = unique(names, taken=["b"])

    assert len(set(found)) == len(found)
    assert "b" not in found
    for name, made in zip(names, found, strict=True):
        assert made == name or re.fullmatch(re.escape(name) + r"_\d+", made)


def test_a_name_that_nobody_else_has_is_kept() -> None:
    assert unique(["x", "y", "x"]) == ["x", "y", "x_2"]
