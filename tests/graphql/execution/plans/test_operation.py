"""Operations by their plans: whatever the variables are, the answer is graphql-core's."""

import asyncio
import enum
from typing import Any

import hypothesis
import pytest
import strawberry
from graphql import OperationDefinitionNode, execute, execute_root_selection_set, parse, validate
from hypothesis import strategies as st

from gql_platform.graphql.execution.plans import OperationPlan
from gql_platform.graphql.execution.plans.variables import Variables


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


SCHEMA = strawberry.Schema(query=Query)._schema
DOCUMENTS = {
    text: parse(text)
    for text in (
        "query ($v: [Point!]!) { points(points: $v) }",
        "query ($v: [Box]) { boxes(boxes: $v) }",
        "query Q($v: Int!, $f: Float, $t: String) { scalars(n: $v, f: $f, t: $t) }",
        "query ($v: Int = 3) { scalars(n: $v) }",
        "query ($v: Choice!) { choice(choice: $v) }",
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
values = st.one_of(
    scalars,
    points,
    choices,
    st.lists(good_points, max_size=3),
    st.lists(points | good_points, max_size=3),
    st.lists(boxes | scalars, max_size=3),
)
variables = st.one_of(
    st.none(), st.fixed_dictionaries({}, optional={"v": values, "f": scalars, "t": scalars})
)


def shown(result: Any) -> tuple[str, list[tuple[str, Any, Any]]]:
    """Return all that a client sees of a result."""
    if asyncio.iscoroutine(result):
        result = asyncio.run(_awaited(result))
    errors = [(each.message, each.path, each.locations) for each in result.errors or ()]
    return repr(result.data), errors


async def _awaited(result: Any) -> Any:
    return await result


def by_plan(text: str, raw: dict[str, Any] | None) -> tuple[str, list[tuple[str, Any, Any]]]:
    """Return the answer by a plan."""
    document = DOCUMENTS[text]
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    execution = OperationPlan(SCHEMA, document, operation).execution(None, raw)
    if isinstance(execution, list):
        return "None", [(each.message, each.path, each.locations) for each in execution]
    return shown(execute_root_selection_set(execution))


@pytest.mark.parametrize("text", DOCUMENTS)
@hypothesis.settings(max_examples=300)
@hypothesis.given(raw=variables)
def test_answer_is_that_of_graphql_core(text: str, raw: dict[str, Any] | None) -> None:
    """Coerced values, errors, their places and their order are the same."""
    assert validate(SCHEMA, DOCUMENTS[text]) == []
    expected = shown(execute(SCHEMA, DOCUMENTS[text], variable_values=raw))
    assert by_plan(text, raw) == expected


def planned(text: str) -> Variables | None:
    """Return the planned variables of an operation."""
    operation = DOCUMENTS[text].definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return OperationPlan(SCHEMA, DOCUMENTS[text], operation)._variables


class TestPlanned:
    """What is usual is not left to graphql-core."""

    def test_rows_of_numbers(self) -> None:
        """A list of objects of numbers is coerced by the plan."""
        variables = planned("query ($v: [Point!]!) { points(points: $v) }")
        assert variables is not None
        rows = [{"z": 3.0, "x": 1.0, "y": 2.0}, {"x": 1, "y": 2.5, "z": 0.0}]
        found = variables.values({"v": rows})
        assert found is not None
        assert [list(row.items()) for row in found.coerced["v"]] == [
            [("x", 1.0), ("y", 2.0), ("z", 3.0)],
            [("x", 1.0), ("y", 2.5), ("z", 0.0)],
        ]

    def test_objects_with_defaults(self) -> None:
        """Fields that are left out have their defaults."""
        variables = planned("query ($v: [Box]) { boxes(boxes: $v) }")
        assert variables is not None
        found = variables.values({"v": [{"name": "a"}, None]})
        assert found is not None
        assert found.coerced["v"][0]["size"] is Size.SMALL

    @pytest.mark.parametrize(
        "text",
        [
            "query ($v: Choice!) { choice(choice: $v) }",
            "query ($v: Int = 3) { scalars(n: $v) }",
        ],
    )
    def test_the_rest_is_graphql_cores(self, text: str) -> None:
        """Choices and defaults of variables are left to graphql-core."""
        assert planned(text) is None
