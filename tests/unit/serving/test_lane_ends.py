"""Requests end in time, whether they are answered, given up or left; and so do lanes."""

import asyncio

import pytest

from gql_platform.errors import PredictionTimeoutError
from gql_platform.serving.lane import MAX_LOST
from tests.unit.serving.lanes import (
    Gated,
    answers,
    asked,
    be_patient,
    doubled,
    lane_of,
    rows,
    threads_of,
    until,
)

pytestmark = pytest.mark.anyio


class TestLeaving:
    async def test_who_left_the_queue_is_not_computed_for(self) -> None:
        """A request whose caller has gone makes room before its turn comes."""
        model = Gated()
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0), rows(2.0), rows(3.0))
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        assert lane.at_work == 2
        model.let_end(2)
        assert await answers([tasks[0], tasks[2]]) == [[2.0], [6.0]]
        assert model.calls == [[1.0], [3.0]]
        lane.close()

    async def test_who_left_the_batch_keeps_no_answer_back(self) -> None:
        """The others of its batch are answered, and the lane goes on."""
        model = Gated()
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0), rows(2.0), rows(3.0))
        model.let_end(1)
        await model.begun(2)
        tasks[1].cancel()
        model.let_end(1)
        assert await answers([tasks[0], tasks[2]]) == [[2.0], [6.0]]
        assert tasks[1].cancelled()
        assert lane.at_work == 0
        lane.close()


class TestDeadline:
    async def test_a_call_that_hangs_times_out_and_gives_its_place_to_others(self) -> None:
        """Its late answer goes to nobody, and its thread ends then."""
        model = Gated()
        lane = lane_of(model.predict, deadline_seconds=0.02)
        (hanging,) = await asked(lane, rows(1.0))
        with pytest.raises(PredictionTimeoutError) as caught:
            await hanging
        assert (caught.value.version, caught.value.seconds) == (7, 0.02)
        assert lane.at_work == 0
        be_patient(lane)
        (other,) = await asked(lane, rows(2.0))
        await model.begun(2)
        assert threads_of(lane) == 2
        model.let_end(2)
        assert await answers([other]) == [[4.0]]
        await until(lambda: threads_of(lane) == 1)
        model.let_end(1)
        assert await answers(await asked(lane, rows(3.0))) == [[6.0]]
        lane.close()
        await until(lambda: not threads_of(lane))

    async def test_places_of_calls_that_hang_are_bounded(self) -> None:
        """So many threads hang and no more; who waits behind them leaves the queue in time."""
        model = Gated()
        lane = lane_of(model.predict, deadline_seconds=0.02)
        for number in range(MAX_LOST + 2):
            with pytest.raises(PredictionTimeoutError):
                await lane.run(rows(float(number)))
        await model.begun(MAX_LOST + 1)
        assert model.calls == [[float(number)] for number in range(MAX_LOST + 1)]
        assert (lane.at_work, threads_of(lane)) == (0, MAX_LOST + 1)
        be_patient(lane)
        model.let_end(MAX_LOST + 2)
        assert await answers(await asked(lane, rows(9.0))) == [[18.0]]
        await until(lambda: threads_of(lane) == 1)
        lane.close()

    async def test_a_call_that_comes_back_makes_room(self) -> None:
        """Of more that hang than are given up, the next is given up when one of them ends."""
        model = Gated()
        lane = lane_of(model.predict, deadline_seconds=0.02)
        for number in range(MAX_LOST + 1):
            with pytest.raises(PredictionTimeoutError):
                await lane.run(rows(float(number)))
        await model.begun(MAX_LOST + 1)
        be_patient(lane)
        tasks = await asked(lane, rows(5.0))
        # Who waits longest is let go first, and that is one that was given up.
        model.let_end(1)
        await model.begun()
        assert model.calls[-1] == [5.0]
        assert threads_of(lane) == MAX_LOST + 1
        model.let_end(MAX_LOST + 1)
        assert await answers(tasks) == [[10.0]]
        lane.close()
        await until(lambda: not threads_of(lane))

    async def test_an_answer_in_time_stops_the_clock(self) -> None:
        """When the time of an answered request is over, nothing happens any more."""
        lane, hanging = lane_of(doubled, deadline_seconds=0.02), Gated()
        for number in range(5):
            assert await answers(await asked(lane, rows(float(number)))) == [[number * 2.0]]
        later = lane_of(hanging.predict, deadline_seconds=0.02)
        with pytest.raises(PredictionTimeoutError):
            await later.run(rows(1.0))
        assert (lane.at_work, lane._lost, threads_of(lane)) == (0, 0, 1)
        hanging.let_end(1)
        lane.close()
        later.close()


class TestClosing:
    async def test_threads_end(self) -> None:
        """A lane that is closed while nothing is at work leaves nothing behind."""
        lane = lane_of(doubled, concurrency=2)
        await answers(await asked(lane, rows(1.0), rows(2.0)))
        assert threads_of(lane) > 0
        lane.close()
        await until(lambda: not threads_of(lane))

    async def test_what_is_at_work_is_answered_first(self) -> None:
        """Closing takes no answer from anybody who has asked."""
        model = Gated()
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0), rows(2.0))
        lane.close()
        model.let_end(2)
        assert await answers(tasks) == [[2.0], [4.0]]
        await until(lambda: not threads_of(lane))
