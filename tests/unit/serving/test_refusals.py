"""A version that broke a contract is known again, for as long as nothing that matters changes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gql_platform.errors import BreakingChangeError
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.fleet import announced
from gql_platform.serving.records import ServedModel
from gql_platform.serving.refusals import Refusals, key_of
from gql_platform.testing import HOUSE_PACKAGE, InMemoryStore
from tests.unit.serving.versions import BREAKING_PACKAGE

STORE = InMemoryStore()
FIRST, SECOND = (STORE.add_version("house", package=HOUSE_PACKAGE) for _ in range(2))


def served(version: ModelVersion, package: ModelPackage) -> ServedModel:
    """Return what is shown of a version with the contract of a package."""
    return replace(announced(version), signature=package.signature)


SERVING = served(FIRST, HOUSE_PACKAGE)
BREAKING = served(SECOND, BREAKING_PACKAGE)


@pytest.fixture
def refusals() -> Refusals:
    """The memory of a server that has refused version 2."""
    refusals = Refusals()
    with pytest.raises(BreakingChangeError):
        refusals.check(SECOND, BREAKING_PACKAGE, SERVING, BREAKING)
    return refusals


def test_known_with_the_same_changes(refusals: Refusals) -> None:
    """What is known of it says the same as when it was loaded."""
    with pytest.raises(BreakingChangeError) as caught:
        refusals.check_known(SECOND, BREAKING_PACKAGE, SERVING)
    assert (caught.value.version, caught.value.served_version) == (2, 1)
    assert caught.value.changes[0] == (
        "the column 'living area (m2)' is of type STRING, not DOUBLE"
    )


def test_example_does_not_matter(refusals: Refusals) -> None:
    """An example is no part of a contract, and one with NaN is never equal to itself."""
    package = replace(BREAKING_PACKAGE, input_example=({"living area (m2)": float("nan")},))
    with pytest.raises(BreakingChangeError):
        refusals.check_known(SECOND, package, SERVING)


@pytest.mark.parametrize(
    ("version", "package", "serving"),
    [
        (FIRST, BREAKING_PACKAGE, SERVING),
        (replace(SECOND, created_at=FIRST.created_at), BREAKING_PACKAGE, SERVING),
        (SECOND, HOUSE_PACKAGE, SERVING),
        (SECOND, replace(BREAKING_PACKAGE, size_bytes=7), SERVING),
        (SECOND, None, SERVING),
        (SECOND, BREAKING_PACKAGE, served(FIRST, BREAKING_PACKAGE)),
        (SECOND, BREAKING_PACKAGE, None),
    ],
    ids=["version", "registered anew", "contract", "files", "no files", "serving", "none serves"],
)
def test_what_changes_it(
    refusals: Refusals,
    version: ModelVersion,
    package: ModelPackage | None,
    serving: ServedModel | None,
) -> None:
    """Another version, other files or another contract to keep ask for another look."""
    refusals.check_known(version, package, serving)


@pytest.mark.parametrize(
    "act",
    [
        lambda refusals: refusals.forget("house"),
        lambda refusals: refusals.forget("house", but={key_of(FIRST)}),
        lambda refusals: refusals.check(SECOND, HOUSE_PACKAGE, SERVING, SERVING),
    ],
    ids=["all", "others", "kept the contract"],
)
def test_forgotten(refusals: Refusals, act: Callable[[Refusals], None]) -> None:
    """Nothing is kept of what nobody asks for, nor of what keeps the contract now."""
    act(refusals)
    refusals.check_known(SECOND, BREAKING_PACKAGE, SERVING)


def test_remembered(refusals: Refusals) -> None:
    """What is still asked for is not forgotten, nor what another model forgets."""
    refusals.forget("house", but={key_of(SECOND)})
    refusals.forget("flat")
    with pytest.raises(BreakingChangeError):
        refusals.check_known(SECOND, BREAKING_PACKAGE, SERVING)
