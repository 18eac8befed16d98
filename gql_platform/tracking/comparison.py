"""Runs side by side: where they differ, and which one is best."""

import math
import re
from array import array
from collections.abc import Sequence

from gql_platform.tracking.records import (
    BetterWhen,
    ComparedMetric,
    ComparedParam,
    Run,
    RunComparison,
)

_LOWER = re.compile(r"(.*[_/ .-])?(error|loss)")
_HIGHER = re.compile(r"(.*[_/ .-])?score")


def better_when(key: str) -> BetterWhen:
    """Tell by its name in which direction a metric gets better.

    ``*_error`` and ``*_loss`` are better when lower, ``*_score`` when higher; of other names
    nothing is known.
    """
    if _LOWER.fullmatch(key.lower()):
        return BetterWhen.LOWER
    return BetterWhen.HIGHER if _HIGHER.fullmatch(key.lower()) else BetterWhen.UNKNOWN


def compared(runs: Sequence[Run], *, diff_only: bool, missing: Sequence[str] = ()) -> RunComparison:
    """Compare params and last metrics of runs.

    Args:
        runs: The runs, in the order of the columns.
        diff_only: Whether to leave out what is the same in all of them.
        missing: Ids of runs that were asked for and do not exist.
    """
    params = [_param(runs, key) for key in _keys(runs, "params")]
    metrics = [_metric(runs, key) for key in _keys(runs, "metrics")]
    return RunComparison(
        runs=tuple(runs),
        params=tuple(each for each in params if each.differs or not diff_only),
        metrics=tuple(each for each in metrics if each.differs or not diff_only),
        missing=tuple(missing),
    )


def _keys(runs: Sequence[Run], kind: str) -> list[str]:
    return sorted({each.key for run in runs for each in getattr(run, kind)})


def _param(runs: Sequence[Run], key: str) -> ComparedParam:
    values = tuple(
        next((param.value for param in run.params if param.key == key), None) for run in runs
    )
    return ComparedParam(key, values, differs=len(set(values)) > 1)


def _metric(runs: Sequence[Run], key: str) -> ComparedMetric:
    found = [next((each.value for each in run.metrics if each.key == key), None) for run in runs]
    # NaN is unlike itself, yet two runs that both went astray do not differ.
    shown = {"nan" if value is not None and math.isnan(value) else value for value in found}
    direction = better_when(key)
    return ComparedMetric(
        key=key,
        values=array("d", (math.nan if value is None else value for value in found)),
        differs=len(shown) > 1,
        better_when=direction,
        best_run_id=_best(runs, found, direction),
    )


def _best(runs: Sequence[Run], values: Sequence[float | None], direction: BetterWhen) -> str | None:
    """Return the first run with the best number, or None where there is no telling."""
    sign = -1 if direction is BetterWhen.HIGHER else 1
    ranked = [
        (sign * value, place)
        for place, value in enumerate(values)
        if value is not None and not math.isnan(value)
    ]
    if direction is BetterWhen.UNKNOWN or not ranked:
        return None
    return runs[min(ranked)[1]].run_id
