"""Latency quantiles over a moving window, in constant memory.

Latencies fall into buckets of logarithmic width, as in HdrHistogram (G. Tene, 2012) and DDSketch
(Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019, section 2):
with bounds that grow by the factor ``g``, the geometric middle of a bucket is at most
``sqrt(g) - 1`` away from any value in it, whatever the distribution.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

SHORTEST_SECONDS = 1e-6
LONGEST_SECONDS = 1e3
GROWTH = 1.08
"""Each bucket's upper bound is this much larger than its lower one: 3.9 % error at most."""

BUCKETS = math.ceil(math.log(LONGEST_SECONDS / SHORTEST_SECONDS, GROWTH)) + 1
WINDOW_SECONDS = 60

_LOG_GROWTH = math.log(GROWTH)


def bucket_of(seconds: float) -> int:
    """Return the bucket of a latency; what is outside the range falls into the first or last."""
    if seconds <= SHORTEST_SECONDS:
        return 0
    return min(math.ceil(math.log(seconds / SHORTEST_SECONDS) / _LOG_GROWTH), BUCKETS - 1)


def middle_of(bucket: int) -> float:
    """Return the geometric middle of a bucket, in seconds."""
    return float(SHORTEST_SECONDS * GROWTH ** (bucket - 0.5))


@dataclass(slots=True)
class _Slot:
    """The latencies of one second."""

    second: int
    counts: dict[int, int] = field(default_factory=dict)


class LatencyWindow:
    """The latencies of the last `WINDOW_SECONDS` seconds.

    Args:
        clock: Returns a time in seconds that never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._slots: list[_Slot | None] = [None] * WINDOW_SECONDS

    def record(self, seconds: float) -> None:
        """Take one latency into the window."""
        now = int(self._clock())
        slot = self._slots[now % WINDOW_SECONDS]
        if slot is None or slot.second != now:
            slot = self._slots[now % WINDOW_SECONDS] = _Slot(now)
        bucket = bucket_of(seconds)
        slot.counts[bucket] = slot.counts.get(bucket, 0) + 1

    def quantiles(self, *fractions: float) -> tuple[int, tuple[float, ...]]:
        """Return how many latencies are in the window, and quantiles of them.

        Args:
            fractions: From 0 to 1, ascending.

        Returns:
            The count, and one latency in seconds per fraction; none when the count is 0. The
            quantile q of n values is the one with rank ``ceil(q * n)``, the nearest-rank
            definition (Hyndman and Fan 1996, definition 1).
        """
        merged = self._merged()
        total = sum(merged.values())
        if not total:
            return 0, ()
        ranks = [max(1, math.ceil(fraction * total)) for fraction in fractions]
        found: list[float] = []
        seen = 0
        for bucket in sorted(merged):
            seen += merged[bucket]
            while len(found) < len(ranks) and seen >= ranks[len(found)]:
                found.append(middle_of(bucket))
        return total, tuple(found)

    def _merged(self) -> dict[int, int]:
        oldest = int(self._clock()) - WINDOW_SECONDS
        merged: dict[int, int] = {}
        for slot in self._slots:
            if slot is not None and slot.second > oldest:
                for bucket, count in slot.counts.items():
                    merged[bucket] = merged.get(bucket, 0) + count
        return merged
