"""The measurement runs, and its ratios are far from what graphql-core alone reaches."""

from tests.graphql.execution.plans import measure


def test_ratios() -> None:
    """Compiled selections are several times faster, with room for a busy machine."""
    flat, nested, connection = measure.measure(rounds=2)
    assert flat.core > 8 * flat.compiled
    assert nested.core > 6 * nested.compiled
    assert connection.core > 3 * connection.compiled
    assert flat.ratio_by_hand < 4
