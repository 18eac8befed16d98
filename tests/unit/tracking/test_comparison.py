"""What is said of runs side by side."""

import math

import pytest

from gql_platform.testing import InMemoryStore
from gql_platform.tracking.comparison import better_when, compared
from gql_platform.tracking.records import BetterWhen


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("log_loss", BetterWhen.LOWER),
        ("loss", BetterWhen.LOWER),
        ("val/Mean_Error", BetterWhen.LOWER),
        ("f1_score", BetterWhen.HIGHER),
        ("score", BetterWhen.HIGHER),
        ("gloss", BetterWhen.UNKNOWN),
        ("loss_scale", BetterWhen.UNKNOWN),
        ("accuracy", BetterWhen.UNKNOWN),
    ],
)
def test_names_tell_the_direction(key: str, expected: BetterWhen) -> None:
    """Only the conventions that are promised count; of other names nothing is claimed."""
    assert better_when(key) is expected


def test_nan_is_never_best_and_does_not_differ_from_nan() -> None:
    """Two runs that went astray are alike, and infinity is worse than any number."""
    store = InMemoryStore()
    runs = [
        store.add_run(name, metrics={"loss": value, "gone_loss": math.nan})
        for name, value in (("a", math.nan), ("b", math.inf), ("c", 2.0), ("d", 2.0))
    ]
    found = {each.key: each for each in compared(runs, diff_only=False).metrics}
    assert (found["loss"].best_run_id, found["loss"].differs) == ("c", True)
    assert (found["gone_loss"].best_run_id, found["gone_loss"].differs) == (None, False)


def test_nothing_compares_to_nothing() -> None:
    """No runs at all are no error."""
    found = compared([], diff_only=False)
    assert (found.runs, found.params, found.metrics) == ((), (), ())
