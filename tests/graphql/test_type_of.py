"""GraphQL types derived from records."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pytest
import strawberry

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.graphql.type_of import edge, first_paragraph, graphql_annotation, type_of


class Colour(DescribedEnum):
    """What it looks like."""

    RED = "RED", "Like a poppy."
    BLUE = "BLUE", "Like the sky."


@dataclass(frozen=True)
class Part:
    """A part of a thing."""

    name: Annotated[str, Doc("What it is called.")]


@dataclass(frozen=True)
class Thing:
    """A thing,
    with parts.

    Attributes are described one by one.
    """

    colour: Annotated[Colour, Doc("Its colour.")]
    parts: Annotated[tuple[Part, ...], Doc("What it is made of.")]
    made_at: Annotated[datetime | None, Doc("When it was made, if that is known.")]
    weight_kg: Annotated[float, Doc("Its weight.")]
    secret: Annotated[str, Doc("Nobody's business.")]


@type_of(Part)
class PartType:
    name: strawberry.auto


@type_of(Thing)
class ThingType:
    colour: strawberry.auto
    parts: strawberry.auto
    made_at: strawberry.auto
    weight_kg: strawberry.auto

    @edge()
    @staticmethod
    def label(parent: strawberry.Parent[Thing]) -> str:
        """How it is labelled."""
        return f"{parent.colour.value} of {len(parent.parts)}"


@strawberry.type
class Query:
    @edge(graphql_type=ThingType)
    @staticmethod
    def thing() -> Thing:
        """A thing to look at."""
        return Thing(Colour.RED, (Part("lid"), Part("pot")), None, 2.5, "hidden")


SCHEMA = strawberry.Schema(Query)


def test_the_type_is_what_the_record_says() -> None:
    sdl = SCHEMA.as_str()

    assert (
        '''"""A thing, with parts."""
type Thing {
  """Its colour."""
  colour: Colour!

  """What it is made of."""
  parts: [Part!]!

  """When it was made, if that is known."""
  madeAt: DateTime

  """Its weight."""
  weightKg: Float!

  """How it is labelled."""
  label: String!
}'''
        in sdl
    )
    assert (
        '''"""What it looks like."""
enum Colour {
  """Like a poppy."""
  RED

  """Like the sky."""
  BLUE
}'''
        in sdl
    )
    assert "secret" not in sdl


def test_records_are_answered_as_they_are() -> None:
    result = SCHEMA.execute_sync("{ thing { colour parts { name } madeAt weightKg label } }")

    assert result.errors is None
    assert result.data == {
        "thing": {
            "colour": "RED",
            "parts": [{"name": "lid"}, {"name": "pot"}],
            "madeAt": None,
            "weightKg": 2.5,
            "label": "RED of 2",
        }
    }


def test_a_record_without_a_type_is_named() -> None:
    @dataclass
    class Stranger:
        """Nobody knows it."""

    with pytest.raises(TypeError, match="Stranger needs a GraphQL type of its own first"):
        graphql_annotation(tuple[Stranger, ...])


def test_an_attribute_that_the_record_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="weight"):

        @type_of(Part)
        class WrongType:
            weight: strawberry.auto


def test_a_description_is_one_line() -> None:
    assert first_paragraph(Thing) == "A thing, with parts."
