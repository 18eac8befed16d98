"""The guard against the naive way: write all fragments out, and count."""

import hypothesis
from graphql import execute_sync, parse
from hypothesis import given

from gql_platform.graphql.execution.limits.bounds import Limit, Limits
from gql_platform.graphql.execution.limits.guard import Guard
from tests.graphql.execution.limits.naive import Naive, documents
from tests.graphql.execution.limits.shop import core

LARGE = 999_999_999
GUARD = Guard(core, Limits(**{limit.value: LARGE for limit in Limit}))


class TestExpansion:
    @given(documents())
    @hypothesis.settings(max_examples=300)
    def test_measures_equal_those_of_the_document_written_out(
        self, drawn: tuple[str, dict[str, object]]
    ) -> None:
        """Visiting each fragment once gives the numbers that writing them out gives."""
        text, variables = drawn
        document = parse(text)
        operation = GUARD.measure(document).operation(None)
        assert operation is not None
        expected = vars(Naive(document, variables).operation())
        nodes, cost = operation._formula.evaluate(variables, operation._defaults)

        assert operation.requested(variables) == expected["cost"]
        assert {**operation.measured, Limit.NODES: nodes, Limit.COST: cost} == expected


class TestActual:
    @given(documents())
    @hypothesis.settings(max_examples=300)
    def test_the_cost_of_an_answer_is_its_number_of_keys(
        self, drawn: tuple[str, dict[str, object]]
    ) -> None:
        """Where every field weighs 1, each key of the answer costs 1, and nothing else does."""
        text, variables = drawn
        hypothesis.assume("predict" not in text)
        document = parse(text)
        operation = GUARD.measure(document).operation(None)
        assert operation is not None
        result = execute_sync(core, document, variable_values=variables)
        assert result.errors is None

        assert operation.actual(result.data, variables) == keys(result.data)


def keys(value: object) -> int:
    """Count the keys of all dictionaries in a value."""
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0
