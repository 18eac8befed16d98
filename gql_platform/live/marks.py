"""Points that are new behind a mark, exactly once each, page by page."""

import math
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gql_platform.live.records import Mark, NewPoints, Tail


@dataclass(frozen=True, slots=True)
class MarkedPage:
    """Points for one message.

    Attributes:
        points: They, by metric.
        marks: How far each metric is known with them.
        has_more: Whether another page follows.
    """

    points: tuple[NewPoints, ...]
    marks: Mapping[str, Mark]
    has_more: bool


def late_keys(tails: Mapping[str, Tail], known: Mapping[str, Mark]) -> list[str]:
    """Return the metrics of which a point was logged that belongs before those that are known.

    Whoever knew them cannot tell which of the points is new.
    """
    return [
        key
        for key, tail in tails.items()
        if key in known and mark_behind(tail, known[key].at) != known[key]
    ]


def mark_behind(tail: Tail, end: int) -> Mark | None:
    """Return the mark behind the first points of a tail; None if it has not so many."""
    if not 0 < end <= len(tail.times):
        return None
    time_ms = tail.times[end - 1]
    start = bisect_left(tail.times, time_ms)
    return Mark(time_ms, tail.earlier + end, end - start, _digest(tail, start, end))


def pages(
    tails: Mapping[str, Tail], known: Mapping[str, Mark], *, late: frozenset[str], limit: int
) -> Iterator[MarkedPage]:
    """Cut what is new into pages; there is one at least, if need be an empty one.

    Args:
        tails: The points behind the marks; of those in ``late``, and those not known, all points.
        known: How far each metric is known.
        late: The metrics that begin anew.
        limit: How many points a page holds.
    """
    marks = dict(known)
    left = [
        (key, tail, 0 if key in late or key not in known else known[key].at)
        for key, tail in sorted(tails.items())
    ]
    left = [each for each in left if each[2] < len(each[1].times)]
    restarting = set(late)
    while True:
        found: list[NewPoints] = []
        room = limit
        while left and room:
            key, tail, start = left.pop(0)
            end = min(len(tail.times), start + room)
            room -= end - start
            found.append(_cut(key, tail, start, end, restarted=key in restarting))
            restarting.discard(key)
            mark = mark_behind(tail, end)
            if mark is not None:
                marks[key] = mark
            if end < len(tail.times):
                left.insert(0, (key, tail, end))
        yield MarkedPage(tuple(found), dict(marks), has_more=bool(left))
        if not left:
            return


def ends(tails: Mapping[str, Tail], known: Mapping[str, Mark]) -> Mapping[str, Mark]:
    """Return how far metrics are known to somebody who skips all that is there."""
    found = {key: mark_behind(tail, len(tail.times)) for key, tail in tails.items()}
    return {**known, **{key: mark for key, mark in found.items() if mark is not None}}


def _cut(key: str, tail: Tail, start: int, end: int, *, restarted: bool) -> NewPoints:
    return NewPoints(
        key=key,
        steps=tail.steps[start:end],
        values=tail.values[start:end],
        times_ms=tail.times[start:end],
        restarted=restarted,
    )


def _digest(tail: Tail, start: int, end: int) -> int:
    points = zip(tail.steps[start:end], tail.values[start:end], strict=True)
    packed = (
        # There are many NaNs, and no two stores need return the same.
        struct.pack("<qd", step, math.nan if math.isnan(value) else value)
        for step, value in points
    )
    return zlib.crc32(b"".join(packed))
