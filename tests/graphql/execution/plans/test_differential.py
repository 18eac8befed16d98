"""Compiled execution against graphql-core: the same schema, documents and data, the same answer."""

import os
import random
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.graphql.execution.plans.comparison import COMPILED, DOCUMENTS, REFERENCE, answer, frames
from tests.graphql.execution.plans.documents import Documents
from tests.graphql.execution.plans.example import ParsedOnce, build, build_eager
from tests.graphql.execution.plans.values import Values

CASES = int(os.environ.get("PLAN_FUZZ_CASES", "400"))
MANY_CASES = int(os.environ.get("PLAN_FUZZ_MANY_CASES", "20000"))
DATA_PER_DOCUMENT = 4
"""Parsing and validating take most of the time, so that each document meets several data."""

STREAMING = build(None, incremental=True, extensions=[lambda: ParsedOnce(DOCUMENTS)])
STREAMING_COMPILED, _ = build_eager(incremental=True, extensions=[lambda: ParsedOnce(DOCUMENTS)])

seeds = st.integers(0, 2**64)
shares = st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.4])


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


def differ_incrementally(seed: int, share: float) -> None:
    """Compare what comes of a random document with deferred fragments and streamed lists."""
    source = random.Random(seed)  # noqa: S311
    documents = Documents(source, STREAMING._schema, incremental=True)
    document, variables = documents.document(), documents.variables()
    options = {"variable_values": variables, "root_value": Values(source, share).root()}
    expected = frames(STREAMING, document, **options)
    for _ in range(2):
        assert frames(STREAMING_COMPILED, document, **options) == expected, document
    DOCUMENTS.clear()


class TestDifferential:
    @hypothesis.settings(max_examples=CASES // DATA_PER_DOCUMENT)
    @hypothesis.given(seeds, shares)
    def test_some_answers_are_the_same(self, seed: int, share: float) -> None:
        """Data with the order of its keys, and errors with their places, are graphql-core's."""
        differ(seed, share)

    @pytest.mark.slow
    @hypothesis.settings(max_examples=MANY_CASES // DATA_PER_DOCUMENT)
    @hypothesis.given(seeds, shares)
    def test_many_answers_are_the_same(self, seed: int, share: float) -> None:
        """They are so in twenty thousand cases, too."""
        differ(seed, share)

    @hypothesis.settings(max_examples=CASES // 8)
    @hypothesis.given(seeds, shares)
    def test_some_frames_are_the_same(self, seed: int, share: float) -> None:
        """Deferred fragments and streamed lists come in the same frames."""
        differ_incrementally(seed, share)

    @pytest.mark.slow
    @hypothesis.settings(max_examples=MANY_CASES // 8)
    @hypothesis.given(seeds, shares)
    def test_many_frames_are_the_same(self, seed: int, share: float) -> None:
        """They do so in many cases, too."""
        differ_incrementally(seed, share)
