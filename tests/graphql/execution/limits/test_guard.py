"""The limits at their boundaries, and what a refusal tells."""

from collections.abc import Mapping

import pytest
from graphql import GraphQLSyntaxError, build_schema, get_introspection_query, parse

from gql_platform.graphql.execution.limits.bounds import SATURATED, Limit, Limits
from gql_platform.graphql.execution.limits.guard import Guard
from gql_platform.graphql.execution.limits.refusals import (
    FragmentCycleError,
    IntrospectionDisabledError,
    LimitExceededError,
)
from gql_platform.graphql.schema import build_schema as platform_schema
from tests.graphql.execution.limits.shop import core


def check(guard: Guard, text: str, variables: Mapping[str, object] | None = None) -> None:
    """Take a document through all that happens before it runs, and assert that it is valid."""
    document = guard.parse(text)
    for operation in guard.measure(document).operations.values():
        operation.requested(variables)
    assert guard.validate(document) == []


NAMES = {
    Limit.DIRECTIVES_PER_LOCATION: "directivesPerLocation",
    Limit.ROOT_FIELDS: "rootFields",
}
"""Limits whose names in answers differ."""

TWO_VARIABLES = """
    query ($a: Int!, $b: Int!) { page(first: $a) { total } b: page(first: $b) { total } }
"""

DIRECTIVES_IN_FRAGMENTS = """
    { item { ...F @skip(if: false) ...F } }
    fragment F on Item { id @skip(if: false) ... @skip(if: false) { id } }
"""


class TestBoundaries:
    """A document with exactly the maximum passes; with one more it is refused."""

    @pytest.mark.parametrize(
        ("limit", "value", "text"),
        [
            (Limit.OPERATIONS, 2, "query A { item { id } } query B { item { id } }"),
            (Limit.FRAGMENTS, 1, "{ item { ...F } } fragment F on Item { id }"),
            (Limit.VARIABLES, 2, TWO_VARIABLES),
            (
                Limit.DIRECTIVES_PER_LOCATION,
                2,
                "{ item @skip(if: false) @include(if: true) { id } }",
            ),
            (Limit.NESTING, 4, "{ item { ... { ...F } } } fragment F on Item { id }"),
            (Limit.DEPTH, 3, "{ item { ... { ...F } } } fragment F on Item { parent { id } }"),
            (Limit.ALIASES, 3, "{ a: item { ...F ...F } } fragment F on Item { b: id }"),
            (Limit.ROOT_FIELDS, 2, "{ __typename ...F } fragment F on Query { item { id } }"),
            (Limit.DIRECTIVES, 5, DIRECTIVES_IN_FRAGMENTS),
            (Limit.FIELDS, 5, "{ item { ...F ...F } } fragment F on Item { id name }"),
            (Limit.NODES, 5, "{ page(first: 4) { nodes { id } } }"),
            (Limit.COST, 10, "{ page(first: 4) { nodes { id name } } }"),
        ],
    )
    def test_the_maximum_passes_and_one_more_does_not(
        self, limit: Limit, value: int, text: str
    ) -> None:
        """Each limit counts what its description says."""
        check(Guard(core, Limits(**{limit.value: value})), text)
        with pytest.raises(LimitExceededError) as caught:
            check(Guard(core, Limits(**{limit.value: value - 1})), text)

        assert caught.value.facts == {
            "limit": NAMES.get(limit, limit.value),
            "value": value,
            "maximum": value - 1,
            "atLeast": False,
        }
        assert caught.value.limit == limit

    def test_bytes_are_counted_in_utf_8(self) -> None:
        """A letter with an accent has two."""
        guard = Guard(core, Limits(bytes=14))

        assert guard.parse("{ item } # eee") is not None
        with pytest.raises(LimitExceededError):
            guard.parse("{ item } # eeé")

    def test_tokens_are_counted_with_comments(self) -> None:
        """Parsing ends at the first token too many, so the true number stays unknown."""
        text = "# six\n{ item { id } }"
        check(Guard(core, Limits(tokens=7)), text)

        with pytest.raises(LimitExceededError) as caught:
            Guard(core, Limits(tokens=5)).parse(text)
        assert caught.value.facts == {
            "limit": "tokens", "value": 6, "maximum": 5, "atLeast": True,
        }  # fmt: skip

    def test_comparisons_are_counted_over_the_document(self) -> None:
        """Two equal leaves are compared once, which is two units."""
        text = "{ item { id id } }"
        check(Guard(core, Limits(comparisons=2)), text)

        with pytest.raises(LimitExceededError) as caught:
            check(Guard(core, Limits(comparisons=1)), text)
        assert caught.value.facts == {
            "limit": "comparisons", "value": 2, "maximum": 1, "atLeast": True,
        }  # fmt: skip

    def test_the_first_limit_in_order_is_told(self) -> None:
        """Where several limits are exceeded, their order decides, not the document's."""
        guard = Guard(core, Limits(depth=1, fields=1, cost=1))
        with pytest.raises(LimitExceededError) as caught:
            check(guard, "{ item { id name } }")

        assert caught.value.limit == Limit.DEPTH

    def test_directives_count_wherever_they_stand(self) -> None:
        """On operations, variables and fragments too; validation tells whether they may."""
        text = """
            query ($n: Int @a) @b { item { ...F @c ...F } }
            fragment F on Item @d @e { id @f }
        """
        guard = Guard(core, Limits(directives_per_location=2))
        operation = guard.measure(parse(text)).operation(None)

        assert operation is not None
        assert operation.measured[Limit.DIRECTIVES] == 3 + 2 * 3
        with pytest.raises(LimitExceededError):
            Guard(core, Limits(directives_per_location=1)).measure(parse(text))

    def test_all_operations_count(self) -> None:
        """An operation that does not run must be within the limits too."""
        with pytest.raises(LimitExceededError):
            check(
                Guard(core, Limits(depth=2)),
                "query A { item { id } } query B { item { parent { id } } }",
            )


