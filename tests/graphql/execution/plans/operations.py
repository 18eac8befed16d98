"""Random operations with variables, over a schema with every kind of input type."""

import enum
from typing import Any

import strawberry
from graphql import parse
from hypothesis import strategies as st
from strawberry.scalars import JSON


@strawberry.enum
class Size(enum.Enum):
    """Sizes."""

    SMALL = "s"
    LARGE = "l"


@strawberry.input
class Point:
    """Numbers alone, as the rows of a model are."""

    x: float
    y: float
    z: float


@strawberry.input
class Box:
    """All kinds of fields."""

    name: str
    size: Size = Size.SMALL
    count: int | None = None
    is_open: bool = False
    key: strawberry.ID | None = None
    weights: list[float | None] | None = None
    corner: Point | None = None


@strawberry.input(one_of=True)
class Choice:
    """One of two."""

    number: int | None = strawberry.UNSET
    text: str | None = strawberry.UNSET


@strawberry.input(one_of=True)
class Target:
    """One of several, some of which hold more."""

    choice: Choice | None = strawberry.UNSET
    corners: list[Point] | None = strawberry.UNSET
    size: Size | None = strawberry.UNSET
    box_name: str | None = strawberry.UNSET


@strawberry.type
class Query:
    """Fields that show what they were given."""

    @strawberry.field
    def points(self, points: list[Point]) -> str:
        """Show points."""
        return repr(points)

    @strawberry.field
    async def boxes(self, boxes: list[Box | None] | None = None) -> str:
        """Show boxes."""
        return repr(boxes)

    @strawberry.field
    def scalars(self, n: int = 7, f: float | None = None, t: str | None = None) -> str:
        """Show scalars."""
        return repr((n, f, t))

    @strawberry.field
    def choice(self, choice: Choice) -> str:
        """Show a choice."""
        return repr(choice)

    @strawberry.field
    def everything(
        self,
        n: int | None = 7,
        f: float | None = None,
        t: str | None = "t",
        size: Size | None = Size.LARGE,
        weights: list[float | None] | None = None,
        point: Point | None = None,
        box: Box | None = None,
        choice: Choice | None = None,
        targets: list[Target] | None = None,
        raw: JSON | None = None,
    ) -> str:
        """Show whatever is there, and alter what can be altered."""
        shown = repr((n, f, t, size, weights, point, box, choice, targets, raw))
        alterable: list[Any] = [weights, targets, raw]
        for each in alterable:
            if isinstance(each, list):
                each.append("altered")
        return shown


SCHEMA = strawberry.Schema(query=Query)._schema
DOCUMENTS = {
    text: parse(text)
    for text in (
        "query ($v: [Point!]!) { points(points: $v) }",
        "query ($v: [Box]) { boxes(boxes: $v) }",
        "query Q($v: Int!, $f: Float, $t: String) { scalars(n: $v, f: $f, t: $t) }",
        "query ($v: Int = 3) { scalars(n: $v) }",
        "query ($v: Int! = 3) { scalars(n: $v) }",
        "query ($v: Choice!) { choice(choice: $v) }",
        "query ($v: [Target!]) { everything(targets: $v) }",
        "query ($v: Choice = {number: 5}) { everything(choice: $v) }",
        "query ($v: Boolean!) { scalars @include(if: $v) ...F } fragment F on Query { scalars }",
    )
}

numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-(2**70), 2**70), st.just(1.5)
)
scalars = st.one_of(numbers, st.booleans(), st.none(), st.text(max_size=3))
points = st.fixed_dictionaries(
    {"x": numbers, "y": numbers, "z": numbers}, optional={"w": scalars}
) | st.fixed_dictionaries({"x": scalars, "y": scalars})
good_points = st.fixed_dictionaries(dict.fromkeys("xyz", st.floats(-1e6, 1e6)))
boxes = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=3),
        "size": st.sampled_from(["SMALL", "LARGE", "HUGE", 1]),
        "count": scalars,
        "isOpen": st.booleans(),
        "key": scalars,
        "weights": st.lists(numbers, max_size=3) | scalars,
        "corner": points | good_points,
    },
)
choices = st.fixed_dictionaries({}, optional={"number": scalars, "text": scalars})
targets = st.fixed_dictionaries(
    {},
    optional={
        "choice": choices,
        "corners": st.lists(points | good_points, max_size=2) | scalars,
        "size": st.sampled_from(["SMALL", "HUGE", None]),
        "boxName": scalars,
    },
) | st.dictionaries(st.sampled_from(["size", "boxName", "other"]), scalars, max_size=1)
values = st.one_of(
    scalars,
    points,
    choices,
    st.lists(targets, max_size=2),
    st.lists(good_points, max_size=3),
    st.lists(points | good_points, max_size=3),
    st.lists(boxes | scalars, max_size=3),
)
variables = st.one_of(
    st.none(), st.fixed_dictionaries({}, optional={"v": values, "f": scalars, "t": scalars})
)

ARGUMENTS: dict[str, tuple[str, list[str], st.SearchStrategy[Any]]] = {
    "n": ("Int", ["null", "3", "-2147483648"], numbers),
    "f": ("Float", ["null", "3", "0.5"], numbers),
    "t": ("String", ["null", '""', '"text"'], scalars),
    "size": ("Size", ["null", "SMALL"], st.sampled_from(["SMALL", "LARGE", "HUGE", None, 1])),
    "weights": ("[Float]", ["null", "[]", "1", "[1, null, 0.5]"], st.lists(numbers) | numbers),
    "point": ("Point", ["null", "{x: 1, y: 0.5, z: -1}"], points | good_points),
    "box": ("Box", ["null", '{name: "a", weights: [1]}'], boxes),
    "choice": ("Choice", ["null", "{number: 5}", '{text: "a"}'], choices),
    "targets": (
        "[Target!]",
        ["null", "[]", "{size: SMALL}", "[{choice: {number: 1}}, {corners: []}]"],
        st.lists(targets, max_size=2) | targets,
    ),
    "raw": ("JSON", ["null", "[1, {a: [2]}]", "{a: [2]}"], st.lists(scalars, max_size=2) | scalars),
}
"""The arguments of `Query.everything`: their types, some literals, and values of all kinds."""


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """Draw an operation, some of whose variables have defaults, and values for two requests."""
    names = draw(st.lists(st.sampled_from([*ARGUMENTS]), min_size=1, max_size=4, unique=True))
    declared = []
    for name in names:
        of_type, literals, _ = ARGUMENTS[name]
        is_required = draw(st.booleans())
        default = draw(st.sampled_from(["", *literals[is_required:]]))
        declared.append(f"${name}: {of_type}{'!' * is_required}{' = ' * bool(default)}{default}")
    given = ", ".join(f"{name}: ${name}" for name in names)
    text = f"query ({', '.join(declared)}) {{ everything({given}) }}"
    optional = {name: ARGUMENTS[name][2] | st.none() for name in names}
    requests = st.fixed_dictionaries({}, optional=optional)
    return text, [draw(requests), draw(requests)]
