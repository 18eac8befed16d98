"""Validation, with few errors and bounded effort."""

from typing import Any

import pytest
from graphql import GraphQLSchema, parse, specified_rules, validate

from gql_platform.graphql.execution.limits.bounds import Limit
from gql_platform.graphql.execution.limits.refusals import LimitExceededError
from gql_platform.graphql.execution.limits.validation import MAX_MESSAGE_LENGTH, find_errors
from gql_platform.graphql.schema import build_schema


@pytest.fixture(scope="module")
def core() -> GraphQLSchema:
    """Return the platform's static schema, which has a one-of input."""
    return build_schema()._schema


def messages(core: GraphQLSchema, text: str, **options: Any) -> list[str]:
    """Validate a document and return the messages of its errors."""
    errors = find_errors(core, parse(text), comparisons=1_000, **options)
    return [error.message for error in errors]


class TestErrors:
    def test_a_few_are_returned(self, core: GraphQLSchema) -> None:
        """The first ones, without a word about the others."""
        fields = " ".join(f"nope{at}" for at in range(20))

        assert messages(core, f"{{ server {{ {fields} }} }}") == [
            f"Cannot query field 'nope{at}' on type 'Server'." for at in range(5)
        ]
        assert len(messages(core, f"{{ server {{ {fields} }} }}", max_errors=7)) == 7

    def test_five_are_no_refusal(self, core: GraphQLSchema) -> None:
        """Exactly as many errors as are returned, and nothing after them."""
        assert len(messages(core, "{ server { a b c d e } }")) == 5

    def test_long_literal_has_one_error(self, core: GraphQLSchema) -> None:
        """Each error prints all of the literal; a short one has as many as there are."""
        short = "{ deployments(first: {a: 1}) { nodes { model } } }"
        wide = ", ".join(f"field{at}: 1" for at in range(100))
        text = "{ model(by: {%s}) { id } }"

        assert len(messages(core, text % "a: 1, b: 1, c: 1")) > 2
        assert len([each for each in messages(core, text % wide) if "unknown field" in each]) == 1
        assert len(messages(core, short)) == 1

    def test_names_are_suggested_on_demand(self, core: GraphQLSchema) -> None:
        """They tell what a schema has to those who may not see it."""
        text = "{ server { stat } }"

        assert messages(core, text) == ["Cannot query field 'stat' on type 'Server'."]
        assert "Did you mean 'state'" in messages(core, text, suggestions=True)[0]

    def test_long_messages_are_cut(self, core: GraphQLSchema) -> None:
        """An error does not send back all that was sent."""
        (message,) = messages(core, f"{{ {'x' * 10_000} }}")

        assert len(message) == MAX_MESSAGE_LENGTH + 1

    def test_the_rules_are_all_there(self, core: GraphQLSchema) -> None:
        """What the specification's rules find is found, in their order."""
        text = "query ($a: Int) { server { state @nope } models(first: true) { a } }"
        expected = [error.message for error in validate(core, parse(text), specified_rules)]

        assert sorted(messages(core, text)) == sorted(expected)

    def test_the_search_for_conflicts_is_bounded(self, core: GraphQLSchema) -> None:
        """It compares each field with each other one of the same name."""
        with pytest.raises(LimitExceededError) as caught:
            messages(core, f"{{ server {{ {'state ' * 100} }} }}")

        assert caught.value.limit == Limit.COMPARISONS


class TestOneOf:
    """Inputs of which one field must be given."""

    @pytest.mark.parametrize(
        "text",
        [
            '{ model(by: { name: "a" }) { id } }',
            "query ($name: String!) { model(by: { name: $name }) { id } }",
            "fragment F on Query { model(by: { name: $n }) { id } } query ($n: String!) { ...F }",
        ],
    )
    def test_one_field_is_right(self, core: GraphQLSchema, text: str) -> None:
        """As a literal or a variable, also in a fragment that stands before its operation."""
        assert messages(core, text) == []

    @pytest.mark.parametrize(
        ("by", "complaint"),
        [
            ("{}", "must specify exactly one key"),
            ('{ name: "a", id: "b" }', "must specify exactly one key"),
            ("{ name: null }", "must be non-null"),
            ("{ name: $name }", "must be non-nullable"),
        ],
    )
    def test_anything_else_is_wrong(self, core: GraphQLSchema, by: str, complaint: str) -> None:
        """None, two, null, or what may be null."""
        (message,) = messages(core, _query(by))

        assert complaint in message

    def test_an_undeclared_variable_is_an_error_like_any_other(self, core: GraphQLSchema) -> None:
        """And not a failure of the rule."""
        (message,) = messages(core, "{ model(by: { name: $nope }) { id } }")

        assert message == "Variable '$nope' is not defined."


def _query(by: str) -> str:
    variables = "($name: String)" if "$" in by else ""
    return f"query Q{variables} {{ model(by: {by}) {{ id }} }}"
