"""Pauses between attempts at something that fails again and again."""

import time
from collections.abc import Callable

LONGEST_SECONDS = 60.0


class Pause:
    """Grow with each failure in a row: none after the first, then 1, 2, 4 seconds, up to 60.

    Args:
        clock: Returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = clock()

    @property
    def seconds_left(self) -> float:
        """How long it lasts from now on; 0 when there is none."""
        return max(self._until - self._clock(), 0.0)

    def failed(self) -> None:
        """Take note of a failure."""
        self._failures += 1
        if self._failures > 1:
            # The exponent is bounded, for a float is not.
            exponent = min(self._failures - 2, 10)
            self._until = self._clock() + min(2.0**exponent, LONGEST_SECONDS)

    def succeeded(self) -> None:
        """Take note that it works, which ends the pause."""
        self._failures = 0
        self._until = self._clock()
