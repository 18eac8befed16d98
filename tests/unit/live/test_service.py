"""Runs and the registry, followed through the service."""

import asyncio
from array import array
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

import pytest

from gql_platform.errors import InvalidCursorError, PageSizeError
from gql_platform.live.records import MAX_POINTS, RunUpdate
from gql_platform.live.service import Live
from gql_platform.registry.service import Registry
from gql_platform.run_search.records import RunFilter
from gql_platform.testing import InMemoryFeed, InMemoryStore
from gql_platform.tracking.records import RunState
from gql_platform.tracking.service import Tracking

pytestmark = pytest.mark.anyio

Updates = AsyncGenerator[RunUpdate]


async def no_pause(_: float) -> None:
    """Let others go on."""
    await asyncio.sleep(0)


@pytest.fixture
def store() -> InMemoryStore:
    """A run at work."""
    store = InMemoryStore()
    store.add_run("work", state=RunState.RUNNING)
    return store


@pytest.fixture
def live(store: InMemoryStore) -> Live:
    """The service on that store, which looks without waiting."""
    return live_on(store, InMemoryFeed(store))


def live_on(store: InMemoryStore, feed: InMemoryFeed) -> Live:
    """Return the service on a store that looks without waiting."""
    registry = Registry(store)
    return Live(feed, Tracking(store, registry), registry, pause=no_pause)


async def taken(updates: Updates) -> RunUpdate:
    """Return the next message."""
    async with asyncio.timeout(10):
        return await anext(updates)


