"""The cost of documents, on examples that can be checked by hand."""

from typing import Any

import pytest
from graphql import execute_sync, parse

from gql_platform.graphql.execution.limits.bounds import SATURATED, Limit, Limits
from gql_platform.graphql.execution.limits.guard import Guard, MeasuredOperation
from gql_platform.graphql.execution.limits.refusals import LimitExceededError
from gql_platform.graphql.execution.limits.sizes import size_of_value
from tests.graphql.execution.limits.shop import core, schema

LARGE = Limits(nodes=SATURATED - 1, cost=SATURATED - 1)


def operation_of(text: str, limits: Limits = LARGE) -> MeasuredOperation:
    """Measure a document of one operation."""
    operation = Guard(core, limits).measure(parse(text)).operation(None)
    assert operation is not None
    return operation


class TestRequested:
    @pytest.mark.parametrize(
        ("text", "cost"),
        [
            # Every field costs 1.
            ("{ item { id name parent { id } } }", 5),
            # Lists are taken for ten long, or for what they declare.
            ("{ item { children { id name } } }", 1 + 1 + 10 * 2),
            ("{ grid { id } }", 1 + 3 * 3),
            # What a slicing argument says counts, its default included.
            ("{ things(last: 4) { __typename } }", 1 + 4),
            ("{ things { __typename } }", 1 + 10),
            ("{ things(last: null) { __typename } }", 1 + 10),
            # A connection hands it to its lists, but for those that declare their own.
            ("{ page(first: 4) { total nodes { id } } }", 1 + 1 + 1 + 4),
            ("{ page { nodes { id } } }", 1 + 1 + 20),
            ("{ page(first: 4) { firstTwo { id } } }", 1 + 1 + 2),
            # Lists in lists multiply.
            ("{ page(first: 4) { nodes { page(first: 3) { nodes { id } } } } }", 2 + 4 * (2 + 3)),
            # A weight with a multiplier counts for each row, and sizes the fields that it names.
            ("{ predict(rows: [1, 2, 3]) { answers { id } } }", 7 * 3 + 1 + 3),
            ("{ predict(rows: [1, 2, 3]) { classes { id } } }", 7 * 3 + 1 + 10),
            ("{ predict(rows: 1) { answers { id } } }", 7 + 1 + 1),
            # Both branches of an abstract type count.
            ("{ things(last: 1) { ... on Item { id } ... on Person { id name } } }", 1 + 3),
            ("{ page(first: -4) { nodes { id } } }", 2),
        ],
    )
    def test_cost_is_weights_times_sizes(self, text: str, cost: int) -> None:
        """The sum over all fields, each times the sizes of the lists around it."""
        operation = (
            operation_of(text, Limits(nodes=SATURATED - 1, cost=SATURATED - 1))
            if cost < SATURATED
            else None
        )
        if operation is None:
            with pytest.raises(LimitExceededError, match=f">= {SATURATED}"):
                operation_of(text)
        else:
            assert operation.requested() == cost
            assert operation.measured[Limit.COST] == cost

    @pytest.mark.parametrize(
        ("variables", "size"),
        [
            ({"n": 4}, 4),
            ({"n": 4.0}, 4),
            ({}, 3),
            ({"n": -1}, 0),
            # These are refused later, by the coercion of variables.
            ({"n": None}, 10),
            ({"n": "4"}, 1),
            ({"n": True}, 1),
            ({"n": float("nan")}, 1),
            ({"n": {}}, 1),
            ({"n": [1, 2]}, 2),
        ],
    )
    def test_a_variable_tells_the_size(self, variables: dict[str, Any], size: int) -> None:
        """Its value, else its default."""
        operation = operation_of("query ($n: Int! = 3) { things(last: $n) { __typename } }")

        assert operation.requested(variables) == 1 + size

    def test_a_variable_without_value_and_default_leaves_the_arguments_default(self) -> None:
        """So says the coercion of arguments in the specification."""
        text = "query ($n: Int) { page(first: $n) { nodes { id } } }"

        assert operation_of(text).requested({}) == 2 + 20
        assert operation_of(text).requested() == 2 + 20

    @pytest.mark.parametrize(
        ("declared", "variables"),
        [
            ("", {}),
            ("($n: Int)", {"n": None}),
            ("($n: Int)", {}),
            ("($n: Int = null)", {}),
            ("($n: Int = null)", {"n": None}),
            ("($n: Int = 7)", {"n": None}),
        ],
    )
    def test_null_counts_as_the_arguments_default(
        self, declared: str, variables: dict[str, Any]
    ) -> None:
        """A page is cut to its default size then, and costs as much."""
        given = "$n" if declared else "null"
        text = f"query {declared} {{ page(first: {given}) {{ nodes {{ id }} }} }}"
        operation = operation_of(text)
        result = execute_sync(core, parse(text), variable_values=variables)

        assert operation.requested(variables) == 2 + 20
        assert operation.actual(result.data, variables) == 2 + 20

    @pytest.mark.parametrize(("variables", "size"), [({"n": None}, 20), ({}, 7), ({"n": 3}, 3)])
    def test_null_is_not_the_default_of_the_variable(
        self, variables: dict[str, Any], size: int
    ) -> None:
        """That stands in only where the variable is not given."""
        operation = operation_of("query ($n: Int = 7) { page(first: $n) { nodes { id } } }")

        assert operation.requested(variables) == 2 + size

    def test_null_counts_in_each_of_several_nodes(self) -> None:
        """The default size is multiplied by the number of ids."""
        text = """query ($ids: [ID!]!, $n: Int) {
            nodes(ids: $ids) { ... on Item {
                a: page(first: null) { nodes { id } } b: page(first: $n) { nodes { id } } } } }"""
        operation = operation_of(text)

        assert operation.requested({"ids": ["1", "2", "3"], "n": None}) == 1 + 3 * 2 * (2 + 20)
        assert operation.requested({"ids": ["1", "2", "3"]}) == 1 + 3 * 2 * (2 + 20)
        # This is refused later, by the coercion of variables.
        assert operation.requested({"ids": None}) == 1 + 10 * 2 * (2 + 20)

    def test_null_without_a_default_leaves_the_assumed_size(self) -> None:
        """Nothing tells how long the list is."""
        text = "query ($n: Int) { things(last: $n) { __typename } }"

        assert operation_of(text).requested({"n": None}) == 1 + 10
        assert operation_of(text).requested({}) == 1 + 10

    def test_rows_in_a_variable_count_by_their_number(self) -> None:
        """The cost of a prediction is known when its rows are."""
        operation = operation_of(
            "query ($rows: [Int!]!) { predict(rows: $rows) { answers { id } } }"
        )

        assert operation.requested({"rows": [1] * 500}) == 7 * 500 + 1 + 500
        assert operation.requested({"rows": []}) == 1

    def test_a_fragment_takes_the_size_of_the_field_around_it(self) -> None:
        """The same fragment stands in pages of different sizes."""
        text = """
            query ($n: Int!) { a: page(first: 2) { ...P } b: page(first: $n) { ...P } }
            fragment P on ItemConnection { nodes { id } }
        """

        assert operation_of(text).requested({"n": 5}) == (2 + 2) + (2 + 5)

    def test_variables_can_make_a_document_too_costly(self) -> None:
        """The limit is checked again with the variables of each request."""
        operation = operation_of(
            "query ($n: Int!) { page(first: $n) { nodes { id } } }", Limits(nodes=101, cost=102)
        )

        assert operation.requested({"n": 100}) == 102
        with pytest.raises(LimitExceededError) as caught:
            operation.requested({"n": 101})
        assert (caught.value.limit, caught.value.value) == (Limit.NODES, 102)

    def test_a_chain_of_fragments_with_variables_is_summed_up_once(self) -> None:
        """Sums of sums become steps: six fragments are a few of them, not two to the sixth."""
        chain = "\n".join(
            f"fragment F{at} on Item {{ a: page(first: $n) {{ nodes {{ ...F{at + 1} }} }}"
            f" b: page(first: $n) {{ nodes {{ ...F{at + 1} }} }} }}"
            for at in range(6)
        )
        text = f"query ($n: Int!) {{ item {{ ...F0 }} }} {chain} fragment F6 on Item {{ id }}"
        operation = operation_of(text, Limits(aliases=200, cost=SATURATED - 1, nodes=SATURATED - 1))

        # A fragment costs 4 for its fields, and twice n times the next one.
        expected = 1
        for _ in range(6):
            expected = 4 + 2 * 3 * expected
        assert operation.requested({"n": 3}) == 1 + expected
        assert len(operation._formula.lines) < 60

    def test_steps_of_other_operations_are_left_out(self) -> None:
        """What a request computes does not grow with the operations beside it."""
        others = " ".join(
            f"query Q{at}($n: Int!) {{ page(first: $n) {{ nodes {{ id }} }} }}" for at in range(5)
        )
        document = Guard(core).measure(parse(f"query A {{ item {{ id }} }} {others}"))

        assert document.operations["A"]._formula.slots == ()
        assert len(document.operations["Q4"]._formula.lines) == 4


