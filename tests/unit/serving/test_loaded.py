"""A loaded version answers on the event loop or in threads, and ends when it is told to."""

import asyncio
import threading

import numpy as np
import pandas as pd
import pytest
from structlog.testing import capture_logs

from gql_platform.errors import InvalidRowsError, PredictionError
from gql_platform.registry.records import ModelVersion
from gql_platform.serving.fleet import Fleet, ServingLimits
from gql_platform.serving.loaded import FEW_VALUES, LoadedVersion
from gql_platform.serving.ports import Output, Table, ValueOutput
from gql_platform.serving.records import (
    Engine,
    ModelState,
    Placement,
    Prediction,
    Task,
    ValuePrediction,
)
from gql_platform.testing import FIRST_MOMENT, HOUSE_PACKAGE, InMemoryLoader, LinearClassifier
from tests.unit.serving.doubles import Held, Scripted
from tests.unit.serving.lanes import until
from tests.unit.serving.versions import Numbered, answer_of, house

pytestmark = pytest.mark.anyio

REFUSED = (
    "it refused the values, as it does numbers that are too large for it; the server's log has its "
    "words."
)
RAISED = "it raised KeyError; the server's log has the details."

VERSION = ModelVersion("loaded", 1, (), None, (), FIRST_MOMENT, None)


async def loaded_of(predictor: object, **limits: float) -> LoadedVersion:
    """Return a version that is loaded."""
    loader = InMemoryLoader({VERSION.ref: predictor})  # type: ignore[dict-item]
    fleet = Fleet(loader, ServingLimits(**limits))  # type: ignore[arg-type]
    return await fleet.loaded(VERSION, HOUSE_PACKAGE)


def threads() -> int:
    """Return how many threads the lane has."""
    return sum(each.name == "predict-loaded" for each in threading.enumerate())


class Places:
    """Remember which threads a model computed in."""

    def __init__(self) -> None:
        self.seen: list[threading.Thread] = []

    def note(self, rows: object) -> None:
        """Take note of the present thread."""
        del rows
        self.seen.append(threading.current_thread())


class TestPlace:
    @pytest.mark.parametrize(
        ("is_quick", "may_be_inline", "is_here"),
        [(True, True, True), (True, False, False), (False, True, False)],
    )
    async def test_quick_models_answer_here_where_they_may(
        self, *, is_quick: bool, may_be_inline: bool, is_here: bool
    ) -> None:
        """All others answer in a thread of their lane."""
        places = Places()
        loaded = await loaded_of(Numbered(1, before=places.note, is_quick=is_quick))
        found = await loaded.answer([house(5.0)], may_be_inline=may_be_inline)
        assert found == answer_of(1, 5.0)
        (thread,) = places.seen
        assert (thread is threading.current_thread()) is is_here
        if not is_here:
            assert thread.name == "predict-loaded"
        loaded.close()
        await until(lambda: not threads())

    async def test_what_is_shown_is_what_was_measured(self) -> None:
        """The placement is that of small requests."""
        loaded = await loaded_of(Numbered(1, is_quick=False))
        shown = loaded.shown
        assert (shown.model, shown.version, shown.state) == ("loaded", 1, ModelState.READY)
        assert (shown.task, shown.labels) == (Task.REGRESSION, ())
        assert (shown.placement, loaded.engine) == (Placement.THREAD, Engine.NATIVE)
        assert shown.speed is not None
        assert shown.speed.one_row_us >= 1000
        assert shown.load_ms is not None
        assert shown.load_ms >= 40
        loaded.close()

    async def test_many_rows_are_answered_alike(self) -> None:
        """Rows that are checked in a thread have the same answers, and the same refusals."""
        loaded = await loaded_of(Numbered(1))
        areas = [float(number) for number in range(1, FEW_VALUES)]
        rows = [house(area) for area in areas]
        assert await loaded.answer(rows) == answer_of(1, *areas)
        with pytest.raises(InvalidRowsError):
            await loaded.answer([*rows, ("x", 1, True)])
        assert loaded.at_work == 0
        loaded.close()

    async def test_arrays_are_for_who_takes_them(self) -> None:
        """A model that reads arrays gets float64 of one row each."""
        tables: list[Table] = []

        class Arrays(Numbered):
            takes_arrays = True

            def predict(self, rows: Table) -> Output:
                tables.append(rows)
                return ValueOutput(np.zeros(len(rows)))

        loaded = await loaded_of(Arrays(1))
        tables.clear()
        await loaded.answer([house(5.0), house(6.0)])
        await loaded.answer([house(5.0)], may_be_inline=False)
        assert [np.asarray(table).tolist() for table in tables] == [
            [[5.0, 1.0, 1.0], [6.0, 1.0, 1.0]],
            [[5.0, 1.0, 1.0]],
        ]
        loaded.close()


