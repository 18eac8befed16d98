"""What compiled code hands over to graphql-core, value by value, and what it need not."""

from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import Undefined

from tests.graphql.execution.plans.comparison import Answer, branch, cat, dog, leaves, root, same
from tests.graphql.execution.plans.example import Edge, Page, Stone
from tests.graphql.execution.plans.records import Colour, Fish, Foreign
from tests.graphql.execution.plans.values import (
    Again,
    Mock,
    RaisingLeaves,
    Reusable,
    Text,
)

NULL = "Cannot return null for non-nullable field"


class TestUsualValues:
    """Nothing is handed over where all is as the schema says."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("text", ""), ("textOrNull", None), ("textOrNull", "a"), ("number", 2**31 - 1),
            ("number", -(2**31)), ("number", 2**30), ("number", 0), ("share", -0.0),
            ("share", 1e308), ("flag", False), ("key", "k"), ("colour", Colour.VERT),
            ("colourOrNull", None), ("colourOrNull", Colour.RED), ("even", 4),
            ("evenOrNull", None), ("evenOrNull", 6), ("raw", [float("nan")]), ("words", ()),
            ("words", ["a", "b"]), ("wordsOrNulls", None), ("wordsOrNulls", (None, "a")),
            ("matrix", ([1, 2], None, ())), ("colours", [None, Colour.RED]),
        ],
    )  # fmt: skip
    def test_leaf(self, field: str, value: object) -> None:
        """Each value of a leaf that is right stays in compiled code."""
        name = "".join(f"_{each.lower()}" if each.isupper() else each for each in field)
        found, handed_over = same(
            f"{{ leaves {{ {field} }} }}", root(leaves=[leaves(**{name: value})])
        )
        assert (found.errors, handed_over) == ([], 0)

    def test_selection_of_every_form(self) -> None:
        """Aliases, fragments, merged fields, names of types and conditions need no graphql-core."""
        document = """
            query ($yes: Boolean!, $no: Boolean! = false) {
              branch {
                other: label label label __typename
                ...Rest
                ... on BranchType { leaves { number } }
                ... @include(if: $no) { grid { text } }
                pet { ... on CatType { lives } __typename }
                named { name ... on CatType { lives } }
                namedOrNulls { name }
                pets { __typename }
                manyOrNulls { text } grid { text @skip(if: $yes) flag }
                static bound
              }
            }
            fragment Rest on BranchType { leaves { text @include(if: $yes) number } }
        """
        found, handed_over = same(document, root(branch=branch(computed="1")), yes=True)
        assert found == Answer(
            "{'branch': {'other': 'b', 'label': 'b', '__typename': 'BranchType', "
            "'leaves': {'text': 'a', 'number': 1}, "
            "'pet': {'lives': 7, '__typename': 'CatType'}, 'named': {'name': 'Tom', 'lives': 7}, "
            "'namedOrNulls': [{'name': 'Tom'}, None], 'pets': [{'__typename': 'CatType'}], "
            "'manyOrNulls': [{'text': 'a'}, None], 'grid': [[{'flag': True}], None], "
            "'static': '1', 'bound': 1}}",
            [],
        )
        # A string for an Int is converted by graphql-core, with all other fields of its object.
        assert handed_over > 0
        document = document.replace("static bound", "static")
        assert same(document, root(branch=branch()), yes=True)[1] == 0

    def test_connection(self) -> None:
        """Instances of Strawberry types are completed like records."""
        page = Page(edges=[Edge(cursor="c", node=leaves())], nodes=[leaves()], total=None)
        document = "{ branch { page { edges { cursor node { text } } nodes { text } total } } }"
        found, handed_over = same(document, root(branch=branch(page=page)))
        assert found == Answer(
            "{'branch': {'page': {'edges': [{'cursor': 'c', 'node': {'text': 'a'}}], "
            "'nodes': [{'text': 'a'}], 'total': None}}}",
            [],
        )
        assert handed_over == 0


class TestUnusualValues:
    """The value goes to graphql-core, which converts it or tells what is wrong, and where."""

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("number", None, NULL), ("number", 2**31, "Int cannot represent"),
            ("number", -(2**31) - 1, "Int cannot represent"),
            ("number", 1.5, "Int cannot represent"), ("number", "x", "Int cannot represent"),
            ("number", ValueError("It is an error"), "It is an error"),
            ("number", Undefined, NULL), ("share", float("nan"), "Float cannot represent"),
            ("share", float("inf"), "Float cannot represent"), ("text", None, NULL),
            ("text", b"x", "String cannot represent"), ("flag", "x", "Boolean cannot represent"),
            ("key", True, "ID cannot represent"), ("colour", Foreign.ONE, "Enum 'Colour'"),
            ("colour", "unknown", "Enum 'Colour'"), ("even", 3, "3 is not even"),
            ("even", 0, "to return non-nullable value"), ("words", "text", "Expected Iterable"),
            ("words", [None], NULL), ("words", 7, "Expected Iterable"),
            ("words", Again(["a"], raises=True), "The items ran out"),
        ],
    )  # fmt: skip
    def test_error_in_one_item(self, field: str, value: object, message: str) -> None:
        """The item is null as far as its field may not be; the error says where; others stand."""
        items = [leaves(), leaves(**{field: value}), leaves()]
        document = f"{{ branch {{ manyOrNulls {{ {field} }} }} }}"
        found, handed_over = same(document, root(branch=branch(many_or_nulls=items)))
        ((text, path, locations),) = found.errors
        assert message in text
        assert path is not None
        assert path[:4] == ["branch", "manyOrNulls", 1, field]
        assert locations == [(1, 26)]
        # The item's field, and an item of the field's list; the other items are not among them.
        assert handed_over in (1, 2)

    @pytest.mark.parametrize(
        ("field", "value", "shown"),
        [
            ("number", True, "1"), ("number", 2.0, "2"), ("share", 3, "3.0"),
            ("flag", 1, "True"), ("text", Text("t"), "'t'"), ("text", 5, "'5'"),
            ("key", 5, "'5'"), ("colour", "r", "'RED'"), ("words", Again(["a"]), "['a']"),
            ("words", {"a": 1}.keys(), "['a']"), ("number", Reusable(5), "5"),
            ("words", Reusable(["a"]), "['a']"), ("words", [Reusable("a"), "b"], "['a', 'b']"),
        ],
    )  # fmt: skip
    def test_value_that_is_converted(self, field: str, value: object, shown: str) -> None:
        """What graphql-core accepts although it is unusual is answered as graphql-core does."""
        document = f"{{ leaves {{ {field} }} }}"
        found, handed_over = same(document, root(leaves=[leaves(**{field: value})]))
        assert found == Answer(f"{{'leaves': [{{'{field}': {shown}}}]}}", [])
        assert handed_over > 0

    def test_null_goes_up_to_the_next_nullable_place(self) -> None:
        """A null in a non-null place of non-null items takes the whole list along, in order."""
        items = [leaves(), leaves(text_or_null=b"x", number=None, share="x")]
        document = "{ branch { manyOrNull { textOrNull number share } label } leaves { number } }"
        data = root(branch=branch(many_or_null=items), leaves=[])
        found, _ = same(document, data)
        assert found.data == "{'branch': {'manyOrNull': None, 'label': 'b'}, 'leaves': []}"
        assert found.paths == [
            ["branch", "manyOrNull", 1, "textOrNull"], ["branch", "manyOrNull", 1, "number"],
        ]  # fmt: skip

    def test_wrong_class(self) -> None:
        """An object of another class is what `is_type_of` refuses."""
        found, _ = same("{ branch { manyOrNulls { text } } }", root(
            branch=branch(many_or_nulls=[leaves(), dog(), None, 7])
        ))  # fmt: skip
        assert found.data == "{'branch': {'manyOrNulls': [{'text': 'a'}, None, None, None]}}"
        assert found.paths == [
            ["branch", "manyOrNulls", 1], ["branch", "manyOrNulls", 3],
        ]  # fmt: skip

    def test_subclass(self) -> None:
        """An instance of a subclass is accepted, and an attribute that raises tells so."""
        record = object.__new__(RaisingLeaves)
        object.__setattr__(record, "text", "a")
        document = "{ branch { manyOrNulls { text number } } }"
        found, _ = same(document, root(branch=branch(many_or_nulls=[record, leaves()])))
        assert found == Answer(
            "{'branch': {'manyOrNulls': [None, {'text': 'a', 'number': 1}]}}",
            [("The number cannot be read", ["branch", "manyOrNulls", 0, "number"], [(1, 31)])],
        )

    def test_missing_attribute(self) -> None:
        """An object without an attribute tells the attribute's name."""
        page = SimpleNamespace(edges=[], nodes=None, total=1)
        document = "{ branch { page { total edges { cursor } more: nodes { text } } } }"
        found, _ = same(document, root(branch=branch(page=page)))
        assert found.messages[0].startswith(NULL)
        del page.nodes
        found, _ = same(document, root(branch=branch(page=page)))
        assert "no attribute 'nodes'" in found.messages[0]

    def test_object_that_has_every_attribute(self) -> None:
        """A mock is awaitable for all that its class tells, so graphql-core looks at it."""
        found, _ = same("{ branch { page { total } } }", root(branch=branch(page=Mock())))
        assert found == Answer("{'branch': {'page': {'total': 1}}}", [])


