"""What a value's class alone tells about the value."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import CoroutineType, GeneratorType
from typing import Any

from graphql import GraphQLObjectType, Undefined
from strawberry.types.base import has_object_definition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

_NEVER_PLAIN = (Exception, CoroutineType, GeneratorType, type(None), type(Undefined))
_ORDINARY = frozenset({
    object, str, int, float, bool, complex, bytes, bytearray, list, tuple, dict, set, frozenset,
    date, datetime, time, timedelta, Decimal,
})  # fmt: skip
"""Classes with a way of their own to look attributes up that is the ordinary way."""


class InstanceOf:
    """An ``is_type_of`` that accepts the instances of one class.

    Compiled selections know it, and compare classes in its stead. Any other ``is_type_of`` is
    called for each value.

    Args:
        record: The class.
    """

    __slots__ = ("record",)

    def __init__(self, record: type) -> None:
        self.record = record

    def __call__(self, value: object, info: object) -> bool:
        """Return whether a value is an instance of the class."""
        del info
        return isinstance(value, self.record)


def is_plain(cls: type) -> bool:
    """Return whether no instance is an exception, an awaitable, or null.

    A class that answers for attributes that it does not have, as mocks do, is not plain: any of
    its instances could turn out to be awaitable.
    """
    return (
        not issubclass(cls, _NEVER_PLAIN)
        and not _instances_have(cls, "__await__")
        and not _instances_have(cls, "__getattr__")
        and _definer(cls, "__getattribute__") in _ORDINARY
        and _definer(cls, "__class__") is object
    )


def _definer(cls: type, name: str) -> type | None:
    """Return the class, of a class and those that it inherits from, that defines a name.

    Unlike an attribute of the class, this is nothing that only its metaclass has.
    """
    return next((base for base in cls.__mro__ if name in vars(base)), None)


def _instances_have(cls: type, name: str) -> bool:
    return _definer(cls, name) is not None


def is_closed(cls: type) -> bool:
    """Return whether all instances resolve to the same GraphQL type.

    Strawberry resolves by a cast or a type name that it finds on the single instance, then by
    ``is_type_of``. Instances without a ``__dict__`` carry neither, unless their class does.
    """
    return (
        is_plain(cls)
        and cls.__dictoffset__ == 0
        and not issubclass(cls, Mapping)
        and not has_object_definition(cls)
        and not _instances_have(cls, TYPE_CAST_ATTRIBUTE)
        and not any(_instances_have(cls, f"_{base.__name__}__typename") for base in cls.__mro__)
    )


def record_of(graphql_type: GraphQLObjectType) -> type | None:
    """Return the class whose instances are the values of a type, if it says so by `InstanceOf`."""
    test: Any = graphql_type.is_type_of
    if type(test) is not InstanceOf or not is_plain(test.record):
        return None
    # A metaclass such as ABCMeta may accept instances of classes that do not inherit.
    is_ordinary = type(test.record).__instancecheck__ is type.__instancecheck__
    return test.record if is_ordinary else None


def runtime_type(possible: list[GraphQLObjectType], cls: type) -> GraphQLObjectType | None:
    """Return the type that all instances of a class resolve to, of the members of an abstract type.

    Args:
        possible: The members, in the schema's order.
        cls: The class of a value.

    Returns:
        The first member that takes the class; None if that depends on more than the class.
    """
    if not is_closed(cls):
        return None
    for member in possible:
        if member.is_type_of is None:
            continue
        record = record_of(member)
        if record is None:
            return None
        if issubclass(cls, record):
            return member
    return None