class TestActual:
    def actual(self, text: str, variables: dict[str, Any] | None = None) -> int:
        """Run a document, and return the cost of its answer."""
        result = execute_sync(core, parse(text), variable_values=variables)
        assert result.errors is None
        return operation_of(text).actual(result.data, variables)

    @pytest.mark.parametrize(
        ("text", "cost"),
        [
            ("{ item { id name } }", 3),
            ("{ item { parent { id parent { id } } } }", 1 + 1 + 2),
            ("{ page(first: 3) { nodes { id owner { name } } } }", 2 + 3 * 3),
            ("{ page(first: 3) { nodes { children { id } } } }", 2 + 3 + (0 + 1 + 2)),
            ("{ item { gaps { id } } }", 2 + 1),
            ("{ grid { id } }", 1 + 3),
            ("{ things { id ... on Person { name } } }", 1 + 3 + 1),
            ("{ item { id @skip(if: true) name } }", 2),
            ("{ item { ...F ...F } } fragment F on Item { id name }", 3),
            ("{ predict(rows: [1, 2]) { answers { id } } }", 7 * 2 + 1 + 2),
        ],
    )
    def test_what_is_there_costs(self, text: str, cost: int) -> None:
        """Fields that are merged, left out or below null cost nothing."""
        assert self.actual(text) == cost

    def test_weights_depend_on_variables(self) -> None:
        """As they do in the requested cost."""
        text = "query ($rows: [Int!]!) { predict(rows: $rows) { answers { id } } }"

        assert self.actual(text, {"rows": [1, 2, 3]}) == 7 * 3 + 1 + 3

    def test_no_data_costs_nothing(self) -> None:
        """An answer of errors only has cost nothing that could be counted."""
        assert operation_of("{ item { id } }").actual(None) == 0

    def test_items_that_are_alike_are_not_looked_at(self) -> None:
        """The first item stands for all of them."""
        operation = operation_of("{ page { nodes { id owner { name } } } }")
        item = {"id": "1", "owner": {"name": "Ada"}}

        assert operation.actual({"page": {"nodes": [item, *[{}] * 9_999]}}) == 2 + 10_000 * 3


class TestDeclarations:
    def test_the_schema_shows_them(self) -> None:
        """In the words of the cost directives specification."""
        text = schema.as_str()

        assert "directive @cost(weight: Int!, multipliers: [String!]) on FIELD_DEFINITION" in text
        assert '@cost(weight: 7, multipliers: ["rows"])' in text
        assert '@listSize(slicingArguments: ["rows"], sizedFields: ["answers"])' in text
        assert "@listSize(assumedSize: 3)" in text


@pytest.mark.parametrize(
    ("value", "size"),
    [(5, 5), (-5, 0), (10**30, SATURATED), (1e300, SATURATED), (float("inf"), SATURATED), (2.7, 2)],
)
def test_numbers_are_brought_into_range(value: float, size: int) -> None:
    """Also those that no list could have."""
    assert size_of_value(value) == size