class TestTypes:
    """Objects whose type depends on more than the class are resolved by graphql-core."""

    def test_function_as_test(self) -> None:
        """An `is_type_of` of one's own is asked for each item, and may fail."""
        document = "{ branch { dogs { barks } dog { name } } }"
        found, handed_over = same(document, root(branch=branch(dogs=[dog()], dog=dog())))
        assert found.data == "{'branch': {'dogs': [{'barks': True}], 'dog': {'name': 'Rex'}}}"
        assert (found.errors, handed_over) == ([], 0)
        found, _ = same(document, root(branch=branch(dogs=[13, cat(), dog()], dog=13)))
        assert found.data == "{'branch': {'dogs': [None, None, {'barks': True}], 'dog': None}}"
        assert found.messages[::2] == ["Thirteen is no dog"] * 2

    def test_interface_with_such_a_member(self) -> None:
        """A member that comes before it is known by its class, one behind it is not."""
        document = "{ branch { namedOrNulls { __typename name } } }"
        items = [cat(), dog(), Fish(name="Nemo", depth=1.0)]
        found, handed_over = same(document, root(branch=branch(named_or_nulls=items)))
        assert found == Answer(
            "{'branch': {'namedOrNulls': [{'__typename': 'CatType', 'name': 'Tom'}, "
            "{'__typename': 'DogType', 'name': 'Rex'}, "
            "{'__typename': 'FishType', 'name': 'Nemo'}]}}",
            [],
        )
        assert handed_over == 2

    def test_cast(self) -> None:
        """An instance that is cast to a type is of that type."""
        fish = strawberry.cast(Stone, Fish(name="Nemo", depth=1.0))
        same("{ pets { __typename } }", root(pets=[fish, Fish(name="Nemo", depth=1.0)]))

    def test_instance_of_a_type_in_a_union(self) -> None:
        """An instance of a Strawberry type, and what belongs to no member."""
        document = "{ pets { __typename ... on Stone { weight } } }"
        found, _ = same(document, root(pets=[Stone(weight=1), cat(), dog(), 7]))
        assert found.data == (
            "{'pets': [{'__typename': 'Stone', 'weight': 1}, {'__typename': 'CatType'}, "
            "None, None]}"
        )


