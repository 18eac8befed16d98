"""Traffic is counted from the start, and its rate and latency over the last minute."""

import math

import pytest

from gql_platform.serving.latency import GROWTH
from gql_platform.serving.records import ModelMetrics
from gql_platform.serving.traffic import Traffic
from tests.unit.serving.test_latency import Clock


def metrics_of(traffic: Traffic, model: str = "iris") -> ModelMetrics:
    """Return the metrics of one model."""
    (metrics,) = traffic.sample([model]).models
    return metrics


def predict(traffic: Traffic, *, seconds: float = 0.01, code: str | None = None) -> None:
    """Play a prediction of the model."""
    traffic.prediction_started("iris")
    traffic.prediction_finished("iris", rows=1, seconds=seconds, error_code=code)


class TestTraffic:
    def test_model_without_traffic_has_zeros(self) -> None:
        """A model that was just loaded has counts of zero and no latency."""
        traffic = Traffic(Clock())
        traffic.model_settled("iris", version=1, is_up=True)
        assert metrics_of(traffic) == ModelMetrics("iris", 0, 0, 0, 0.0, None)

    def test_unknown_model_has_zeros(self) -> None:
        """A model that nobody asked for is sampled like one without traffic."""
        assert metrics_of(Traffic(Clock())) == ModelMetrics("iris", 0, 0, 0, 0.0, None)

    def test_prediction_is_in_flight_until_it_ends(self) -> None:
        """What has started and not ended is in flight."""
        traffic = Traffic(Clock())
        traffic.prediction_started("iris")
        traffic.prediction_started("iris")
        assert metrics_of(traffic).in_flight == 2
        traffic.prediction_finished("iris", rows=1, seconds=0.1, error_code=None)
        assert metrics_of(traffic).in_flight == 1
        traffic.prediction_finished("iris", rows=1, seconds=0.1, error_code="PREDICTION_FAILED")
        assert metrics_of(traffic).in_flight == 0

    def test_refused_prediction_has_no_latency(self) -> None:
        """An error counts as a request and as an error, but tells nothing of latency."""
        traffic = Traffic(Clock())
        predict(traffic, code="INVALID_ROWS")
        assert metrics_of(traffic) == ModelMetrics("iris", 1, 1, 0, 0.0, None)

    def test_latency_is_in_milliseconds(self) -> None:
        """The quantiles are those of the answered predictions."""
        traffic = Traffic(Clock())
        for milliseconds in range(1, 101):
            predict(traffic, seconds=milliseconds / 1e3)
        latency = metrics_of(traffic).latency
        assert latency is not None
        error = math.sqrt(GROWTH) - 1
        assert latency.p50_ms == pytest.approx(50, rel=error)
        assert latency.p95_ms == pytest.approx(95, rel=error)
        assert latency.p99_ms == pytest.approx(99, rel=error)

    @pytest.mark.parametrize(
        ("age", "rate"), [(0.0, 30.0), (0.5, 30.0), (1.0, 30.0), (10.0, 3.0), (59.0, 0.508)]
    )
    def test_rate_covers_what_has_passed(self, age: float, rate: float) -> None:
        """In the first minute the rate is over the time since the start, of a second at least."""
        clock = Clock()
        traffic = Traffic(clock)
        for _ in range(30):
            predict(traffic)
        clock.now += age
        assert metrics_of(traffic).requests_per_second == rate

    def test_rate_covers_a_minute_later_on(self) -> None:
        """After the first minute the rate is over the last sixty seconds."""
        clock = Clock()
        traffic = Traffic(clock)
        clock.now += 3600
        for _ in range(30):
            predict(traffic)
        assert metrics_of(traffic).requests_per_second == 0.5
        clock.now += 60
        assert metrics_of(traffic) == ModelMetrics("iris", 30, 0, 0, 0.0, None)

    def test_sample_is_sorted_by_name(self) -> None:
        """A sample has an entry for each model, in the order of names."""
        sample = Traffic(Clock()).sample(["b", "a", "c"])
        assert [metrics.model for metrics in sample.models] == ["a", "b", "c"]
        assert sample.window_seconds == 60
        assert sample.sampled_at.tzinfo is not None
