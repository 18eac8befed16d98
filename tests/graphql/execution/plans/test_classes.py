"""What the classes of values tell."""

from abc import ABC
from dataclasses import dataclass, make_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLString, Undefined

from gql_platform.graphql.execution.plans.classes import (
    InstanceOf,
    is_closed,
    is_plain,
    record_of,
    runtime_type,
)
from tests.graphql.execution.plans.example import Stone
from tests.graphql.execution.plans.records import Cat, Colour, Fish
from tests.graphql.execution.plans.values import Mock, Reusable


@dataclass(slots=True)
class Named:
    """A slotted class that tells its type by Python's own mangled name."""

    __typename = "Cat"


class Disguised:
    """A class whose instances say that they are of another class."""

    @property
    def __class__(self) -> Any:
        return Cat

    @__class__.setter
    def __class__(self, value: Any) -> None:
        raise NotImplementedError


class Intercepting:
    """A class that answers for any attribute."""

    def __getattribute__(self, name: str) -> Any:
        return name


class Abstract(ABC):  # noqa: B024
    """A class that others can be registered with."""


def object_type(name: str, test: Any) -> GraphQLObjectType:
    return GraphQLObjectType(name, {"name": GraphQLField(GraphQLString)}, is_type_of=test)


class TestIsPlain:
    @pytest.mark.parametrize(
        "cls", [Cat, Fish, Stone, str, int, dict, list, tuple, datetime, Decimal, object, Colour]
    )
    def test_ordinary_class(self, cls: type) -> None:
        """Records, builtins and members of enums are never null, awaitable or an error."""
        assert is_plain(cls)

    @pytest.mark.parametrize(
        "cls",
        [
            type(None), type(Undefined), ValueError, Reusable, Mock, Intercepting, Disguised,
            type(_ for _ in ""),
        ],
    )  # fmt: skip
    def test_class_that_may_be_more(self, cls: type) -> None:
        """Errors, awaitables, null, and what answers for everything are not plain."""
        assert not is_plain(cls)


class TestIsClosed:
    def test_slotted_record(self) -> None:
        """Nothing can be attached to an instance of a slotted class."""
        assert is_closed(Cat)

    @pytest.mark.parametrize("cls", [Fish, Stone, Named, Reusable, type("Map", (dict,), {})])
    def test_class_whose_instances_differ(self, cls: type) -> None:
        """An instance with a dictionary may be cast; others tell their types in their ways."""
        assert not is_closed(cls)

    def test_class_that_is_cast(self) -> None:
        """A cast of the whole class counts for Strawberry, too."""
        assert not is_closed(make_dataclass("C", [], namespace={"__as_strawberry_type__": Stone}))


class TestInstanceOf:
    def test_answer(self) -> None:
        """It accepts instances, of subclasses as well."""
        test = InstanceOf(Cat)
        assert test(Cat("Tom", 7, None, None), None)
        assert not test(Stone(weight=1), None)

    def test_strawberry_takes_it(self) -> None:
        """A Strawberry type takes it for its `is_type_of`."""

        @strawberry.type
        class Thing:
            is_type_of = InstanceOf(Cat)
            name: str

        schema = strawberry.Schema(query=Thing)
        core = schema._schema.query_type
        assert core is not None
        assert record_of(core) is Cat

    @pytest.mark.parametrize(
        "test", [None, lambda *_: True, InstanceOf(Abstract), InstanceOf(Mock)]
    )
    def test_class_that_is_not_known(self, test: Any) -> None:
        """A function, an abstract class and a class that is not plain do not tell the class."""
        assert record_of(object_type("Cat", test)) is None


class TestRuntimeType:
    def test_first_member_counts(self) -> None:
        """The first member that takes the class is the type; one without a test takes none."""
        first, second = object_type("A", InstanceOf(Cat)), object_type("B", InstanceOf(object))
        assert runtime_type([object_type("C", None), first, second], Cat) is first
        assert runtime_type([second, first], Cat) is second

    def test_member_before_it_is_a_function(self) -> None:
        """Where a function comes first, the class alone does not tell."""
        members = [object_type("A", lambda *_: False), object_type("B", InstanceOf(Cat))]
        assert runtime_type(members, Cat) is None

    def test_none_takes_it(self) -> None:
        """A class that no member takes, and one whose instances differ, have no type."""
        member = object_type("A", InstanceOf(Fish))
        assert runtime_type([member], Cat) is None
        assert runtime_type([member], Fish) is None