class TestFailures:
    @pytest.mark.parametrize("may_be_inline", [True, False])
    @pytest.mark.parametrize(
        ("error", "reason"), [(ValueError("too large"), REFUSED), (KeyError("x"), RAISED)]
    )
    async def test_errors_of_models_are_named(
        self, error: Exception, reason: str, *, may_be_inline: bool
    ) -> None:
        """Wherever it computes, the caller learns the kind of error and not its words."""

        def fail(_: object) -> None:
            raise error

        loaded = await loaded_of(Numbered(1, before=fail))
        with capture_logs(), pytest.raises(PredictionError) as caught:
            await loaded.answer([house(5.0)], may_be_inline=may_be_inline)
        assert caught.value.data == {"name": "loaded", "version": 1, "reason": reason}
        assert loaded.at_work == 0
        loaded.close()

    @pytest.mark.parametrize("may_be_inline", [True, False])
    async def test_a_model_that_ends_the_process_does_not(self, *, may_be_inline: bool) -> None:
        """`sys.exit` in a model is its failure, and not the server's end."""

        def leave(_: object) -> None:
            raise SystemExit(1)

        loaded = await loaded_of(Numbered(1, before=leave))
        with capture_logs(), pytest.raises(PredictionError):
            await loaded.answer([house(5.0)], may_be_inline=may_be_inline)
        loaded.close()

    async def test_answers_of_others_are_checked_alone(self) -> None:
        """A value that is no number fails the request that it belongs to, of all in a batch."""
        held = Held(1)

        def act(frame: pd.DataFrame) -> ValueOutput:
            areas = held.act(frame).values
            sizes.append(len(areas))
            return ValueOutput(np.where(areas > 10, np.inf, areas))

        sizes: list[int] = []
        loaded = await loaded_of(Scripted(act))
        tasks = [asyncio.create_task(loaded.answer([house(1.0)]))]
        await asyncio.to_thread(held.wait_until_full)
        tasks += [asyncio.create_task(loaded.answer([house(area)])) for area in (5.0, 11.0)]
        await asyncio.sleep(0)
        held.open()
        assert await tasks[0] == (ValuePrediction(1.0),)
        assert await tasks[1] == (ValuePrediction(5.0),)
        with pytest.raises(PredictionError, match="not finite numbers"):
            await tasks[2]
        assert sizes == [1, 2]
        loaded.close()


class TestDraining:
    async def test_nothing_at_work_is_drained_at_once(self) -> None:
        """There is nothing to wait for."""
        loaded = await loaded_of(Numbered(1))
        await loaded.answer([house(5.0)])
        await loaded.drained()
        loaded.close()

    async def test_everybody_waits_for_what_is_at_work(self) -> None:
        """However many wait for the end, all of them see it."""
        held = Held(1)
        loaded = await loaded_of(Numbered(1, before=held.act, is_quick=False))
        asked = [asyncio.create_task(loaded.answer([house(area)])) for area in (5.0, 6.0)]
        await asyncio.to_thread(held.wait_until_full)
        assert loaded.at_work == 2
        waiting = [asyncio.create_task(loaded.drained()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        held.open()
        await asyncio.gather(*waiting)
        assert all(task.done() for task in asked)
        assert [await task for task in asked] == [answer_of(1, 5.0), answer_of(1, 6.0)]
        loaded.close()
        await until(lambda: not threads())

    async def test_who_left_is_not_waited_for(self) -> None:
        """A caller who has gone is at work no more."""
        held = Held(1)
        loaded = await loaded_of(Numbered(1, before=held.act, is_quick=False))
        asked = asyncio.create_task(loaded.answer([house(5.0)]))
        await asyncio.to_thread(held.wait_until_full)
        waiting = asyncio.create_task(loaded.drained())
        asked.cancel()
        await waiting
        held.open()
        loaded.close()

    async def test_closing_closes_the_predictor(self) -> None:
        """Nobody may ask it any more."""
        predictor = Numbered(1)
        loaded = await loaded_of(predictor)
        assert not loaded.is_closed
        loaded.close()
        assert (loaded.is_closed, predictor.closings) == (True, 1)


class TestCache:
    async def asked(self, loaded: LoadedVersion, area: float) -> tuple[Prediction, ...]:
        """Return the answer that the lane gives, or the cache."""
        return await loaded.answer([house(area)], may_be_inline=False)

    async def test_same_rows_are_computed_once(self) -> None:
        """Until they were forgotten."""
        calls: list[float] = []
        predictor = Numbered(1, before=lambda frame: calls.extend(frame.iloc[:, 0]))
        loaded = await loaded_of(predictor, cached_answers=2)
        for area in (5.0, 5.0, 6.0, 5.0, 7.0, 6.0):
            assert await self.asked(loaded, area) == answer_of(1, area)
        assert calls == [5.0, 6.0, 7.0, 6.0]
        assert loaded.cache is not None
        assert (loaded.cache.hits, loaded.cache.misses) == (2, 4)
        loaded.close()

    async def test_failures_are_not_remembered(self) -> None:
        """What failed once may succeed the next time."""
        outcomes = iter([ValueError("not now"), None])

        def fail_once(_: object) -> None:
            if (error := next(outcomes)) is not None:
                raise error

        loaded = await loaded_of(Numbered(1, before=fail_once), cached_answers=2)
        with capture_logs(), pytest.raises(PredictionError):
            await self.asked(loaded, 5.0)
        assert await self.asked(loaded, 5.0) == answer_of(1, 5.0)
        loaded.close()

    async def test_nothing_is_remembered_unless_asked_for(self) -> None:
        """A model need not be a function of its rows."""
        loaded = await loaded_of(Numbered(1))
        assert loaded.cache is None
        loaded.close()


async def test_labels_are_those_of_the_model() -> None:
    """A classifier is shown with its labels."""
    loaded = await loaded_of(LinearClassifier(["low", "high"], [[1.0, 0, 0], [-1.0, 0, 0]]))
    assert (loaded.shown.task, loaded.shown.labels) == (Task.CLASSIFICATION, ("low", "high"))
    loaded.close()
