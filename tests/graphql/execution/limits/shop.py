"""A small schema that has every kind of list, with the facts that its costs rest on."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.graphql.execution.limits.declarations import Cost, ListSize


@strawberry.interface
class Node:
    """What has an id."""

    id: strawberry.ID


@strawberry.type
class Person(Node):
    """Somebody."""

    name: str


@strawberry.type
class ItemConnection:
    """A page of items."""

    nodes: "list[Item]"
    first_two: "list[Item]" = strawberry.field(directives=[ListSize(assumed_size=2)])
    total: int


@strawberry.type
class Item(Node):
    """Something, with more of its kind below it."""

    level: strawberry.Private[int]
    name: str

    @strawberry.field
    def parent(self) -> "Item | None":
        """Null for every other item."""
        return item(self.level + 1) if self.level % 2 else None

    @strawberry.field
    def owner(self) -> Person:
        """Never null."""
        return Person(id=strawberry.ID("p"), name="Ada")

    @strawberry.field
    def children(self) -> "list[Item]":
        """More of them at each level."""
        return [item(self.level + 1) for _ in range(self.level % 4)]

    @strawberry.field
    def gaps(self) -> "list[Item | None]":
        """A list with a null in it."""
        return [item(self.level + 1), None]

    @strawberry.field
    def page(self, first: int | None = 20) -> ItemConnection:
        """A connection, by convention; null stands for the default."""
        return page(20 if first is None else first)


@strawberry.type
class Predictions:
    """Answers."""

    answers: list[Item]
    classes: list[Item]


Thing = Annotated[Item | Person, strawberry.union("Thing")]


def item(level: int) -> Item:
    """Make an item."""
    return Item(id=strawberry.ID(str(level)), name=f"item {level}", level=level)


def page(size: int) -> ItemConnection:
    """Make a page."""
    items = [item(level) for level in range(size)]
    return ItemConnection(nodes=items, first_two=items[:2], total=size)


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def item(self) -> Item:
        """One of them."""
        return item(1)

    @strawberry.field
    def thing(self) -> Node | None:
        """An interface."""
        return item(3)

    @strawberry.field(directives=[ListSize(slicing_arguments=["ids"])])  # type: ignore[untyped-decorator]
    def nodes(self, ids: list[strawberry.ID]) -> list[Node | None]:
        """As many as there are ids."""
        return [item(int(each)) for each in ids]

    @strawberry.field
    def things(self, last: int | None = None) -> list[Thing]:
        """A list of a union, sized by convention."""
        found: list[Item | Person] = [item(2), Person(id=strawberry.ID("p"), name="Ada"), item(3)]
        return found[: last or 3]

    @strawberry.field(directives=[ListSize(assumed_size=3)])  # type: ignore[untyped-decorator]
    def grid(self) -> list[list[Item] | None]:
        """A list of lists."""
        return [[item(1), item(2)], None, [item(3)]]

    @strawberry.field
    def page(self, first: int | None = 20) -> ItemConnection:
        """A connection, by convention; null stands for the default."""
        return page(20 if first is None else first)

    @strawberry.field(  # type: ignore[untyped-decorator]
        directives=[
            Cost(weight=7, multipliers=["rows"]),
            ListSize(slicing_arguments=["rows"], sized_fields=["answers"]),
        ]
    )
    def predict(self, rows: list[int]) -> Predictions:
        """As many answers as rows."""
        return Predictions(answers=[item(row) for row in rows], classes=[item(1), item(2)])


schema = strawberry.Schema(Query, types=[Item, Person])
core = schema._schema


@dataclass(frozen=True)
class Facts:
    """What stands above, written down once more for the tests to compare with."""

    type: str | None = None
    levels: int = 0
    weight: int = 1
    argument: str | None = None
    default: int | None = None
    multiplies: bool = False
    sized: frozenset[str] | None = None
    assumed: int = 10


LEAF = Facts()
FACTS = {
    "Query": {
        "item": Facts("Item"),
        "thing": Facts("Node"),
        "nodes": Facts("Node", 1, argument="ids"),
        "things": Facts("Thing", 1, argument="last"),
        "grid": Facts("Item", 2, assumed=3),
        "page": Facts("ItemConnection", argument="first", default=20),
        "predict": Facts(
            "Predictions", weight=7, argument="rows", multiplies=True, sized=frozenset(["answers"])
        ),
    },
    "ItemConnection": {
        "nodes": Facts("Item", 1),
        "firstTwo": Facts("Item", 1, assumed=2),
        "total": LEAF,
    },
    "Item": {
        "id": LEAF,
        "name": LEAF,
        "parent": Facts("Item"),
        "owner": Facts("Person"),
        "children": Facts("Item", 1),
        "gaps": Facts("Item", 1),
        "page": Facts("ItemConnection", argument="first", default=20),
    },
    "Predictions": {"answers": Facts("Item", 1), "classes": Facts("Item", 1)},
    "Person": {"id": LEAF, "name": LEAF},
    "Node": {"id": LEAF},
    "Thing": {},
}
CONDITIONS = {
    "Node": ["Item", "Person", "Node"],
    "Thing": ["Item", "Person", "Node"],
    "Item": ["Node", "Item"],
    "Person": ["Node", "Person"],
}
"""Type conditions that make sense within a type; within other types there is only their own."""
