"""Tools may ask for the whole schema, whatever its size, and for no more than that."""

import pytest
from graphql import GraphQLSchema, build_schema, parse

from gql_platform.graphql.execution.limits.bounds import Limit, Limits
from gql_platform.graphql.execution.limits.guard import INTROSPECTION, Guard
from gql_platform.graphql.execution.limits.refusals import LimitExceededError


def schema_of(types: int) -> GraphQLSchema:
    """Return a schema with so many types of thirty fields."""
    fields = " ".join(f"f{number}(a: Int, b: Int): Int" for number in range(30))
    made = "\n".join(f"type T{number} {{ {fields} }}" for number in range(types))
    roots = " ".join(f"t{number}: T{number}" for number in range(types))
    return build_schema(f"type Query {{ {roots} }}\n{made}")


def measured(schema: GraphQLSchema, text: str) -> dict[Limit, int]:
    """Return the measures of a document that is let through."""
    operation = Guard(schema).measure(parse(text)).operation(None)
    assert operation is not None
    return operation.measured


def test_the_usual_document_is_let_through() -> None:
    """It may ask for more objects than any other document of a large schema."""
    large = schema_of(400)
    found = Guard(large).measure(parse(INTROSPECTION)).operation("IntrospectionQuery")
    assert found is not None
    assert found.is_introspection
    assert found.measured[Limit.NODES] > Limits().nodes
    assert found.measured[Limit.COST] > Limits().cost


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        f"{{ t0 {{ f0 }} {INTROSPECTION.partition('{')[2]}",
    ],
)
def test_what_asks_for_more_is_refused(text: str) -> None:
    """Neither deeper documents nor others that begin like it may cost as much."""
    with pytest.raises(LimitExceededError):
        Guard(schema_of(400)).measure(parse(text))


def test_a_small_schema_changes_no_limit() -> None:
    """Where the usual document is small, what asks for the schema has the usual limits."""
    assert measured(schema_of(1), "{ __schema { types { name } } }")[Limit.NODES] < 100
    guard = Guard(schema_of(1))
    guard.measure(parse(INTROSPECTION))
    assert guard.limits == Limits()
