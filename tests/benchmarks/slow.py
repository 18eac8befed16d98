"""A model that keeps the interpreter to itself while it computes."""

import time

import numpy as np

from gql_platform.serving.ports import Output, Table, ValueOutput
from gql_platform.serving.records import NATIVE, Task

SLOW_SECONDS = 0.005
"""How long it computes for a batch of any size."""


class Slow:
    """A regressor that computes for a while, whatever it is asked."""

    task = Task.REGRESSION
    labels: tuple[str, ...] = ()
    takes_arrays = False
    compilation = NATIVE

    def predict(self, rows: Table) -> Output:
        """Compute."""
        ends_at = time.perf_counter() + SLOW_SECONDS
        while time.perf_counter() < ends_at:
            pass
        return ValueOutput(np.zeros(len(rows)))

    def close(self) -> None:
        """It holds nothing."""
