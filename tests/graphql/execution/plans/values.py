"""Records with every kind of wrong value in them."""

import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import fields
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import strawberry
from graphql import Undefined

from tests.graphql.execution.plans import example
from tests.graphql.execution.plans.records import (
    Branch,
    Cat,
    Colour,
    Dog,
    Fish,
    Foreign,
    Leaves,
    Level,
    Root,
)


class Text(str):
    """A string that is not exactly one."""

    __slots__ = ()


class Reusable:
    """An awaitable that any number of executions can await."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, Any]:
        yield
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def __repr__(self) -> str:
        return "Reusable()"


class Again:
    """An iterable that is neither a list nor a tuple, and may end with an exception."""

    def __init__(self, items: list[Any], *, raises: bool = False) -> None:
        self.items = items
        self.raises = raises

    def __iter__(self) -> Iterator[Any]:
        yield from self.items
        if self.raises:
            raise ValueError("The items ran out")


class Mock:
    """An object that has every attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return 1

    def __repr__(self) -> str:
        return "Mock()"


class Unread:
    """A value whose attribute must stay unset, or raise."""


UNSET = Unread()
RAISING = Unread()


class RaisingLeaves(Leaves):
    """A subclass of a record, which counts as one, with an attribute that raises."""

    __slots__ = ()

    @property
    def number(self) -> int:
        raise ValueError("The number cannot be read")


