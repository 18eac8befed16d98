"""A schema with every kind of type and field, twice: on graphql-core alone, and compiled."""

# Records hold anything here, since wrong values are what the tests are about.
# mypy: disable-error-code="no-any-return"

from collections.abc import Awaitable, Iterator
from typing import Annotated, Any, Generic, NewType, TypeAlias, TypeVar

import strawberry
from graphql import DocumentNode, GraphQLError
from strawberry.extensions import FieldExtension, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext
from strawberry.types.scalar import ScalarDefinition

from gql_platform.graphql.execution.plans import CompiledExecution, InstanceOf, PlanStore
from gql_platform.graphql.execution.plans.store import keep_plans
from tests.graphql.execution.plans.records import Branch, Cat, Colour, Dog, Fish, Leaves, Level

T = TypeVar("T")

Parsed: TypeAlias = dict[str | None, tuple[DocumentNode, list[GraphQLError]]]
"""Documents and their errors, by their texts."""


Even = NewType("Even", int)
Raw = NewType("Raw", object)


def _even(value: object) -> object:
    if value == 0:
        return None
    if not isinstance(value, int) or value % 2:
        raise GraphQLError(f"{value!r} is not even")
    return {"half": value // 2}


SCALARS: dict[object, ScalarDefinition] = {
    Even: ScalarDefinition(
        name="Even", description=None, specified_by_url=None, serialize=_even,
        parse_value=None, parse_literal=None, origin=int,
    ),
    Raw: ScalarDefinition(
        name="Raw", description=None, specified_by_url=None, serialize=lambda value: value,
        parse_value=None, parse_literal=None, origin=object,
    ),
}  # fmt: skip


@strawberry.type
class LeavesType:
    """Leaves of every kind, nullable or not."""

    is_type_of = InstanceOf(Leaves)

    text: str
    text_or_null: str | None
    number: int
    number_or_null: int | None
    share: float
    share_or_null: float | None
    flag: bool
    flag_or_null: bool | None
    key: strawberry.ID
    key_or_null: strawberry.ID | None
    colour: Colour
    colour_or_null: Colour | None
    level: Level
    even: Even
    even_or_null: Even | None
    raw: Raw | None
    words: list[str]
    words_or_nulls: list[str | None] | None
    matrix: list[list[int] | None] | None
    colours: list[Colour | None]


@strawberry.interface
class Named:
    """What has a name."""

    name: str


@strawberry.type
class CatType(Named):
    """A type whose class is declared."""

    is_type_of = InstanceOf(Cat)

    lives: int
    friend: Annotated["PetType", strawberry.lazy(__name__)] | None
    leaves: LeavesType | None


@strawberry.type
class DogType(Named):
    """A type that is recognised by a function."""

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        """Accept dogs, and stumble over one value."""
        del info
        if value == 13:
            raise ValueError("Thirteen is no dog")
        return isinstance(value, Dog)

    barks: bool | None


@strawberry.type
class FishType(Named):
    """A type whose class is declared, but has a dictionary."""

    is_type_of = InstanceOf(Fish)

    depth: float


@strawberry.type
class Stone:
    """A type without a record, in unions with others."""

    weight: int


PetType = Annotated[CatType | FishType | Stone, strawberry.union("Pet")]
DeclaredType = Annotated[CatType | FishType, strawberry.union("Declared")]


@strawberry.type
class Edge(Generic[T]):
    """An entry of a page."""

    cursor: str
    node: T


@strawberry.type
class Page(Generic[T]):
    """A page, as an instance of the type itself."""

    edges: list[Edge[T]]
    nodes: list[T]
    total: int | None


class Twice(FieldExtension):
    """An extension that changes what a field says."""

    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        """Repeat the text."""
        return next_(source, info, **kwargs) * 2


@strawberry.type
class BranchType:
    """A type with fields of every way to resolve them."""

    is_type_of = InstanceOf(Branch)

    label: str
    leaves: LeavesType
    leaves_or_null: LeavesType | None
    branch: Annotated["BranchType", strawberry.lazy(__name__)] | None
    dog: DogType | None
    fish: FishType | None
    pet: PetType
    pet_or_null: PetType | None
    named: Named | None
    many: list[LeavesType]
    many_or_null: list[LeavesType] | None
    many_or_nulls: list[LeavesType | None]
    dogs: list[DogType | None]
    pets: list[DeclaredType]
    named_or_nulls: list[Named | None] | None
    grid: list[list[LeavesType] | None]
    page: Page[LeavesType] | None
    twice: str | None = strawberry.field(name="twice", extensions=[Twice()], default=None)

    @strawberry.field
    @staticmethod
    def static(parent: strawberry.Parent[Branch]) -> str:
        """Return what is computed of the record alone."""
        return _raised_or(parent.computed)

    @strawberry.field
    def bound(self) -> int | None:
        """Return the same, by a method."""
        return _raised_or(self.computed)  # type: ignore[attr-defined]

    @strawberry.field
    @staticmethod
    def rooted(root: strawberry.Parent[Branch], info: strawberry.Info) -> float | None:
        """Return what needs the request."""
        assert info.field_name == "rooted"
        return _raised_or(root.computed)

    @strawberry.field
    @staticmethod
    def scaled(parent: strawberry.Parent[Branch], by: int = 2) -> float | None:
        """Return what takes an argument."""
        return _raised_or(parent.computed) * by

    @strawberry.field
    @staticmethod
    def constant() -> str:
        """Return what needs nothing at all."""
        return "constant"

    @strawberry.field(graphql_type=LeavesType | None)  # type: ignore[untyped-decorator]
    @staticmethod
    async def later(parent: strawberry.Parent[Branch]) -> Any:
        """Return a record asynchronously."""
        return _raised_or(parent.leaves_or_null)

    @strawberry.field
    @staticmethod
    async def soon(parent: strawberry.Parent[Branch]) -> str:
        """Return a leaf asynchronously."""
        return _raised_or(parent.computed)

    @strawberry.field(graphql_type=list[LeavesType | None])  # type: ignore[untyped-decorator]
    @staticmethod
    def promised(parent: strawberry.Parent[Branch]) -> Awaitable[Any]:
        """Return an awaitable from a resolver that is not async."""

        async def many() -> Any:
            return parent.many

        return many()

    @strawberry.field(graphql_type=str)  # type: ignore[untyped-decorator]
    @staticmethod
    def hurried(parent: strawberry.Parent[Branch]) -> Awaitable[Any]:
        """Return an awaitable of a leaf from a resolver that is not async."""

        async def text() -> Any:
            return _raised_or(parent.computed)

        return text()


def _raised_or(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


@strawberry.type
class Query:
    """The root."""

    branch: BranchType | None
    branches: list[BranchType | None] | None
    leaves: list[LeavesType]
    pets: list[PetType | None] | None
    named: list[Named] | None
    dogs: list[DogType] | None


class ParsedOnce(SchemaExtension):
    """Parse and validate each document once, for all schemas that share a dictionary.

    Args:
        documents: Where they are kept.
    """

    def __init__(self, documents: Parsed) -> None:
        self._documents = documents

    def on_parse(self) -> Iterator[None]:
        """Take the document from the dictionary."""
        context = self.execution_context
        if context.query in self._documents:
            context.graphql_document = self._documents[context.query][0]
        yield

    def on_validate(self) -> Iterator[None]:
        """Take the errors from the dictionary, or put both there."""
        context = self.execution_context
        if context.query in self._documents:
            context.pre_execution_errors = self._documents[context.query][1]
        yield
        if context.graphql_document is not None:
            found = context.graphql_document, list(context.pre_execution_errors or ())
            self._documents.setdefault(context.query, found)


class QuietSchema(strawberry.Schema):
    """A schema that does not log errors, which are what most tests here are about."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing."""


def build(
    execution: type[CompiledExecution] | None,
    *,
    query: type = Query,
    incremental: bool = False,
    **options: Any,
) -> strawberry.Schema:
    """Return a schema; None executes by graphql-core alone."""
    config = StrawberryConfig(
        scalar_map=SCALARS, enable_experimental_incremental_execution=incremental
    )
    return QuietSchema(
        query=query,
        types=[CatType, DogType, FishType, Stone],
        execution_context_class=execution,
        config=config,
        **options,
    )


def build_eager(*, query: type = Query, **options: Any) -> tuple[strawberry.Schema, PlanStore]:
    """Return a schema that compiles every selection at once, and its plans."""
    schema = build(CompiledExecution, query=query, **options)
    store = PlanStore(schema._schema, patience=0)
    keep_plans(schema, store)
    return schema, store
