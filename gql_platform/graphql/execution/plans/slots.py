"""What compiled code knows of the fields of a selection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLOutputType
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import Executor
from graphql.pyutils import Path

Execution: TypeAlias = Executor[Any]
"""What runs one operation."""

Where: TypeAlias = tuple[Any, str | int, str | None]
"""A place in the response: a `Path`, or a plain tuple of the same form, which is made faster."""

Function: TypeAlias = Callable[[Execution, Any, Where], Any]
"""A compiled selection: takes the execution, a value and its place, and completes the value."""


def path_of(where: Where) -> Path:
    """Return the path of a place."""
    if type(where) is Path:
        return where
    previous, key, type_name = where
    return Path(path_of(previous), key, type_name)


@dataclass(slots=True, eq=False)
class Slot:
    """A field of a selection, or the items of one that is a list.

    Attributes:
        parent_type: The type whose field it is.
        definition: The field in the schema.
        details: The nodes of the document that select it, as graphql-core collects them.
        nodes: The same, without their context.
        key: Its key in the response.
        type: The type of its values: the field's type, or the type of the items.
        meet: Is told of each value that compiled code hands over to graphql-core, to count and
            to learn.
    """

    parent_type: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    nodes: list[FieldNode]
    key: str
    type: GraphQLOutputType
    meet: Callable[["Slot", Execution, object], None]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the value of a field is read from the parent's value.

    Attributes:
        attribute: The attribute that holds it, if there is no resolver.
        resolver: The resolver that makes it out of the parent's value alone.
        keyword: The parameter that takes the parent's value; None for the first one.
    """

    attribute: str = ""
    resolver: Callable[..., Any] | None = None
    keyword: str | None = None

    def __call__(self, source: object) -> Any:
        """Read it."""
        if self.resolver is None:
            return getattr(source, self.attribute)
        if self.keyword is None:
            return self.resolver(source)
        return self.resolver(**{self.keyword: source})


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """An entry of an object in the response.

    Attributes:
        key: Its key.
        slot: The field; None where the entry is the type's name.
        reader: How it is read; None where graphql-core must resolve it.
        kind: How its value is completed in code; None where graphql-core must do it.
    """

    key: str
    slot: Slot | None = None
    reader: Reader | None = None
    kind: "Leaf | Composite | None" = None

    @property
    def is_early(self) -> bool:
        """Whether it is read before anything is completed.

        A resolver is called early for a leaf only: what else it makes may be awaitable, and must
        not be made before it is certain that someone waits for it.
        """
        return self.reader is not None and (
            self.reader.resolver is None or isinstance(self.kind, Leaf)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is selected of an object type.

    Attributes:
        type: The type.
        members: The entries of the response, in their order.
    """

    type: GraphQLObjectType
    members: tuple[Member, ...]

    @property
    def early(self) -> list[tuple[Member, Reader]]:
        """The members that are read before anything is completed, in their order."""
        return [
            (member, member.reader) for member in self.members if member.reader and member.is_early
        ]


@dataclass(frozen=True, slots=True)
class Leaf:
    """How the value of a leaf is checked in code.

    Attributes:
        condition: An expression of the value ``{v}`` that is true where it is as usual. It may
            assign what the response gets to ``{x}``.
        converts: Whether it does so.
        nullable: Whether null is as usual, too.
    """

    condition: str
    converts: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Composite:
    """How an object, a value of an abstract type, or a list is completed in code.

    Attributes:
        test: An expression of the value ``{v}`` that is true where it is as usual. It may need
            graphql-core's ``{info}`` of the field.
        function: The name of the function that completes it, or empty for ``selection``.
        made: What comes out of it: ``dict`` or ``list``.
        nullable: Whether null is as usual, too.
        selection: What to complete in place, for the objects of a list.
    """

    test: str
    function: str
    made: str
    nullable: bool
    selection: Selection | None = None
