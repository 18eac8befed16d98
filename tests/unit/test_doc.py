"""Descriptions on records reach JSON schemas and enum members."""

import copy
import pickle
from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from gql_platform.doc import DescribedEnum, Doc


class Colour(DescribedEnum):
    RED = "RED", "As a tomato."
    GREEN = "GREEN", "As a frog."


@dataclass(frozen=True)
class Leaf:
    size: Annotated[float, Doc("In metres.")]


@dataclass(frozen=True)
class Tree:
    name: Annotated[str, Doc("In Latin.")]
    biggest: Annotated[Leaf, Doc("The one to show.")]
    colour: Annotated[Colour, Doc("In summer.")]


class TestDoc:
    def test_text_describes_a_plain_property(self) -> None:
        """A plain attribute's property carries the text."""
        schema = TypeAdapter(Tree).json_schema()
        assert schema["properties"]["name"] == {
            "title": "Name",
            "type": "string",
            "description": "In Latin.",
        }

    def test_text_stands_beside_a_reference(self) -> None:
        """A property that refers to another record keeps the reference and gains the text."""
        schema = TypeAdapter(Tree).json_schema()
        assert schema["properties"]["biggest"] == {
            "allOf": [{"$ref": "#/$defs/Leaf"}],
            "description": "The one to show.",
        }
        assert schema["$defs"]["Leaf"]["properties"]["size"]["description"] == "In metres."

    def test_validation_is_left_alone(self) -> None:
        """The description changes nothing about what is accepted."""
        tree = TypeAdapter(Tree).validate_python(
            {"name": "Quercus", "biggest": {"size": 0.2}, "colour": "RED"}
        )
        assert tree == Tree("Quercus", Leaf(0.2), Colour.RED)


class TestDescribedEnum:
    def test_member_is_its_value_and_has_its_text(self) -> None:
        """A member equals its value, and its description stands beside it."""
        assert Colour.RED == "RED"
        assert str(Colour.RED) == "RED"
        assert Colour.RED.value == "RED"
        assert Colour.RED.doc == "As a tomato."
        assert [member.doc for member in Colour] == ["As a tomato.", "As a frog."]

    def test_member_is_found_by_value(self) -> None:
        """Looking a value up gives the member, and an unknown one is refused."""
        assert Colour("GREEN") is Colour.GREEN  # type: ignore[call-arg] # it is a look-up
        with pytest.raises(ValueError, match="'BLUE' is not a valid Colour"):
            Colour("BLUE")  # type: ignore[call-arg] # it is a look-up

    def test_member_survives_copies(self) -> None:
        """A copied or pickled member is the member itself."""
        assert copy.deepcopy(Colour.RED) is Colour.RED
        assert pickle.loads(pickle.dumps(Colour.RED)) is Colour.RED  # noqa: S301 - our own bytes
