"""A shadow answers the same rows, and neither its answers nor its failures reach a caller."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from structlog.testing import capture_logs

from gql_platform.deployments.records import Comparison
from gql_platform.registry.records import VersionRef
from gql_platform.serving.records import ClassPrediction, LabelProbability, ValuePrediction
from gql_platform.serving.shadow import MAX_COPIES, ShadowRecord
from tests.unit.serving.doubles import Scripted
from tests.unit.serving.lanes import PATIENCE_SECONDS, until
from tests.unit.serving.versions import (
    BREAKING_PACKAGE,
    Numbered,
    Site,
    answer_of,
    closings,
    live,
    shadow,
    site_of,
)

pytestmark = pytest.mark.anyio


def labelled(label: str, **probabilities: float) -> ClassPrediction:
    """Return a classifier's answer, with the probabilities of its labels if there are any."""
    return ClassPrediction(
        label,
        probabilities.get(label),
        tuple(LabelProbability(*each) for each in probabilities.items()),
    )


class TestRecord:
    def test_begins_with_nothing(self) -> None:
        """Without a request nothing is known."""
        assert ShadowRecord().comparison() == Comparison(0, 0, 0, 0, None, None)

    def test_values_differ_by_their_distance(self) -> None:
        """The mean of 0, 3 and 5 is that of all rows, not of the requests."""
        record = ShadowRecord()
        record.answered([ValuePrediction(1.0)], [ValuePrediction(1.0)])
        record.answered(
            [ValuePrediction(1.0), ValuePrediction(-2.0)],
            [ValuePrediction(4.0), ValuePrediction(-7.0)],
        )
        assert record.comparison() == Comparison(2, 0, 0, 3, None, 8 / 3)

    def test_labels_agree_or_not(self) -> None:
        """The difference is that of the probability of the label that was sent."""
        record = ShadowRecord()
        record.answered(
            [labelled("a", a=0.75, b=0.25), labelled("b", a=0.5, b=0.5)],
            [labelled("a", a=0.5, b=0.5), labelled("a", a=1.0, c=0.0)],
        )
        assert record.comparison() == Comparison(1, 0, 0, 2, 0.5, 0.375)

    def test_labels_without_probabilities_agree_or_not(self) -> None:
        """Where one of the two gives none, there is no difference to speak of."""
        record = ShadowRecord()
        record.answered(
            [labelled("a"), labelled("a", a=1.0), labelled("b")],
            [labelled("a", a=1.0), labelled("a"), labelled("c")],
        )
        assert record.comparison() == Comparison(1, 0, 0, 3, 2 / 3, None)

    def test_answers_of_other_tasks_are_counted_only(self) -> None:
        """A label and a number cannot be compared."""
        record = ShadowRecord()
        record.answered([labelled("a", a=1.0)], [ValuePrediction(1.0)])
        record.answered([ValuePrediction(1.0)], [labelled("a", a=1.0)])
        assert record.comparison() == Comparison(2, 0, 0, 2, None, None)

    def test_failures_and_drops_are_counted(self) -> None:
        """They are no answers."""
        record = ShadowRecord()
        record.failed()
        record.dropped()
        record.dropped()
        assert record.comparison() == Comparison(0, 1, 2, 0, None, None)


async def shadowed(*predictors: Scripted) -> Site:
    """Return a site whose version 1 answers, with version 2 as its shadow."""
    site = await site_of(*predictors)
    await site.deployed(live("stable", 1), shadow("trial", 2))
    return site


def comparison(site: Site) -> Comparison:
    """Return what is shown of the shadow's answers."""
    found = site.variant("trial").comparison
    assert found is not None
    return found


def requests_of(site: Site) -> int:
    """Return how many requests the shadow is done with."""
    found = comparison(site)
    return found.request_count + found.failure_count + found.dropped_count