class Values:
    """Draws records and values from a source of random numbers.

    Args:
        source: The source.
        wrong: How likely a value is wrong.
    """

    def __init__(self, source: random.Random, wrong: float) -> None:
        self._source = source
        self._wrong = wrong

    def _pick(self, *options: Any) -> Any:
        return self._source.choice(options)

    def _or_wrong(self, right: Callable[[], Any]) -> Any:
        return self.wrong(right) if self._source.random() < self._wrong else right()

    def wrong(self, right: Callable[[], Any]) -> Any:
        """Draw a value that is of the wrong type, class or form."""
        kind = self._source.randrange(40)
        if kind < 4:
            return None
        if kind < 7:
            return Reusable(right())
        if kind < 9:
            return Reusable(self._pick(ValueError("It came to nothing"), None, 1, "x"))
        if kind < 11:
            return UNSET
        if kind == 11:
            return self._pick(RaisingLeaves, Leaves, Mock, object)
        return self._pick(
            float("nan"), float("inf"), -float("inf"), 2**31, 2**31 - 1, -(2**31), -(2**31) - 1,
            2**40, 2**70, True, False, 0, 1, 2, 3, 13, 1.0, 1.5, "x", "", "r", "LOW", b"x", [1],
            [], {}, {"name": "x"}, Text("x"), Colour.RED, Foreign.ONE, Level.LOW, Undefined,
            ValueError("A value that is an error"), Mock(), SimpleNamespace(name="x"),
            SimpleNamespace(), 1 + 2j, (1, "x"), frozenset(), example.Stone(weight=1),
            strawberry.UNSET, np.float64(1.5), np.int32(7),
            np.bool_(True),
        )  # fmt: skip

    def _nullable(self, right: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: None if self._source.random() < 0.3 else right()

    def many(self, right: Callable[[], Any], most: int = 4) -> Any:
        """Draw a list, mostly as a list or a tuple."""
        items = [self._or_wrong(right) for _ in range(self._source.randrange(most + 1))]
        items = [None if item is UNSET else item for item in items]
        kind = self._source.randrange(12)
        if kind == 0 and self._wrong:
            return Again(items, raises=self._source.random() < 0.3)
        return tuple(items) if kind < 4 else items

    def leaves(self) -> Any:
        """Draw a record of leaves."""
        pick = self._pick
        words = partial(pick, "", "word", "größer", "x" * 30)
        number = partial(pick, 0, 1, -5, 2**30, -(2**30), 2**31 - 1, -(2**31))
        share = partial(pick, 0.0, -0.5, 1e300, 3.25, -0.0)
        flag = partial(pick, True, False)
        colour = partial(pick, *Colour)
        even = partial(pick, 2, 4, -8)
        values: dict[str, Callable[[], Any]] = {
            "text": words, "text_or_null": self._nullable(words),
            "number": number, "number_or_null": self._nullable(number),
            "share": share, "share_or_null": self._nullable(share),
            "flag": flag, "flag_or_null": self._nullable(flag),
            "key": words, "key_or_null": self._nullable(words),
            "colour": colour, "colour_or_null": self._nullable(colour),
            "level": partial(pick, *Level),
            "even": even, "even_or_null": self._nullable(even),
            "raw": partial(pick, 1, "x", None, [1, None], {"a": 1.5}),
            "words": partial(self.many, words), "words_or_nulls": partial(self.many, words),
            "matrix": partial(self.many, self._nullable(partial(self.many, number))),
            "colours": partial(self.many, self._nullable(colour)),
        }  # fmt: skip
        cls = RaisingLeaves if self._source.random() < self._wrong / 4 else Leaves
        return self._record(cls, values)

    def cat(self, depth: int = 1) -> Any:
        """Draw a cat."""
        friend = (lambda: self.pet(depth - 1)) if depth else (lambda: None)
        return self._record(Cat, {
            "name": lambda: "Tom", "lives": lambda: 7, "friend": friend,
            "leaves": self._nullable(self.leaves),
        })  # fmt: skip

    def dog(self) -> Any:
        """Draw a dog."""
        return self._record(Dog, {"name": lambda: "Rex", "barks": lambda: True})

    def fish(self) -> Any:
        """Draw a fish; now and then, one that is cast to another type."""
        fish = self._record(Fish, {"name": lambda: "Nemo", "depth": lambda: 2.5})
        if self._source.random() < self._wrong / 4:
            cast_to = self._pick(example.CatType, example.Stone, example.FishType)
            return strawberry.cast(cast_to, fish)
        return fish

    def pet(self, depth: int = 1) -> Any:
        """Draw a member of the unions or of the interface."""
        kind = self._source.randrange(8)
        if kind < 4:
            return self.cat(depth)
        if kind < 6:
            return self.fish()
        return self.dog() if kind == 6 else example.Stone(weight=1)

    def named(self) -> Any:
        """Draw a member of the interface."""
        draw: Callable[[], Any] = self._pick(self.cat, self.dog, self.fish)
        return draw()

    def declared(self) -> Any:
        """Draw a member of the union whose classes are all declared."""
        draw: Callable[[], Any] = self._pick(self.cat, self.cat, self.fish)
        return draw()

    def page(self) -> Any:
        """Draw a page."""
        nodes = self.many(self.leaves)
        edges = [
            example.Edge(cursor="c", node=self._shown(self._or_wrong(self.leaves)))
            for _ in range(self._source.randrange(3))
        ]
        return example.Page(edges=edges, nodes=nodes, total=self._shown(self._or_wrong(lambda: 3)))

    def branch(self, depth: int = 2) -> Any:
        """Draw a record with records and lists."""
        below = (lambda: self.branch(depth - 1)) if depth else (lambda: None)
        named, declared = self.named, self.declared
        return self._record(Branch, {
            "label": lambda: "b", "leaves": self.leaves,
            "leaves_or_null": self._nullable(self.leaves), "branch": below, "dog": self.dog,
            "fish": self.fish, "pet": self.pet, "pet_or_null": self._nullable(self.pet),
            "named": named, "many": lambda: self.many(self.leaves, 2),
            "many_or_null": self._nullable(lambda: self.many(self.leaves, 2)),
            "many_or_nulls": lambda: self.many(self._nullable(self.leaves), 2),
            "dogs": lambda: self.many(self._nullable(self.dog)),
            "pets": lambda: self.many(declared),
            "named_or_nulls": lambda: self.many(self._nullable(named)),
            "grid": lambda: self.many(lambda: self.many(self.leaves, 2), 2),
            "computed": lambda: self._pick("x", 1, 2.5, ValueError("It cannot be computed")),
            "page": self._nullable(self.page),
        })  # fmt: skip

    def root(self) -> Any:
        """Draw what a query begins with."""
        return Root(
            branch=self._shown(self._or_wrong(self.branch)),
            branches=self.many(self._nullable(lambda: self.branch(1))),
            leaves=self.many(self.leaves),
            pets=self.many(self._nullable(self.pet)),
            named=self.many(self.named),
            dogs=self.many(self.dog),
        )

    @staticmethod
    def _shown(value: Any) -> Any:
        return None if isinstance(value, Unread) else value

    def _record(self, cls: Any, values: dict[str, Callable[[], Any]]) -> Any:
        record = object.__new__(cls)
        for each in fields(cls):
            value = self._or_wrong(values[each.name])
            overridden = isinstance(getattr(cls, each.name, None), property)
            if value is not UNSET and not overridden:
                object.__setattr__(record, each.name, value)
        return record
