"""Runs as they are seen by those who follow them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gql_platform.live.records import RunNotice, RunNoticeKind
from gql_platform.run_search.records import RunFilter
from gql_platform.tracking.records import Run


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A run as it was seen, equal to another of which there is nothing else to tell.

    Attributes:
        run: The run.
        stage: Anything else that makes it another, such as how many points were logged to it.
    """

    run: Run
    stage: object = None

    def __eq__(self, other: object) -> bool:
        """Compare; NaN, which is unlike itself, is the same here."""
        return isinstance(other, Seen) and self._facts() == other._facts()

    def __hash__(self) -> int:
        """Return what equal ones have alike."""
        return hash(self.run.run_id)

    def _facts(self) -> tuple[object, ...]:
        last = tuple((each.key, each.step, str(each.value)) for each in self.run.metrics)
        return replace(self.run, metrics=()), last, self.stage


@dataclass(frozen=True, slots=True)
class Window:
    """The runs that somebody follows, in their order.

    Attributes:
        runs: They, by id.
    """

    runs: Mapping[str, Seen]


def changes_between(before: Window | None, now: Window) -> tuple[RunNotice, ...]:
    """Return what became of the runs of a window, without those that are in it no longer."""
    known = before.runs if before is not None else {}
    return tuple(
        RunNotice(RunNoticeKind.CHANGED if run_id in known else RunNoticeKind.NEW, run_id, seen.run)
        for run_id, seen in now.runs.items()
        if known.get(run_id) != seen
    )


def departures(
    gone: Sequence[str], left: Mapping[str, Run], chosen: RunFilter
) -> tuple[RunNotice, ...]:
    """Return what became of runs that are in a window no longer.

    One that still is what was asked for has only made room for newer ones, and nothing is told.

    Args:
        gone: Their ids.
        left: The runs as they are, of those that exist.
        chosen: What was asked for.
    """
    return tuple(
        RunNotice(RunNoticeKind.GONE, run_id, left.get(run_id))
        for run_id in gone
        if run_id not in left or not chosen.matches(left[run_id])
    )
