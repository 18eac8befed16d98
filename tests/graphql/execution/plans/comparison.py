"""Answers of the example schema, with and without compiled selections."""

import asyncio
import os
import random
from dataclasses import fields
from typing import Any, NamedTuple

import strawberry

from tests.graphql.execution.plans.documents import Documents
from tests.graphql.execution.plans.example import Parsed, ParsedOnce, build, build_eager
from tests.graphql.execution.plans.records import Branch, Cat, Colour, Dog, Leaves, Level, Root
from tests.graphql.execution.plans.values import Values

CASES = int(os.environ.get("PLAN_FUZZ_CASES", "20000"))
"""How many answers are compared in all."""

DATA_PER_DOCUMENT = 4
"""Parsing and validating take most of the time, so that each document meets several data."""

DOCUMENTS: Parsed = {}
REFERENCE = build(None, extensions=[lambda: ParsedOnce(DOCUMENTS)])
COMPILED, PLANS = build_eager(extensions=[lambda: ParsedOnce(DOCUMENTS)])


class Answer(NamedTuple):
    """An answer that can be compared.

    Attributes:
        data: The data, as text that shows types and the order of keys.
        errors: Message, path, and lines with columns of each error, in their order.
    """

    data: str
    errors: list[tuple[str, list[str | int] | None, list[tuple[int, int]]]]

    @property
    def paths(self) -> list[list[str | int] | None]:
        """The paths of the errors, in their order."""
        return [path for _, path, _ in self.errors]

    @property
    def messages(self) -> list[str]:
        """The messages of the errors, in their order."""
        return [message for message, _, _ in self.errors]


def answer(schema: strawberry.Schema, document: str, **options: Any) -> Answer:
    """Return the answer to a document."""

    async def run() -> Any:
        result = await schema.execute(document, **options)
        # What graphql-core settles in the background must not last longer than the test.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)
        return result

    result = asyncio.run(run())
    errors = [
        (error.message, error.path, [(at.line, at.column) for at in error.locations or ()])
        for error in result.errors or ()
    ]
    return Answer(repr(result.data), errors)


def differ(seed: int, share: float) -> None:
    """Compare the answers to a random document on random data.

    Args:
        seed: Draws both; a difference is repeated by it.
        share: How likely a value is wrong.
    """
    source = random.Random(seed)  # noqa: S311 - it draws tests, not secrets
    documents, values = Documents(source, REFERENCE._schema), Values(source, share)
    document = documents.document()
    cases: list[dict[str, Any]] = [
        {"variable_values": documents.variables(), "root_value": values.root()}
        for _ in range(DATA_PER_DOCUMENT)
    ]
    expected = [answer(REFERENCE, document, **case) for case in cases]
    # What is learned of the classes in the first round counts in the second one.
    for _ in range(2):
        assert [answer(COMPILED, document, **case) for case in cases] == expected, document
    DOCUMENTS.clear()


def same(document: str, root: object, **variables: object) -> tuple[Answer, int]:
    """Execute a document both ways, and check that the answers are the same.

    Returns:
        The answer, and how many values compiled code handed over to graphql-core in a second
        execution, when it knows the classes of the values.
    """
    options = {"root_value": root, "variable_values": variables}
    expected = answer(REFERENCE, document, **options)
    assert answer(COMPILED, document, **options) == expected
    used, handed_over = PLANS.used, PLANS.handed_over
    assert answer(COMPILED, document, **options) == expected
    assert PLANS.used > used, "Nothing was compiled"
    return expected, PLANS.handed_over - handed_over


def leaves(**others: object) -> Leaves:
    """Return leaves as they should be, but for some."""
    usual: dict[str, object] = {
        "text": "a", "text_or_null": None, "number": 1, "number_or_null": None, "share": 0.5,
        "share_or_null": None, "flag": True, "flag_or_null": None, "key": "k", "key_or_null": None,
        "colour": Colour.RED, "colour_or_null": None, "level": Level.HIGH, "even": 2,
        "even_or_null": None, "raw": {"a": 1}, "words": ["w"], "words_or_nulls": [None],
        "matrix": [[1], None], "colours": [Colour.GREEN],
    }  # fmt: skip
    return Leaves(**usual | others)


def branch(**others: object) -> Branch:
    """Return a branch as it should be, but for some fields."""
    usual: dict[str, object] = {
        "label": "b", "leaves": leaves(), "leaves_or_null": None, "branch": None, "dog": None,
        "fish": None, "pet": cat(), "pet_or_null": None, "named": cat(), "many": [leaves()],
        "many_or_null": None, "many_or_nulls": [leaves(), None], "dogs": [dog()],
        "pets": [cat()], "named_or_nulls": [cat(), None], "grid": [[leaves()], None],
        "computed": "x", "page": None,
    }  # fmt: skip
    return Branch(**usual | others)


def cat(**others: object) -> Cat:
    """Return a cat as it should be, but for some fields."""
    usual: dict[str, object] = {"name": "Tom", "lives": 7, "friend": None, "leaves": None}
    return Cat(**usual | others)


def dog(**others: object) -> Dog:
    """Return a dog as it should be, but for some fields."""
    return Dog(**{"name": "Rex", "barks": True} | others)


def root(**values: object) -> Root:
    """Return what a query begins with; what is not named is null."""
    return Root(**{each.name: values.get(each.name) for each in fields(Root)})
