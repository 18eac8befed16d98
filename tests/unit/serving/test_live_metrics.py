"""Live metrics begin at once and go on at the interval."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import numpy as np
import pytest

from gql_platform.errors import IntervalError, ModelNotFoundError, PredictionError
from gql_platform.services import Services
from gql_platform.serving.ports import ValueOutput
from gql_platform.serving.records import LiveMetrics, ModelMetrics
from tests.unit.serving.doubles import HOUSE_ROW, Scripted, house_serving

pytestmark = pytest.mark.anyio

PROMPTLY = 20
"""Seconds that a sample may take; it takes microseconds, unless it waits for the interval."""


async def first_of(samples: AsyncIterator[LiveMetrics]) -> LiveMetrics:
    """Return the first sample and end the stream."""
    async with asyncio.timeout(PROMPTLY):
        sample = await anext(samples)
    await cast("AsyncGenerator[LiveMetrics]", samples).aclose()
    return sample


class TestLiveMetrics:
    async def test_first_sample_is_immediate(self, services: Services) -> None:
        """Nobody waits an interval for the first figures."""
        samples = services.serving.live_metrics(model=None, interval_seconds=60)
        sample = await first_of(samples)
        assert sample.models == (
            ModelMetrics("house_price", 0, 0, 0, 0.0, None),
            ModelMetrics("iris_species", 0, 0, 0, 0.0, None),
        )
        assert sample.window_seconds == 60

    async def test_samples_go_on(self, services: Services) -> None:
        """After the interval comes another sample, with what has happened since."""
        samples = services.serving.live_metrics(model="house_price", interval_seconds=0.1)
        async with asyncio.timeout(PROMPTLY):
            before = await anext(samples)
            await services.serving.predict("house_price", [HOUSE_ROW])
            after = await anext(samples)
        assert [metrics.request_count for metrics in before.models] == [0]
        assert [metrics.request_count for metrics in after.models] == [1]
        assert (after.sampled_at - before.sampled_at).total_seconds() >= 0.09
        (metrics,) = after.models
        assert metrics.latency is not None
        assert 0 < metrics.latency.p50_ms <= metrics.latency.p95_ms <= metrics.latency.p99_ms

    async def test_errors_are_counted(self) -> None:
        """A prediction that failed counts as a request and as an error."""
        serving = await house_serving(Scripted(lambda _: ValueOutput(np.array([np.nan]))))
        with pytest.raises(PredictionError):
            await serving.predict("house", [HOUSE_ROW])
        sample = await first_of(serving.live_metrics(model=None, interval_seconds=60))
        assert sample.models == (ModelMetrics("house", 1, 1, 0, 0.0, None),)

    async def test_unknown_model_is_refused(self, services: Services) -> None:
        """A stream of a model that is not served does not begin."""
        with pytest.raises(ModelNotFoundError) as caught:
            await first_of(services.serving.live_metrics(model="x", interval_seconds=1))
        assert caught.value.name == "x"

    @pytest.mark.parametrize("seconds", [0.1, 1, 60])
    async def test_interval_within_bounds_is_taken(
        self, services: Services, seconds: float
    ) -> None:
        """The shortest and the longest interval are intervals."""
        sample = await first_of(
            services.serving.live_metrics(model="house_price", interval_seconds=seconds)
        )
        assert len(sample.models) == 1

    @pytest.mark.parametrize("seconds", [0, -1, 0.0999, 60.001, math.inf, math.nan])
    async def test_interval_out_of_bounds_is_refused(
        self, services: Services, seconds: float
    ) -> None:
        """An interval that would flood or starve the caller is refused with the bounds."""
        with pytest.raises(IntervalError) as caught:
            await first_of(services.serving.live_metrics(model=None, interval_seconds=seconds))
        assert (caught.value.minimum_seconds, caught.value.maximum_seconds) == (0.1, 60.0)
