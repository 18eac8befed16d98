"""GraphQL types derived from records, so that a concept is written once."""

import inspect
import types
from collections.abc import Callable, Sequence
from enum import Enum
from typing import (
    Annotated,
    Any,
    NewType,
    ParamSpec,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import strawberry
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.graphql.execution.plans import InstanceOf

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=type)

_types: dict[type, type] = {}


@dataclass_transform(kw_only_default=True)
def type_of(
    record: type, *, name: str | None = None, description: str | None = None
) -> Callable[[T], T]:
    """Make the decorated class the GraphQL type of a record.

    The class names the attributes to show as ``attribute: strawberry.auto``: type, nullability
    and description come from the record. An attribute with a type of its own keeps that type and
    takes the description. Static methods decorated with `edge` are fields that the record does not
    have.

    Resolvers return records, never instances of the class.

    Args:
        record: The dataclass that resolvers return.
        name: The type's name in the schema; the record's own by default.
        description: The type's description; the first paragraph of the record's docstring by
            default.

    Returns:
        A class decorator.
    """

    def decorate(cls: T) -> T:
        hints = get_type_hints(record, include_extras=True)
        for attribute, annotation in dict(cls.__annotations__).items():
            shown, text = graphql_annotation(hints[attribute])
            if annotation is strawberry.auto:
                cls.__annotations__[attribute] = shown
            field = vars(cls).get(attribute) or strawberry.field()
            field.description = text
            setattr(cls, attribute, field)
        cls.is_type_of = InstanceOf(record)  # type: ignore[attr-defined]
        text = description or first_paragraph(record)
        made = strawberry.type(cls, name=name or record.__name__, description=text)
        _types.setdefault(record, made)
        return made

    return decorate


def edge(
    *, graphql_type: Any = None, directives: Sequence[object] = ()
) -> "Callable[[Callable[P, R] | staticmethod[P, R]], Any]":
    """Make a static method a field that the record does not have.

    The method takes the record as ``parent: strawberry.Parent[Record]``, and its docstring's
    first paragraph describes the field.

    Args:
        graphql_type: The field's type in the schema, where the method returns records.
        directives: Further declarations, such as its cost.
    """

    def decorate(resolver: "Callable[P, R] | staticmethod[P, R]") -> Any:
        return strawberry.field(
            resolver=resolver,
            description=first_paragraph(resolver),
            graphql_type=graphql_type,
            directives=directives,
        )

    return decorate


def graphql_annotation(annotation: Any) -> tuple[Any, str | None]:
    """Translate the annotation of a record's attribute.

    Args:
        annotation: Such as ``Annotated[tuple[Column, ...], Doc("...")]``.

    Returns:
        The annotation that Strawberry reads, such as ``list[ColumnType]``, and the description.

    Raises:
        TypeError: If a record in it has no GraphQL type yet.
    """
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        text = next((extra.text for extra in extras if isinstance(extra, Doc)), None)
        return graphql_annotation(inner)[0], text
    if get_origin(annotation) is tuple:
        return list[graphql_annotation(get_args(annotation)[0])[0]], None  # type: ignore[misc]
    if get_origin(annotation) in (Union, types.UnionType):
        members = tuple(graphql_annotation(member)[0] for member in get_args(annotation))
        return Union[members], None  # noqa: UP007 - built from values
    return _named_type(annotation), None


def _named_type(annotation: Any) -> Any:
    if isinstance(annotation, NewType) or not isinstance(annotation, type):
        return annotation
    if annotation in _types:
        return _types[annotation]
    if issubclass(annotation, Enum):
        return enum_of(annotation)
    if hasattr(annotation, "__dataclass_fields__"):
        raise TypeError(f"{annotation.__name__} needs a GraphQL type of its own first")
    return annotation


def enum_of(enum: type[Enum]) -> type[Enum]:
    """Make an enum of the records a GraphQL enum, with a description for each value."""
    if "__strawberry_definition__" not in vars(enum):
        values = [
            EnumValue(
                member.name,
                member.value,
                description=member.doc if isinstance(member, DescribedEnum) else None,
            )
            for member in enum
        ]
        definition = StrawberryEnumDefinition(
            wrapped_cls=enum,
            name=enum.__name__,
            values=values,
            description=first_paragraph(enum),
        )
        enum.__strawberry_definition__ = definition  # type: ignore[attr-defined]
    return enum


def first_paragraph(documented: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    text = inspect.cleandoc(documented.__doc__ or "")
    return text.split("\n\n", 1)[0].replace("\n", " ")
