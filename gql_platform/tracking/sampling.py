"""Series with fewer points that look the same when they are drawn."""

from array import array

import numpy as np
import numpy.typing as npt

from gql_platform.tracking.records import SamplingMethod, Series


def sampled(
    series: Series, max_points: int, method: SamplingMethod = SamplingMethod.MIN_MAX
) -> Series:
    """Return a series with no more points than that, or the series itself if it has no more.

    Args:
        series: All points.
        max_points: At least 4.
        method: How points are chosen.
    """
    count = len(series.values)
    if count <= max_points:
        return series
    steps, values = np.asarray(series.steps, np.int64), np.asarray(series.values, np.float64)
    if method is SamplingMethod.EVERY_NTH:
        kept = np.linspace(0, count - 1, max_points).round().astype(np.intp)
    else:
        kept = kept_points(values, max_points)
    return Series(
        steps=array("q", steps[kept].tobytes()),
        values=array("d", values[kept].tobytes()),
        sampled=True,
        total_points=count,
    )


def kept_points(values: npt.NDArray[np.float64], max_points: int) -> npt.NDArray[np.intp]:
    """Choose the points of a long series that a line needs which is drawn through them.

    The first and the last point are kept. What lies between is cut into ``(max_points - 2) // 2``
    or fewer stretches of equally many points, and of each the lowest and the highest point are
    kept: so no extreme is lost, of the whole series or of any stretch. A stretch without a finite
    number keeps its first point, so that the gap stays visible.

    This is the MinMax aggregation in U. Jugel, Z. Jerzak, G. Hackenbroich and V. Markl, "M4: A
    Visualization-Oriented Time Series Data Aggregation", PVLDB 7(10), 2014, over points of equal
    number instead of equal time.

    Args:
        values: Shape (n,), float64, in the order of their steps; n is larger than ``max_points``.
        max_points: At least 4.

    Returns:
        The positions of the points, ascending, without repetition; shape (m,), where m is at most
        ``max_points``.
    """
    inner = values[1:-1]
    length = -(-inner.size // ((max_points - 2) // 2))
    count = -(-inner.size // length)
    stretches = np.full((count, length), np.nan)
    stretches.ravel()[: inner.size] = inner
    is_finite = np.isfinite(stretches)
    lowest = np.where(is_finite, stretches, np.inf).argmin(axis=1)
    highest = np.where(is_finite, stretches, -np.inf).argmax(axis=1)
    starts = 1 + length * np.arange(count)
    return np.unique(np.concatenate([[0, values.size - 1], starts + lowest, starts + highest]))
