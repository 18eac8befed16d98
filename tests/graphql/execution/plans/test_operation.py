"""Operations by their plans: whatever the variables are, the answer is graphql-core's."""

import asyncio
from copy import deepcopy
from typing import Any

import hypothesis
import pytest
from graphql import (
    DocumentNode,
    OperationDefinitionNode,
    Undefined,
    build_schema,
    coerce_input_value,
    execute,
    execute_root_selection_set,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from gql_platform.graphql.execution.plans import OperationPlan
from gql_platform.graphql.execution.plans.variables import UnusualError, Variables, coercion_of
from tests.graphql.execution.plans.operations import (
    DOCUMENTS,
    SCHEMA,
    Size,
    operations,
    variables,
)


def shown(result: Any) -> tuple[str, list[tuple[str, Any, Any]]]:
    """Return all that a client sees of a result."""
    if asyncio.iscoroutine(result):
        result = asyncio.run(_awaited(result))
    errors = [(each.message, each.path, each.locations) for each in result.errors or ()]
    return repr(result.data), errors


async def _awaited(result: Any) -> Any:
    return await result


def plan_of(document: DocumentNode) -> OperationPlan:
    """Return the plan of a document's first operation."""
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return OperationPlan(SCHEMA, document, operation)


def by_plan(
    plan: OperationPlan, raw: dict[str, Any] | None
) -> tuple[str, list[tuple[str, Any, Any]]]:
    """Return the answer by a plan."""
    execution = plan.execution(None, raw)
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
    assert by_plan(plan_of(DOCUMENTS[text]), raw) == expected


@hypothesis.settings(max_examples=1_000)
@hypothesis.given(drawn=operations())
def test_random_operation_is_answered_as_by_graphql_core(
    drawn: tuple[str, list[dict[str, Any]]],
) -> None:
    """Defaults count wherever a variable is not given, also for the second request of a plan."""
    text, requests = drawn
    document = parse(text)
    assert validate(SCHEMA, document) == []
    plan = plan_of(document)
    assert plan._variables is not None
    for raw in requests:
        # Each has values of its own, since the resolver alters them.
        expected = shown(execute(SCHEMA, document, variable_values=deepcopy(raw)))
        assert by_plan(plan, deepcopy(raw)) == expected
        execution = plan.execution(None, raw)
        values = get_variable_values(SCHEMA, plan._operation.variable_definitions or (), raw)
        if not isinstance(execution, list):
            assert isinstance(values, VariableValues)
            assert comparable(execution.variable_values) == comparable(values)


def comparable(values: VariableValues) -> tuple[str, list[tuple[str, str, str]]]:
    """Return what resolvers and literals can see of the values of variables."""
    sources = [
        (name, str(source.signature.type), repr(source.value))
        for name, source in values.sources.items()
    ]
    return repr(values.coerced), sources


def planned(text: str) -> Variables | None:
    """Return the planned variables of an operation."""
    return plan_of(parse(text))._variables


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

    def test_choice(self) -> None:
        """Of an object of one field, exactly that field is coerced."""
        variables = planned("query ($v: [Target!]) { everything(targets: $v) }")
        assert variables is not None
        found = variables.values({"v": [{"boxName": "a"}, {"choice": {"number": 5}}]})
        assert found is not None
        assert found.coerced == {"v": [{"boxName": "a"}, {"choice": {"number": 5}}]}

    @pytest.mark.parametrize(
        "value", [{}, {"number": 1, "text": "a"}, {"number": None}, {"other": 1}, "a", [], None]
    )
    def test_no_choice(self, value: object) -> None:
        """None, several, an unknown one or a null one is left to graphql-core."""
        variables = planned("query ($v: Choice!) { choice(choice: $v) }")
        assert variables is not None
        assert variables.values({"v": value}) is None

    @pytest.mark.parametrize(
        ("declared", "default"),
        [
            ("Int = 3", 3),
            ("Int! = 3", 3),
            ("Float = 3", 3.0),
            ("Size = SMALL", Size.SMALL),
            ("[Float] = 1", [1.0]),
            ("Int = null", None),
            ("Choice! = {number: 5}", {"number": 5}),
        ],
    )
    def test_default(self, declared: str, default: object) -> None:
        """It is the coerced value of a variable that is not given, and not what was given."""
        variables = planned(f"query ($v: {declared}) {{ everything }}")
        assert variables is not None
        found = variables.values({})
        assert found is not None
        assert found.coerced == {"v": default}
        assert found.sources["v"].value is Undefined

    @pytest.mark.parametrize(
        ("declared", "expected"),
        [("Int = 3", {"v": None}), ("[Float] = 1", {"v": None}), ("Int! = 3", None)],
    )
    def test_null_is_not_the_default(self, declared: str, expected: object) -> None:
        """A null that is given stays one; where it may not be, graphql-core tells."""
        variables = planned(f"query ($v: {declared}) {{ everything }}")
        assert variables is not None
        found = variables.values({"v": None})
        assert (found and found.coerced) == expected

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"a": 1}, {"a": 1}),
            ({"b": "x"}, {"b": "x"}),
            ({}, None),
            ({"a": 1, "b": "x"}, None),
            ({"a": None}, None),
            ({"c": 1}, None),
        ],
    )
    def test_choice_of_graphql_core(self, value: object, expected: object) -> None:
        """Types that graphql-core itself knows as a choice are planned as well."""
        schema = build_schema(
            "type Query { pick(choice: Choice!): Int } input Choice @oneOf { a: Int b: String }"
        )
        coerce = coercion_of(schema.get_type("Choice"))  # type: ignore[arg-type]
        assert coerce_input_value(value, schema.get_type("Choice")) == (  # type: ignore[arg-type]
            Undefined if expected is None else expected
        )
        if expected is None:
            with pytest.raises(UnusualError):
                coerce(value)
        else:
            assert coerce(value) == expected

    def test_default_that_a_resolver_altered(self) -> None:
        """The next request has the default as the document says it."""
        variables = planned("query ($v: JSON = [1, {a: [2]}], $w: [Float] = [1]) { everything }")
        assert variables is not None
        for _ in range(2):
            found = variables.values({})
            assert found is not None
            assert found.coerced == {"v": [1, {"a": [2]}], "w": [1.0]}
            found.coerced["v"][1]["a"].append(3)
            found.coerced["w"].clear()

    def test_variable_of_a_fragment(self) -> None:
        """Variables that fragments declare are left to graphql-core."""
        text = "query ($v: Int) { ...F(n: $v) } fragment F($n: Int) on Query { scalars }"
        document = parse(text, experimental_fragment_arguments=True)
        assert plan_of(document)._variables is None
