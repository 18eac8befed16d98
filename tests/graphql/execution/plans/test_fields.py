"""Which fields are read in code, and how."""

import pytest
from graphql import GraphQLObjectType, parse

from gql_platform.graphql.execution.plans.fields import reader_of
from gql_platform.graphql.execution.plans.slots import Reader
from tests.graphql.execution.plans.comparison import branch
from tests.graphql.execution.plans.example import build


def reader(name: str) -> Reader | None:
    """Return how a field of branches is read."""
    schema = build(None)
    core = schema._schema
    branch_type = core.get_type("BranchType")
    assert isinstance(branch_type, GraphQLObjectType)
    definition = core.get_field(branch_type, name.partition(" ")[0])
    assert definition is not None
    operation = parse(f"{{ {name} }}").definitions[0]
    return reader_of(core, definition, list(operation.selection_set.selections))  # type: ignore[attr-defined]


class TestReaderOf:
    @pytest.mark.parametrize(
        ("name", "attribute"), [("label", "label"), ("leavesOrNull", "leaves_or_null")]
    )
    def test_attribute(self, name: str, attribute: str) -> None:
        """A field without a resolver is the attribute of its Python name."""
        assert reader(name) == Reader(attribute)

    @pytest.mark.parametrize(("name", "keyword"), [("static", "parent"), ("bound", None)])
    def test_resolver(self, name: str, keyword: str | None) -> None:
        """A resolver that takes the parent's value alone is called with it."""
        found = reader(name)
        assert found is not None
        assert found.keyword == keyword
        assert found(branch(computed="c")) == "c"

    @pytest.mark.parametrize("name", ["rooted", "scaled", "twice", "soon", "constant"])
    def test_other(self, name: str) -> None:
        """A field with more to it is graphql-core's."""
        assert reader(name) is None
