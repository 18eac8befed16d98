"""Requests queue while the model is busy, and go together as soon as it is free."""

import asyncio
import contextvars
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.errors import OverloadedError
from gql_platform.serving.lane import MAX_LOST
from gql_platform.serving.ports import Table, ValueOutput
from tests.unit.serving.lanes import (
    PATIENCE_SECONDS,
    Gated,
    answers,
    asked,
    column_of,
    doubled,
    frame,
    lane_of,
    rows,
    threads_of,
)

pytestmark = pytest.mark.anyio


class TestBatches:
    async def test_a_lone_request_goes_at_once(self) -> None:
        """Nothing waits for further requests to come."""
        model = Gated()
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0))
        await model.begun()
        assert (model.calls, lane.at_work) == ([[1.0]], 1)
        model.let_end(1)
        assert await answers(tasks) == [[2.0]]
        assert lane.at_work == 0
        lane.close()

    async def test_what_has_queued_goes_in_one_call(self) -> None:
        """While the model was busy three requests came, which are answered together."""
        model = Gated()
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0), rows(2.0), rows(3.0, 4.0), rows(5.0))
        assert lane.at_work == 4
        model.let_end(2)
        assert await answers(tasks) == [[2.0], [4.0], [6.0, 8.0], [10.0]]
        assert model.calls == [[1.0], [2.0, 3.0, 4.0, 5.0]]
        lane.close()

    @pytest.mark.parametrize(
        ("sizes", "calls"),
        [
            ([1, 1, 1, 1], [3, 1]),
            ([2, 1, 2], [3, 2]),
            ([2, 2], [2, 2]),
            ([3, 1], [3, 1]),
            ([7, 1, 1], [7, 2]),
            ([1, 7, 1], [1, 7, 1]),
            ([1, 1, 7], [2, 7]),
        ],
    )
    async def test_batches_have_no_more_rows_than_they_may(
        self, sizes: list[int], calls: list[int]
    ) -> None:
        """Of three rows at most here; a larger request goes alone, and nobody overtakes."""
        model = Gated()
        lane = lane_of(model.predict, max_batch_rows=3)
        numbers = iter(range(1, 100))
        tables = [rows(*(float(next(numbers)) for _ in range(size))) for size in sizes]
        tasks = await asked(lane, rows(0.0), *tables)
        model.let_end(1 + len(calls))
        assert await answers(tasks) == [[0.0]] + [[x * 2 for x in column_of(t)] for t in tables]
        assert [len(call) for call in model.calls[1:]] == calls
        in_order = [value for call in model.calls for value in call]
        assert in_order == sorted(in_order)
        lane.close()

    async def test_other_kinds_are_not_joined(self) -> None:
        """Tables of other types go one after the other, in the order in which they came."""
        model = Gated()
        lane = lane_of(model.predict)
        tables = [frame(1), frame(2), frame(3.5), frame(4.5), frame(5), rows(6.0), rows(7.0)]
        tasks = await asked(lane, rows(0.0), *tables)
        model.let_end(5)
        assert await answers(tasks) == [[0.0], [2.0], [4.0], [7.0], [9.0], [10.0], [12.0], [14.0]]
        assert model.calls == [[0.0], [1.0, 2.0], [3.5, 4.5], [5.0], [6.0, 7.0]]
        lane.close()

    @given(
        st.lists(st.integers(1, 9), min_size=1, max_size=40),
        st.integers(1, 3),
        st.integers(1, 16),
    )
    def test_answers_are_never_mixed(
        self, sizes: list[int], concurrency: int, max_batch_rows: int
    ) -> None:
        """However requests are joined, each gets what belongs to its own rows."""
        calls: list[list[int]] = []

        def predict(table: Table) -> ValueOutput:
            calls.append([int(value) // 100 for value in column_of(table)])
            return doubled(table)

        async def run() -> list[list[float]]:
            lane = lane_of(predict, concurrency=concurrency, max_batch_rows=max_batch_rows)
            found = await answers([asyncio.create_task(lane.run(table)) for table in tables])
            lane.close()
            return found

        tables = [
            rows(*(number * 100.0 + row for row in range(size)))
            for number, size in enumerate(sizes)
        ]
        assert asyncio.run(run()) == [[x * 2 for x in column_of(table)] for table in tables]
        assert sorted(row for call in calls for row in call) == [
            number for number, size in enumerate(sizes) for _ in range(size)
        ]
        assert all(len(call) <= max_batch_rows or len(set(call)) == 1 for call in calls)

    async def test_two_compute_at_once_where_they_may(self) -> None:
        """Each of two calls waits for the other, and both end."""
        meeting = threading.Barrier(2)

        def predict(table: Table) -> ValueOutput:
            meeting.wait(timeout=PATIENCE_SECONDS)
            return doubled(table)

        lane = lane_of(predict, concurrency=2)
        assert await answers(await asked(lane, rows(1.0), rows(2.0))) == [[2.0], [4.0]]
        lane.close()

    async def test_one_computes_at_once_where_only_one_may(self) -> None:
        """A model that does not take two calls at once gets one after the other."""
        model = Gated()
        lane = lane_of(model.predict, max_batch_rows=1)
        tasks = await asked(lane, rows(1.0), rows(2.0))
        await model.begun()
        assert threads_of(lane) == 1
        assert model.calls == [[1.0]]
        model.let_end(2)
        assert await answers(tasks) == [[2.0], [4.0]]
        lane.close()

    async def test_a_lone_request_computes_in_its_own_context(self) -> None:
        """What is bound to a request, such as its id in the log, is there in the thread."""
        variable = contextvars.ContextVar("variable", default="none")
        seen: list[str] = []

        def predict(table: Table) -> ValueOutput:
            seen.append(variable.get())
            return doubled(table)

        lane = lane_of(predict)
        variable.set("mine")
        await lane.run(rows(1.0))
        assert seen == ["mine"]
        lane.close()


class TestFailures:
    @staticmethod
    def picky(table: Table) -> ValueOutput:
        """Refuse numbers below zero."""
        if min(column_of(table)) < 0:
            raise ValueError("below zero")
        return doubled(table)

    @staticmethod
    def forgetful(table: Table) -> ValueOutput:
        """Give one answer too few to several rows."""
        return ValueOutput(doubled(table).values[: max(len(table) - 1, 1)])

    async def test_bad_rows_fail_their_own_caller_only(self) -> None:
        """Where a batch fails, each request of it is asked again alone."""
        model = Gated(self.picky)
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0), rows(2.0), rows(-3.0), rows(4.0))
        model.let_end(5)
        with pytest.raises(ValueError, match="below zero"):
            await tasks[2]
        assert await answers([tasks[0], tasks[1], tasks[3]]) == [[2.0], [4.0], [8.0]]
        assert model.calls == [[1.0], [2.0, -3.0, 4.0], [2.0], [-3.0], [4.0]]
        assert lane.at_work == 0
        lane.close()

    async def test_answers_of_unknown_owners_are_not_given(self) -> None:
        """A model that answers too few rows of a batch is asked for each request alone."""
        model = Gated(self.forgetful)
        lane = lane_of(model.predict)
        tasks = await asked(lane, rows(1.0), rows(2.0), rows(3.0))
        model.let_end(4)
        assert await answers(tasks) == [[2.0], [4.0], [6.0]]
        lane.close()

    @pytest.mark.parametrize("error", [StopIteration("end"), SystemExit(3), KeyError("x")])
    async def test_whatever_a_model_raises_reaches_its_caller(self, error: BaseException) -> None:
        """An error that asyncio or threads take for theirs does not stop the lane."""

        def predict(table: Table) -> ValueOutput:
            if column_of(table) == [0.0]:
                raise error
            return doubled(table)

        lane = lane_of(predict)
        for _ in range(MAX_LOST + 2):
            with pytest.raises((RuntimeError, KeyError)):
                await lane.run(rows(0.0))
        assert await answers(await asked(lane, rows(1.0))) == [[2.0]]
        assert (lane.at_work, threads_of(lane)) == (0, 1)
        lane.close()

    async def test_a_thread_that_cannot_be_started_takes_no_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the machine has no thread left, the request fails, and the next one finds room."""

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        lane = lane_of(doubled)
        with monkeypatch.context() as full:
            full.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                await lane.run(rows(1.0))
        assert lane.at_work == 0
        assert await answers(await asked(lane, rows(2.0))) == [[4.0]]
        lane.close()


class TestOverload:
    async def test_more_than_may_wait_are_refused_at_once(self) -> None:
        """Those at work count too, and there is room again when one is answered."""
        model = Gated()
        lane = lane_of(model.predict, max_waiting=3)
        tasks = await asked(lane, rows(1.0), rows(2.0), rows(3.0))
        with pytest.raises(OverloadedError) as caught:
            await lane.run(rows(4.0))
        assert (caught.value.maximum, caught.value.retry_after_seconds) == (3, 1)
        model.let_end(3)
        assert await answers(tasks) == [[2.0], [4.0], [6.0]]
        assert await answers(await asked(lane, rows(5.0))) == [[10.0]]
        lane.close()

    @pytest.mark.parametrize(
        ("batch_seconds", "seconds"), [(0.0, 1), (0.3, 1), (7.0, 11), (1000.0, 60)]
    )
    async def test_refusal_says_when_to_come_again(
        self, batch_seconds: float, seconds: int
    ) -> None:
        """Three requests that wait for one of two places take one and a half batches' time."""
        model = Gated()
        lane = lane_of(model.predict, concurrency=2, max_waiting=5)
        lane._batch_seconds = batch_seconds
        tasks = await asked(lane, *(rows(float(number)) for number in range(5)))
        with pytest.raises(OverloadedError) as caught:
            await lane.run(rows(4.0))
        assert caught.value.retry_after_seconds == seconds
        model.let_end(5)
        await answers(tasks)
        lane.close()
