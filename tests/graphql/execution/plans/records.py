"""The records of the example schema.

They hold anything: tests put wrong values in on purpose.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Any

import strawberry


@strawberry.enum
class Colour(Enum):
    """Values that are not the names, and one name for another."""

    RED = "r"
    GREEN = "g"
    VERT = "g"  # noqa: PIE796 - another name for the same member


@strawberry.enum
class Level(StrEnum):
    """Values that are strings."""

    LOW = "LOW"
    HIGH = "high"


class Foreign(IntEnum):
    """An enum that the schema does not know."""

    ONE = 1


@dataclass(frozen=True, slots=True)
class Leaves:
    """A record of leaves."""

    text: Any
    text_or_null: Any
    number: Any
    number_or_null: Any
    share: Any
    share_or_null: Any
    flag: Any
    flag_or_null: Any
    key: Any
    key_or_null: Any
    colour: Any
    colour_or_null: Any
    level: Any
    even: Any
    even_or_null: Any
    raw: Any
    words: Any
    words_or_nulls: Any
    matrix: Any
    colours: Any


@dataclass(frozen=True, slots=True)
class Cat:
    """A record of a type that has an interface and is in a union."""

    name: Any
    lives: Any
    friend: Any
    leaves: Any


@dataclass(frozen=True, slots=True)
class Dog:
    """Another one, whose class the schema knows by a function only."""

    name: Any
    barks: Any


@dataclass
class Fish:
    """Another one, which is not slotted."""

    name: Any
    depth: Any


@dataclass(frozen=True, slots=True)
class Branch:
    """A record with records, lists and computed fields."""

    label: Any
    leaves: Any
    leaves_or_null: Any
    branch: Any
    dog: Any
    fish: Any
    pet: Any
    pet_or_null: Any
    named: Any
    many: Any
    many_or_null: Any
    many_or_nulls: Any
    dogs: Any
    pets: Any
    named_or_nulls: Any
    grid: Any
    computed: Any
    page: Any


@dataclass(frozen=True, slots=True)
class Root:
    """What a query begins with."""

    branch: Any
    branches: Any
    leaves: Any
    pets: Any
    named: Any
    dogs: Any
