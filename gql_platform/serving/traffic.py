"""The live traffic of each model: counts since the start, rate and latency of the last minute."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gql_platform.serving.latency import WINDOW_SECONDS, LatencyWindow
from gql_platform.serving.records import LatencyQuantiles, LiveMetrics, ModelMetrics


@dataclass(slots=True)
class _Counts:
    window: LatencyWindow
    requests: int = 0
    errors: int = 0
    in_flight: int = field(default=0)


class Traffic:
    """Count predictions and sample the counts; a `ServingObserver`.

    Args:
        clock: Returns a time in seconds that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._counts: dict[str, _Counts] = {}

    def model_settled(self, model: str, *, version: int, is_up: bool) -> None:
        """Begin to count for the model."""
        del version, is_up
        self._of(model)

    def model_retired(self, model: str, *, version: int) -> None:
        """Keep the counts, which are the model's."""
        del model, version

    def prediction_started(self, model: str) -> None:
        """Count a prediction in flight."""
        counts = self._of(model)
        counts.requests += 1
        counts.in_flight += 1

    def prediction_finished(
        self, model: str, *, rows: int, seconds: float, error_code: str | None
    ) -> None:
        """Count its end and its latency; one that was refused says nothing of latency."""
        del rows
        counts = self._of(model)
        counts.in_flight -= 1
        if error_code is None:
            counts.window.record(seconds)
        else:
            counts.errors += 1

    def sample(self, models: Iterable[str]) -> LiveMetrics:
        """Return the metrics of these models as they are now."""
        return LiveMetrics(
            sampled_at=datetime.now(UTC),
            window_seconds=WINDOW_SECONDS,
            models=tuple(self._metrics(model) for model in sorted(models)),
        )

    def _of(self, model: str) -> _Counts:
        counts = self._counts.get(model)
        if counts is None:
            counts = self._counts[model] = _Counts(LatencyWindow(self._clock))
        return counts

    def _metrics(self, model: str) -> ModelMetrics:
        counts = self._of(model)
        answered, quantiles = counts.window.quantiles(0.5, 0.95, 0.99)
        covered = min(max(self._clock() - self._started, 1.0), WINDOW_SECONDS)
        return ModelMetrics(
            model=model,
            request_count=counts.requests,
            error_count=counts.errors,
            in_flight=counts.in_flight,
            requests_per_second=round(answered / covered, 3),
            latency=_in_milliseconds(quantiles) if quantiles else None,
        )


def _in_milliseconds(quantiles: tuple[float, ...]) -> LatencyQuantiles:
    p50, p95, p99 = (round(seconds * 1e3, 4) for seconds in quantiles)
    return LatencyQuantiles(p50_ms=p50, p95_ms=p95, p99_ms=p99)
