"""What is new in a store in memory."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import count

from gql_platform.live.ports import LiveStore
from gql_platform.live.records import Mark, Tail
from gql_platform.testing.store import InMemoryStore


class InMemoryFeed(LiveStore):
    """Tell what is new in an in-memory store.

    Args:
        store: Which.
        has_stamps: Whether it counts writes, as SQLite does; it takes each look for one.
        has_counts: Whether it counts points.
    """

    def __init__(
        self, store: InMemoryStore, *, has_stamps: bool = True, has_counts: bool = True
    ) -> None:
        self._store = store
        self._has_stamps = has_stamps
        self._has_counts = has_counts
        self._stamps = count()

    async def run_stamp(self) -> str | None:
        """Return another text each time, since anything may have been written."""
        self._store.called("run_stamp")
        return str(next(self._stamps)) if self._has_stamps else None

    async def model_stamp(self) -> str | None:
        """Return the same for models."""
        self._store.called("model_stamp")
        return str(next(self._stamps)) if self._has_stamps else None

    async def point_counts(self, run_ids: Sequence[str]) -> Mapping[str, int] | None:
        """Return how many points were logged to each run."""
        self._store.called("point_counts")
        if not self._has_counts:
            return None
        counts = {run_id: sum(map(len, self._store.points(run_id).values())) for run_id in run_ids}
        return {run_id: number for run_id, number in counts.items() if number}

    async def tails(self, run_id: str, known: Mapping[str, Mark]) -> Mapping[str, Tail]:
        """Return the points that are not known."""
        self._store.called("tails")
        return {
            key: _tail(points, known.get(key))
            for key, points in self._store.points(run_id).items()
            if key not in known or known[key].points != len(points)
        }

    async def close(self) -> None:
        """Do nothing: no connection is held."""


def _tail(logged: Sequence[tuple[int, int, float]], mark: Mark | None) -> Tail:
    points = sorted(logged, key=_order)
    times = array("q", (time for _, time, _ in points))
    start = bisect_left(times, mark.time_ms) if mark is not None else 0
    return Tail(
        earlier=start,
        times=times[start:],
        steps=array("q", (step for step, _, _ in points[start:])),
        values=array("d", (value for _, _, value in points[start:])),
    )


def _order(point: tuple[int, int, float]) -> tuple[int, int, bool, float]:
    step, time, value = point
    return time, step, math.isnan(value), 0.0 if math.isnan(value) else value
