"""Names, values and tags that MLflow would cut or refuse are told before they are sent."""

import pytest

from gql_platform.texts import (
    MAX_TAGS,
    Flaw,
    is_note,
    is_path,
    key_problem,
    name_problem,
    tag_problem,
    tags_problem,
    text_problem,
)


def flaw_of(key: str) -> Flaw | None:
    """Return what is wrong with a name."""
    problem = key_problem(key)
    return problem.flaw if problem else None


@pytest.mark.parametrize("key", ["a", "val/f1 score: é", "a.b-c_d", "k" * 250, ".hidden", "a..b"])
def test_good_name_is_taken(key: str) -> None:
    """Letters of all languages, digits and some signs make a name."""
    assert key_problem(key) is None


@pytest.mark.parametrize("key", ["", ".", "../a", "/a", "a/", "a//b", "a\n", "a\x00", "a%", "😀"])
def test_other_names_are_refused(key: str) -> None:
    """What MLflow refuses, and a line's end, which it takes for none."""
    assert flaw_of(key) is Flaw.INVALID_KEY


def test_lengths_are_told() -> None:
    """The message has the length and the limit, and fits into a sentence."""
    problem = text_problem("x" * 11, maximum=10)
    assert problem is not None
    assert problem.message == "The value has 11 characters, and at most 10 are taken."
    assert problem.inside == "the value has 11 characters, and at most 10 are taken"
    assert text_problem("x" * 10, maximum=10) is None
    assert flaw_of("k" * 251) is Flaw.KEY_TOO_LONG


@pytest.mark.parametrize("text", ["\x00", "\ud800", "a\udfff"])
def test_what_no_database_keeps_is_refused(text: str) -> None:
    """PostgreSQL has no NUL, and UTF-8 no half of a pair."""
    problem = text_problem(text, maximum=10)
    assert problem is not None
    assert problem.flaw is Flaw.INVALID_VALUE


def test_tags_of_the_platform_are_reserved() -> None:
    """Everything below its name, and nothing that only begins like that."""
    problem = tag_problem("gql_platform.deployment", "[]", maximum=10)
    assert problem is not None
    assert problem.flaw is Flaw.RESERVED_KEY
    assert tag_problem("gql_platform", "", maximum=10) is None


def test_name_of_a_run_is_shorter_than_a_tag() -> None:
    """Its tag is a column of its own, too."""
    assert tag_problem("mlflow.runName", "x" * 250, maximum=8_000) is None
    assert tag_problem("mlflow.runName", "x" * 251, maximum=8_000) is not None


def test_first_wrong_tag_is_told() -> None:
    """As a part of a sentence, with its key; and so are too many."""
    assert tags_problem([("a", "1"), ("b", "123")], maximum=2) == (
        "the tag 'b' cannot be set: the value has 3 characters, and at most 2 are taken"
    )
    many = [(f"t{number}", "") for number in range(MAX_TAGS + 1)]
    assert tags_problem(many[:-1], maximum=1) is None
    assert tags_problem(many, maximum=1) == "it has more than the 100 tags that are taken at once"


def test_name_has_something_in_it() -> None:
    """Blank names are none, and long ones are told as values are."""
    assert name_problem("a b", maximum=3) is None
    assert name_problem(" \n", maximum=3) == "its name is empty"
    assert name_problem("abcd", maximum=3) == (
        "its name cannot be kept: the value has 4 characters, and at most 3 are taken"
    )


def test_path_lies_below() -> None:
    """A path is written in the shortest way, and does not leave its folder."""
    assert [each for each in ("a", "a/b c", ".a") if not is_path(each)] == []
    assert [each for each in ("", ".", "..", "../a", "/a", "a/../b", "a/") if is_path(each)] == []


def test_note_may_be_missing_and_is_bounded() -> None:
    """A thousand characters are taken."""
    assert is_note(None)
    assert is_note("x" * 1_000)
    assert not is_note("x" * 1_001)
    assert not is_note("\x00")
