"""A thousand hostile documents, and what refuses each of them."""

import gc
import statistics
from time import perf_counter

import pytest
from graphql import GraphQLSchema, GraphQLSyntaxError

from gql_platform.graphql.execution.limits.guard import Guard
from gql_platform.graphql.execution.limits.refusals import DocumentRefusedError, LimitExceededError
from gql_platform.graphql.schema import build_schema
from tests.graphql.execution.limits.hostile import FAMILIES, Hostile, hostile_documents

SYNTAX = "syntax"
VALIDATION = "validation"
CYCLE = "cycle"


EXPECTED = {
    "fragment_chain": "fields nesting",
    "fragment_chain_of_lists": "depth nesting",
    "fragment_cycle": "cycle",
    "fragment_cycle_aside": "cycle",
    "same_spread": "fields tokens",
    "many_fragments": "fragments",
    "unused_fragments": "comparisons validation",
    "fragments_in_pairs": "comparisons",
    "fragments_of_all_others": "nesting tokens",
    "unknown_fragments": "validation",
    "alias_flood": "aliases",
    "alias_flood_in_fragments": "aliases",
    "duplicate_fields": "root_fields",
    "duplicate_leaves": "comparisons fields",
    "duplicate_objects": "comparisons",
    "conflicting_fields": "validation",
    "conflicting_arguments": "comparisons validation",
    "unknown_fields": "fields validation",
    "typename_flood": "root_fields",
    "wide_root": "root_fields",
    "deep_nesting": "depth nesting",
    "deep_inline_fragments": "nesting syntax",
    "wide_inline_fragments": "bytes comparisons tokens",
    "introspection_depth": "depth nodes",
    "introspection_lists": "depth fields validation",
    "pages_of_pages": "nodes",
    "giant_page": "nodes",
    "giant_page_variable": "nodes",
    "giant_page_default": "nodes",
    "directives_at_one_place": "directives_per_location",
    "directives_everywhere": "directives",
    "unknown_directives": "validation",
    "giant_number": "validation",
    "giant_string": "bytes",
    "giant_block_string": "bytes",
    "deep_list_literal": "syntax validation",
    "deep_object_literal": "syntax validation",
    "wide_list_literal": "tokens validation",
    "wide_object_literal": "validation",
    "wide_arguments": "validation",
    "many_operations": "operations",
    "operations_with_one_fragment": "validation",
    "many_variables": "validation variables",
    "undeclared_variables": "validation",
    "nested_variable_default": "validation",
    "unicode_names": "syntax",
    "unicode_strings": "bytes",
    "comments_only": "bytes syntax tokens",
    "comments_around": "tokens",
    "spaces": "bytes",
    "unclosed": "syntax",
}
"""What refuses the documents of each family, small and large ones."""


@pytest.fixture(scope="module")
def core() -> GraphQLSchema:
    """Return the platform's static schema."""
    return build_schema()._schema


def outcome(guard: Guard, document: Hostile) -> str:
    """Return what refuses a document: a limit's name, or the step that finds an error."""
    try:
        parsed = guard.parse(document.text)
        for operation in guard.measure(parsed).operations.values():
            operation.requested(document.variables)
        return VALIDATION if guard.validate(parsed) else "accepted"
    except LimitExceededError as error:
        return error.limit
    except DocumentRefusedError:
        return CYCLE
    except GraphQLSyntaxError:
        return SYNTAX


def test_there_are_a_thousand_of_them() -> None:
    """The families make different documents, at least a thousand in all."""
    documents = list(hostile_documents())

    assert len(FAMILIES) == len(EXPECTED) >= 20
    assert len({(each.text, str(each.variables)) for each in documents}) == len(documents) >= 1_000


@pytest.mark.slow
def test_each_is_refused_by_what_should_refuse_it(core: GraphQLSchema) -> None:
    """No hostile document is taken, and each family ends at the limits that are made for it."""
    guard = Guard(core)
    # A full collection of garbage, which many small objects bring about, looks at everything that
    # the tests have imported; this keeps it out of the times that are printed.
    gc.freeze()
    outcomes: dict[str, set[str]] = {}
    seconds = []
    for document in hostile_documents():
        start = perf_counter()
        outcomes.setdefault(document.family, set()).add(outcome(guard, document))
        seconds.append(perf_counter() - start)

    gc.unfreeze()
    p99 = statistics.quantiles(seconds, n=100)[98]
    print(f"{len(seconds)} documents, p99 {1e3 * p99:.1f} ms, worst {1e3 * max(seconds):.1f} ms")
    assert {name: " ".join(sorted(found)) for name, found in outcomes.items()} == EXPECTED
