"""Predictions run beside each other, and whoever counts sees each of them end."""

import asyncio

import numpy as np
import pytest

from gql_platform.errors import ModelNotFoundError, OverloadedError, PlatformError
from gql_platform.serving.ports import ValueOutput
from gql_platform.serving.records import ModelState, ValuePrediction
from gql_platform.testing import LinearRegressor, example_loader, in_memory_services
from tests.unit.serving.doubles import HOUSE_ROW, Held, Observer, Scripted, house_serving

pytestmark = pytest.mark.anyio


class TestObservers:
    async def test_each_end_has_its_code(self) -> None:
        """Every request of a served model is seen to begin, and to end with its code."""
        observer = Observer()
        outputs = iter([ValueOutput(np.array([1.0, 2.0])), ValueOutput(np.ones(9))])
        serving = await house_serving(Scripted(lambda _: next(outputs)), observer)
        await serving.predict("house", [HOUSE_ROW] * 2)
        for rows in ([HOUSE_ROW], [], [HOUSE_ROW] * 11, [("x", 1, True)]):
            with pytest.raises(PlatformError):
                await serving.predict("house", rows)
        assert observer.started == ["house"] * 5
        assert observer.finished == [
            ("house", 2, None),
            ("house", 1, "PREDICTION_FAILED"),
            ("house", 0, "EMPTY_ROWS"),
            ("house", 11, "TOO_MANY_ROWS"),
            ("house", 1, "INVALID_ROWS"),
        ]
        assert all(seconds >= 0 for seconds in observer.seconds)

    async def test_unknown_model_is_not_observed(self) -> None:
        """Names that callers make up do not become labels of metrics."""
        observer = Observer()
        serving = await house_serving(LinearRegressor([1.0, 1.0, 1.0]), observer)
        with pytest.raises(ModelNotFoundError):
            await serving.predict("hose", [HOUSE_ROW])
        assert (observer.started, observer.finished) == ([], [])

    async def test_bug_is_counted_as_internal(self) -> None:
        """What nobody foresaw is counted under the code that the caller sees."""
        observer = Observer()
        serving = await house_serving(Scripted(lambda _: None), observer)  # type: ignore[arg-type,return-value]
        with pytest.raises(AttributeError):
            await serving.predict("house", [HOUSE_ROW])
        assert observer.finished == [("house", 1, "INTERNAL")]

    async def test_caller_who_left_is_counted_as_cancelled(self) -> None:
        """A prediction whose caller has gone ends with a code of its own."""
        held, observer = Held(1), Observer()
        serving = await house_serving(Scripted(held.act), observer)
        asked = asyncio.create_task(serving.predict("house", [HOUSE_ROW]))
        await asyncio.to_thread(held.wait_until_full)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert observer.finished == [("house", 1, "CANCELLED")]
        held.open()
        await serving.close()


class TestConcurrency:
    async def test_event_loop_is_free_meanwhile(self) -> None:
        """While a model computes, the server still answers, and shows it in flight."""
        held = Held(1)
        serving = await house_serving(Scripted(held.act), threads=1)
        asked = asyncio.create_task(serving.predict("house", [HOUSE_ROW]))
        await asyncio.to_thread(held.wait_until_full)
        samples = serving.live_metrics(model="house", interval_seconds=60)
        (metrics,) = (await anext(samples)).models
        assert (metrics.request_count, metrics.in_flight) == (1, 1)
        assert serving.model("house").state is ModelState.READY
        held.open()
        assert (await asked).predictions == (ValuePrediction(100.0),)

    async def test_closing_lets_predictions_end(self) -> None:
        """What is at work when the server stops is still answered."""
        held = Held(1)
        serving = await house_serving(Scripted(held.act))
        asked = asyncio.create_task(serving.predict("house", [HOUSE_ROW]))
        await asyncio.to_thread(held.wait_until_full)
        closing = asyncio.create_task(serving.close())
        held.open()
        await closing
        assert (await asked).predictions == (ValuePrediction(100.0),)

    async def test_many_callers_get_their_own_answers(self) -> None:
        """Answers are not mixed up among callers."""
        services = in_memory_services(loader=example_loader())
        await services.deployments.load_all()
        answers = await asyncio.gather(
            *(
                services.serving.predict("house_price", [(float(n), 0, False)] * (n % 5 + 1))
                for n in range(200)
            )
        )
        await services.close()
        assert [answer.predictions for answer in answers] == [
            (ValuePrediction(50_000 + 3000.0 * n),) * (n % 5 + 1) for n in range(200)
        ]


class TestOverload:
    async def test_more_than_can_wait_are_refused_at_once(self) -> None:
        """What would wait for long is refused, and what waits already is answered."""
        held = Held(1)
        serving = await house_serving(Scripted(held.act), max_queue=3)
        asked = [
            asyncio.create_task(serving.predict("house", [(float(n), 1, True)]))
            for n in range(1, 4)
        ]
        await asyncio.to_thread(held.wait_until_full)
        with pytest.raises(OverloadedError) as caught:
            await serving.predict("house", [HOUSE_ROW])
        assert caught.value.data == {"model": "house", "maximum": 3, "retry_after_seconds": 1}
        held.open()
        answers = await asyncio.gather(*asked)
        assert [answer.predictions for answer in answers] == [
            (ValuePrediction(float(n)),) for n in range(1, 4)
        ]
        await serving.close()