class TestFollowRun:
    async def test_long_history_comes_in_parts(self, live: Live, store: InMemoryStore) -> None:
        """Each message has a bounded number of points, all come once, and a cursor may be any."""
        count = 2 * MAX_POINTS + 5
        store.log_metric("work", "loss", [(step, step / 2) for step in range(count)])
        store.log_metric("work", "zeal", [(0, 1.0)])
        steps = array("q")
        keys: list[str] = []
        cursor = None
        for number in range(3):
            async with aclosing(live.follow_run("work", after=cursor)) as updates:
                update = await taken(updates)
            cursor = update.cursor
            assert update.has_more == (number < 2)
            assert sum(len(each.steps) for each in update.new_metrics) <= MAX_POINTS
            steps.extend(update.new_metrics[0].steps)
            keys = [each.key for each in update.new_metrics]
        assert steps == array("q", range(count))
        assert keys == ["loss", "zeal"]

    async def test_parts_follow_at_once(self, live: Live, store: InMemoryStore) -> None:
        """A run that is over tells its end with the last part."""
        store.log_metric("work", "loss", [(step, 0.0) for step in range(MAX_POINTS + 1)])
        store.change_run("work", state=RunState.FINISHED)
        found = [
            (len(update.new_metrics[0].steps), update.has_more, update.is_final)
            async for update in live.follow_run("work")
        ]
        assert found == [(MAX_POINTS, True, False), (1, False, True)]

    async def test_late_point_begins_its_metric_anew(
        self, live: Live, store: InMemoryStore
    ) -> None:
        """All points of that metric come again and say so; others go on as they did."""
        store.log_points("work", "loss", [(0, 10, 1.0), (1, 20, 0.5)])
        store.log_points("work", "f1", [(0, 10, 0.1)])
        async with aclosing(live.follow_run("work")) as updates:
            await taken(updates)
            store.log_points("work", "loss", [(7, 15, 0.75)])
            store.log_points("work", "f1", [(1, 20, 0.2)])
            update = await taken(updates)
            found = {each.key: (list(each.steps), each.restarted) for each in update.new_metrics}
            assert found == {"f1": ([1], False), "loss": ([0, 7, 1], True)}
            store.log_points("work", "loss", [(8, 30, 0.25)])
            (metric,) = (await taken(updates)).new_metrics
            assert (list(metric.steps), metric.restarted) == ([8], False)

    async def test_points_of_one_moment_are_told_apart(
        self, live: Live, store: InMemoryStore
    ) -> None:
        """One with a larger step goes on; one that belongs before those known begins anew."""
        store.log_points("work", "loss", [(5, 10, 1.0)])
        async with aclosing(live.follow_run("work")) as updates:
            await taken(updates)
            store.log_points("work", "loss", [(6, 10, 1.0)])
            (metric,) = (await taken(updates)).new_metrics
            assert (list(metric.steps), metric.restarted) == ([6], False)
            store.log_points("work", "loss", [(4, 10, 1.0)])
            (metric,) = (await taken(updates)).new_metrics
            assert (list(metric.steps), metric.restarted) == ([4, 5, 6], True)

    async def test_going_back_to_a_checkpoint_loses_nothing(
        self, live: Live, store: InMemoryStore
    ) -> None:
        """Steps that come again later are points of their own, though the last value stays."""
        store.log_points("work", "loss", [(0, 10, 1.0), (9, 20, 0.5)])
        async with aclosing(live.follow_run("work")) as updates:
            await taken(updates)
            store.log_points("work", "loss", [(5, 30, 0.75)])
            (metric,) = (await taken(updates)).new_metrics
            assert (list(metric.steps), list(metric.times_ms)) == ([5], [30])

    @pytest.mark.parametrize(("has_stamps", "has_counts"), [(False, True), (False, False)])
    async def test_store_that_tells_little_is_read_more_often(
        self, store: InMemoryStore, has_stamps: bool, has_counts: bool
    ) -> None:
        """A store without stamps or counts misses nothing either."""
        feed = InMemoryFeed(store, has_stamps=has_stamps, has_counts=has_counts)
        store.log_points("work", "loss", [(9, 20, 0.5)])
        async with aclosing(live_on(store, feed).follow_run("work")) as updates:
            await taken(updates)
            store.log_points("work", "loss", [(5, 30, 0.75)])
            (metric,) = (await taken(updates)).new_metrics
            assert list(metric.steps) == [5]

    async def test_many_followers_cost_as_much_as_one(
        self, live: Live, store: InMemoryStore
    ) -> None:
        """A hundred get the same message out of one read."""
        async with AsyncExitStack() as stack:
            followers: list[Updates] = [
                await stack.enter_async_context(aclosing(live.follow_run("work")))
                for _ in range(100)
            ]
            await asyncio.gather(*map(taken, followers))
            before = store.calls["tails"]
            waiting = [asyncio.create_task(taken(each)) for each in followers]
            await asyncio.sleep(0)
            store.log_metric("work", "loss", [(0, 1.0)])
            found = await asyncio.gather(*waiting)
            assert {update.cursor for update in found} == {found[0].cursor}
            assert all(update.new_metrics is found[0].new_metrics for update in found)
            assert store.calls["tails"] == before + 1

    async def test_nobody_looks_when_nobody_follows(self, live: Live, store: InMemoryStore) -> None:
        """The last follower ends the looking."""
        async with aclosing(live.follow_run("work")) as updates:
            await taken(updates)
        before = store.calls["run_stamp"]
        for _ in range(10):
            await asyncio.sleep(0)
        assert store.calls["run_stamp"] == before

    @pytest.mark.parametrize(
        "cursor",
        ["", "ä", "eJw", "eJyLVipKzVNQMFTSUVAqVwIAGmkDSQ", "eJyLjgUAARUAuQ"],
    )
    async def test_foreign_cursor_is_refused(self, live: Live, cursor: str) -> None:
        """Text that we did not make is no cursor."""
        with pytest.raises(InvalidCursorError):
            await anext(live.follow_run("work", after=cursor))


class TestFollowRuns:
    async def test_page_size_is_checked(self, live: Live) -> None:
        """No more runs are followed than a page holds."""
        with pytest.raises(PageSizeError):
            await anext(live.follow_runs(RunFilter(), first=101))

    async def test_equal_questions_share_a_look(self, live: Live, store: InMemoryStore) -> None:
        """Ten who follow the same are one page to read."""
        async with AsyncExitStack() as stack:
            followers = [
                await stack.enter_async_context(
                    aclosing(live.follow_runs(RunFilter(states=(RunState.RUNNING,)), first=5))
                )
                for _ in range(10)
            ]
            for each in followers:
                await anext(each)
            waiting = [asyncio.create_task(anext(each)) for each in followers]
            await asyncio.sleep(0)
            store.change_run("work", state=RunState.KILLED)
            before = store.calls["runs"]
            found = await asyncio.gather(*waiting)
            assert {each.changes for each in found} == {found[0].changes}
            assert store.calls["runs"] == before + 1