class TestServing:
    async def test_answers_are_compared_and_not_sent(self) -> None:
        """Each request has a copy; the live variant has no comparison, and all of the share."""
        threads: list[threading.Thread] = []
        trial = Numbered(2, before=lambda _: threads.append(threading.current_thread()))
        site = await shadowed(Numbered(1), trial)
        for areas in ((5.0,), (6.0, 7.0)):
            assert await site.predicted(*areas) == (1, answer_of(1, *areas))
        await until(lambda: requests_of(site) == 2)
        assert comparison(site) == Comparison(2, 0, 0, 3, None, 1000.0)
        # A model that is tried must not keep the event loop from its work.
        assert threading.current_thread() not in threads
        shown = (site.variant("stable"), site.variant("trial"))
        assert [each.share for each in shown] == [1.0, 0.0]
        assert site.variant("stable").comparison is None
        await site.serving.close()

    @pytest.mark.parametrize(
        "act",
        [
            lambda _: 1 / 0,
            lambda _: None,
            lambda frame: Numbered(2).predict(pd.concat([frame, frame])),
        ],
    )
    async def test_failures_reach_nobody(self, act: Callable[[pd.DataFrame], object]) -> None:
        """A model that raises, or answers what is no answer, is counted as failed."""
        site = await shadowed(Numbered(1), Scripted(act))  # type: ignore[arg-type]
        with capture_logs():
            assert await site.predicted(5.0) == (1, answer_of(1, 5.0))
            await until(lambda: requests_of(site) == 1)
        assert comparison(site) == Comparison(0, 1, 0, 0, None, None)
        await site.serving.close()

    async def test_a_hanging_shadow_keeps_nobody_waiting(self) -> None:
        """It gets so many copies at once and no more, while all callers have their answers."""
        may_end = threading.Event()
        trial = Numbered(2, before=lambda _: may_end.wait(PATIENCE_SECONDS))
        site = await shadowed(Numbered(1), trial)
        areas = [float(number) for number in range(1, MAX_COPIES + 11)]
        answers = await asyncio.gather(*(site.predicted(area) for area in areas))
        assert answers == [(1, answer_of(1, area)) for area in areas]
        assert comparison(site) == Comparison(0, 0, 10, 0, None, None)
        may_end.set()
        await until(lambda: requests_of(site) == len(areas))
        assert comparison(site) == Comparison(MAX_COPIES, 0, 10, MAX_COPIES, None, 1000.0)
        await site.serving.close()

    async def test_what_it_does_not_answer_in_time_has_failed(self) -> None:
        """The deadline of requests is that of copies too."""
        may_end = threading.Event()
        trial = Numbered(2, before=lambda _: may_end.wait(PATIENCE_SECONDS))
        site = await shadowed(Numbered(1), trial)
        arm = site.serving._routes["house"].arm("trial")
        assert arm is not None
        assert arm.loaded is not None
        lane = arm.loaded.lane
        lane._limits = replace(lane._limits, deadline_seconds=0.02)
        assert await site.predicted(5.0) == (1, answer_of(1, 5.0))
        await until(lambda: requests_of(site) == 1)
        assert comparison(site) == Comparison(0, 1, 0, 0, None, None)
        may_end.set()
        await site.serving.close()

    async def test_refused_requests_are_not_copied(self) -> None:
        """What was not answered has nothing to be compared with."""
        failing = Numbered(1, before=lambda _: 1 / 0)
        site = await shadowed(failing, Numbered(2))
        with capture_logs(), pytest.raises(Exception, match="raised ZeroDivisionError"):
            await site.predicted(5.0)
        for _ in range(10):
            await asyncio.sleep(0)
        assert requests_of(site) == 0
        await site.serving.close()

    async def test_a_shadow_may_break_the_contract(self) -> None:
        """Nobody relies on what it answers; rows that it does not take are its failures."""
        site = await site_of(Numbered(1))
        site.register(Numbered(2), package=BREAKING_PACKAGE)
        await site.deployed(live("stable", 1), shadow("trial", 2))
        assert await site.predicted(5.0) == (1, answer_of(1, 5.0))
        await until(lambda: requests_of(site) == 1)
        assert comparison(site).failure_count == 1
        await site.serving.close()

    async def test_comparison_lasts_as_long_as_the_version(self) -> None:
        """Another version in the same variant begins anew; other changes do not."""
        site = await site_of(Numbered(1), Numbered(2), Numbered(3))
        await site.deployed(live("stable", 1), shadow("trial", 2))
        await site.predicted(5.0)
        await until(lambda: requests_of(site) == 1)
        await site.deployed(live("stable", 1), live("more", 3), shadow("trial", 2))
        assert comparison(site).request_count == 1
        await site.deployed(live("stable", 1), shadow("trial", 3))
        assert comparison(site) == Comparison(0, 0, 0, 0, None, None)
        await site.serving.close()

    async def test_a_shadow_answers_who_asks_for_its_version(self) -> None:
        """Naming a version goes around the routing."""
        site = await shadowed(Numbered(1), Numbered(2))
        assert await site.predicted(5.0, version="2") == (2, answer_of(2, 5.0))
        await site.serving.close()

    async def test_copies_at_work_end_with_the_server(self) -> None:
        """A server that stops does not wait for shadows that hang, and closes them."""
        may_end = threading.Event()
        versions = [Numbered(1), Numbered(2, before=lambda _: may_end.wait(PATIENCE_SECONDS))]
        site = await shadowed(*versions)
        await site.predicted(5.0)
        await asyncio.sleep(0)
        await site.serving.close()
        assert closings(versions) == [1, 1]
        assert comparison(site).request_count == 0
        may_end.set()


async def test_a_promoted_shadow_is_not_loaded_again() -> None:
    """What was tried is what serves."""
    site = await shadowed(Numbered(1), Numbered(2))
    await site.deployed(live("stable", 2))
    assert await site.served() == 2
    assert site.shelf.loaded == [VersionRef("house", 1), VersionRef("house", 2)]
    await site.serving.close()
