"""Reading the points that somebody does not know yet, once for all who know the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from gql_platform.live.cursors import text_of
from gql_platform.live.marks import ends, late_keys, pages
from gql_platform.live.poll import Pause
from gql_platform.live.ports import LiveStore
from gql_platform.live.records import MAX_POINTS, Mark, NewPoints
from gql_platform.live.runs import Seen
from gql_platform.live.shared import SharedReads


@dataclass(frozen=True, slots=True)
class Known:
    """How far the metrics of a run are known to somebody.

    Attributes:
        cursor: It, as text; None for somebody who knows nothing.
        marks: It, by metric.
        skips: Whether what is there already shall count as known.
    """

    cursor: str | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    skips: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Points for one message.

    Attributes:
        points: They, by metric.
        known: What is known with them.
        cursor: That, as text.
        has_more: Whether another batch follows at once.
    """

    points: tuple[NewPoints, ...]
    known: Known
    cursor: str
    has_more: bool


class PointReads:
    """Read what is new in the metrics of a run.

    Args:
        store: Has the points.
        pause: Waits for so many seconds.
    """

    def __init__(self, store: LiveStore, *, pause: Pause) -> None:
        self._store = store
        self._reads: SharedReads[tuple[Batch, ...]] = SharedReads(pause=pause)

    async def batches(self, seen: Seen, known: Known) -> tuple[Batch, ...]:
        """Return what is new, in one batch at least; a store that is away is waited for.

        Args:
            seen: The run as it was seen. Whoever saw it alike, and knows the same, shares a read.
            known: How far the metrics are known.
        """
        key = (seen, known.cursor, known.skips)
        return await self._reads.get(key, partial(self._read, seen.run.run_id, known))

    async def _read(self, run_id: str, known: Known) -> tuple[Batch, ...]:
        tails = await self._store.tails(run_id, known.marks)
        if known.skips:
            return (_batch(run_id, (), ends(tails, known.marks), has_more=False),)
        late = frozenset(late_keys(tails, known.marks))
        marks = {key: mark for key, mark in known.marks.items() if key not in late}
        if late:
            whole = await self._store.tails(run_id, marks)
            # What came meanwhile to other metrics is found by the next read.
            tails = {**tails, **{key: tail for key, tail in whole.items() if key in late}}
        found = pages(tails, marks, late=late, limit=MAX_POINTS)
        return tuple(
            _batch(run_id, page.points, page.marks, has_more=page.has_more) for page in found
        )


def _batch(
    run_id: str, points: tuple[NewPoints, ...], marks: Mapping[str, Mark], *, has_more: bool
) -> Batch:
    cursor = text_of(run_id, marks)
    return Batch(points, Known(cursor, marks), cursor, has_more)