class TestFields:
    """Fields that are more than an attribute."""

    def test_other_resolvers(self) -> None:
        """Arguments, extensions, the request and awaiting are graphql-core's, field by field."""
        document = """{ branches {
            label scaled scaled3: scaled(by: 3) rooted twice soon later { text } promised { text }
            hurried static leaves { text }
        } }"""
        data = root(
            branches=[branch(computed=2, leaves_or_null=leaves()), None, branch(computed="x")]
        )
        found, _ = same(document, data)
        assert found.data.startswith(
            "{'branches': [{'label': 'b', 'scaled': 4.0, 'scaled3': 6.0, 'rooted': 2.0, "
            "'twice': None, 'soon': '2', 'later': {'text': 'a'}, 'promised': [{'text': 'a'}], "
            "'hurried': '2', 'static': '2', 'leaves': {'text': 'a'}}, None, "
        )

    def test_resolver_that_raises(self) -> None:
        """A resolver that compiled code calls may raise: at the right place, in the right order."""
        data = root(branches=[branch(), branch(computed=ValueError("No")), branch(label=None)])
        found, _ = same("{ branches { label static bound rooted soon } }", data)
        assert found.paths == [
            ["branches", 0, "bound"], ["branches", 0, "rooted"], ["branches", 1, "static"],
            ["branches", 2, "label"],
        ]  # fmt: skip

    def test_awaitable_that_nobody_waits_for(self) -> None:
        """A field that fails at once does not leave what its siblings began unawaited."""
        for document in (
            "{ branch { hurried later { text } promised { text } leaves { number } soon } }",
            "{ branch { label hurried promised { text } } }",
            "{ branches { later { text } leaves { number } promised { text } hurried } }",
        ):
            wrong = branch(label=None, leaves=leaves(number=None), leaves_or_null=leaves())
            same(document, root(branch=wrong, branches=[wrong, branch()]))

    def test_items_that_nobody_waits_for(self) -> None:
        """An item that fails its list does not leave awaitable items unawaited."""
        items: list[Any] = [Reusable(leaves()), leaves(), None, Reusable(leaves())]
        found, _ = same(
            "{ branch { manyOrNull { text } } }", root(branch=branch(many_or_null=items))
        )
        assert found == Answer(
            "{'branch': {'manyOrNull': None}}",
            [(f"{NULL} BranchType.manyOrNull.", ["branch", "manyOrNull", 2], [(1, 12)])],
        )

    def test_awaitables_that_fail(self) -> None:
        """What an awaitable raises or returns is placed like what is there at once."""
        late = Reusable(ValueError("Too late"))
        record = leaves(text=late, number_or_null=late, words=["a", late], matrix=[[late], [1]])
        data = root(branch=branch(many_or_nulls=[
            record, late, leaves(text_or_null=late), leaves(text=Reusable(None)),
        ]))  # fmt: skip
        found, _ = same(
            "{ branch { manyOrNulls { numberOrNull matrix textOrNull words text } } }", data
        )
        assert len(found.errors) == 6
