"""The other half of the comparison with graphql-core, for another process."""

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.graphql.execution.plans.comparison import CASES, DATA_PER_DOCUMENT, differ


@pytest.mark.slow
@pytest.mark.usefixtures("untraced")
@hypothesis.settings(max_examples=CASES // DATA_PER_DOCUMENT // 2)
@hypothesis.seed(1)
@hypothesis.given(st.integers(0, 2**64), st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.4]))
def test_answers_are_the_same(seed: int, share: float) -> None:
    """Data with the order of its keys, and errors with their places, are graphql-core's."""
    differ(seed, share)