class TestRefusals:
    def test_a_limit_is_told_with_value_and_maximum(self) -> None:
        """The message is for people, the extensions are for programs."""
        with pytest.raises(LimitExceededError) as caught:
            check(Guard(core, Limits(root_fields=1)), "{ item { id } __typename }")

        assert caught.value.formatted == {
            "message": "The document has root fields: 2; at most 1 are taken. "
            "Ask for less at once, or in several requests.",
            "extensions": {
                "code": "LIMIT_EXCEEDED",
                "limit": "rootFields",
                "value": 2,
                "maximum": 1,
                "atLeast": False,
            },
        }

    def test_a_saturated_value_is_told_as_such(self) -> None:
        """A chain of forty fragments that each spread the next one twice has 2^40 fields."""
        chain = " ".join(f"fragment F{i} on Item {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40))
        text = f"{{ item {{ ...F0 }} }} {chain} fragment F40 on Item {{ id }}"
        with pytest.raises(LimitExceededError) as caught:
            check(Guard(core), text)

        assert caught.value.facts == {
            "limit": "fields", "value": SATURATED, "maximum": 1_000, "atLeast": True,
        }  # fmt: skip
        assert f">= {SATURATED}" in caught.value.message

    @pytest.mark.parametrize(
        "text",
        [
            "{ item { ...A } } fragment A on Item { ...A }",
            "{ item { id } } fragment A on Item { parent { ...B } } fragment B on Item { ...A }",
        ],
    )
    def test_a_cycle_is_refused_wherever_it_is(self, text: str) -> None:
        """Also among fragments that nothing uses, for validation visits those."""
        with pytest.raises(FragmentCycleError, match="within itself") as caught:
            check(Guard(core), text)

        assert caught.value.code == "GRAPHQL_VALIDATION_FAILED"

    def test_a_long_chain_of_fragments_does_not_exhaust_the_stack(self) -> None:
        """Fragments are put in order without recursion."""
        chain = " ".join(f"fragment F{i} on Item {{ ...F{i + 1} }}" for i in range(900))
        text = f"{{ item {{ ...F0 }} }} {chain} fragment F900 on Item {{ id }}"
        with pytest.raises(LimitExceededError) as caught:
            check(Guard(core, Limits(fragments=1_000, tokens=10_000)), text)

        assert (caught.value.limit, caught.value.value) == (Limit.NESTING, 903)

    def test_fragments_that_all_spread_each_other_are_visited_once(self) -> None:
        """There are 2^39 ways through these forty; walking all of them would not end."""
        fragments = " ".join(
            f"fragment F{at} on Item {{ id {' '.join(f'...F{b}' for b in range(at + 1, 40))} }}"
            for at in range(40)
        )
        with pytest.raises(LimitExceededError) as caught:
            check(Guard(core), f"{{ item {{ ...F0 }} }} {fragments}")

        assert (caught.value.limit, caught.value.value) == (Limit.FIELDS, SATURATED)

    def test_what_is_no_graphql_is_a_syntax_error(self) -> None:
        """It is not mistaken for a document of too many tokens."""
        with pytest.raises(GraphQLSyntaxError):
            Guard(core).parse("{ item")

    def test_a_limit_that_nothing_could_exceed_is_refused(self) -> None:
        """Sums saturate before they reach it."""
        with pytest.raises(ValueError, match="cost must lie between 0 and 999999999"):
            Limits(cost=SATURATED)

    def test_unknown_names_are_left_to_validation(self) -> None:
        """The guard counts them, and does not fail."""
        document = parse("{ nope { nope } ...Nope ... on Nope { nope } item { ... on Int { a } } }")
        operation = Guard(core).measure(document).operation(None)

        assert operation is not None
        assert operation.measured[Limit.FIELDS] == 5

    def test_a_document_of_definitions_has_no_operation(self) -> None:
        """It is validation that refuses it."""
        assert not Guard(core).measure(parse("type A { b: Int }")).operations

    def test_missing_root_types_are_left_to_validation(self) -> None:
        """A schema without mutations measures one as unknown fields."""
        document = parse("mutation { nope { nope } }")
        operation = Guard(build_schema("type Query { a: Int }")).measure(document).operation(None)

        assert operation is not None
        assert operation.requested() == 2


class TestOperations:
    def test_an_operation_is_found_as_execution_finds_it(self) -> None:
        """By name, or without one if it is the only one."""
        named = Guard(core).measure(parse("query A { item { id } } query B { item { id name } }"))
        alone = Guard(core).measure(parse("query A { item { id } }"))

        assert named.operation("B") is named.operations["B"]
        assert (named.operation(None), named.operation("C")) == (None, None)
        assert alone.operation(None) is alone.operations["A"]


class TestIntrospection:
    @pytest.mark.parametrize(
        ("text", "field"),
        [
            ("{ __schema { types { name } } }", "__schema"),
            ('{ a: __type(name: "Item") { name } }', "__type"),
            ("{ ...F } fragment F on Query { ... { __schema { types { name } } } }", "__schema"),
        ],
    )
    def test_it_can_be_switched_off(self, text: str, field: str) -> None:
        """Under an alias and in fragments as well."""
        check(Guard(core), text)
        with pytest.raises(IntrospectionDisabledError) as caught:
            check(Guard(core, introspection=False), text)

        assert caught.value.extensions == {"code": "INTROSPECTION_DISABLED", "field": field}

    def test_the_name_of_a_type_is_always_told(self) -> None:
        """Clients need `__typename` for their caches."""
        check(Guard(core, introspection=False), "{ __typename item { __typename } }")

    def test_the_usual_query_of_tools_passes(self) -> None:
        """The playground and code generators ask for the whole schema."""
        guard = Guard(platform_schema()._schema)
        check(guard, get_introspection_query(input_value_deprecation=True))
