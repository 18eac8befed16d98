"""Items are logged once, each that can be, and runs end once."""

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from gql_platform.errors import (
    InvalidRunError,
    ReadOnlyServerError,
    RegistryUnavailableError,
    RunDeletedError,
    RunFinishedError,
    RunNotFoundError,
    StoreUnavailableError,
    TooManyItemsError,
)
from gql_platform.registry.records import Tag
from gql_platform.run_changes.records import (
    Batch,
    ItemKind,
    Items,
    MetricValue,
    Refusal,
    RefusalCode,
    RunEnd,
    RunLogged,
)
from gql_platform.run_changes.service import FEW_ITEMS, MAX_ITEMS
from gql_platform.testing import FIRST_MOMENT, InMemoryRunWriter
from gql_platform.tracking.records import Param, Run, RunState
from tests.unit.run_changes.server import NOON, DeadError, Server

pytestmark = pytest.mark.anyio

LOSSES = Items(
    [Param("depth", "3"), Param("C", "2")],
    [MetricValue("loss", 0.5), MetricValue("loss", "NaN", 1), MetricValue("loss", "x")],
    [Tag("team", "a"), Tag("team", "b")],
)
REFUSED = [(ItemKind.PARAM, 1, "C", "PARAM_CHANGED"), (ItemKind.METRIC, 2, "loss", "INVALID_VALUE")]


def codes(answer: RunLogged) -> list[tuple[ItemKind, int, str, str]]:
    """Return what was refused."""
    return [(each.kind, each.index, each.key, each.code.name) for each in answer.refused]


class Choosy(InMemoryRunWriter):
    """A writer that refuses tags and, the first time, dies behind the items."""

    dies = False

    async def log(self, run_id: str, batch: Batch) -> Sequence[Refusal]:
        """Log all but tags of the caller."""
        await super().log(run_id, batch)
        if self.dies and batch.metrics:
            self.dies = False
            raise DeadError
        return [
            Refusal(ItemKind.TAG, index, tag.key, RefusalCode.STORE_REFUSED, "No tags.")
            for index, tag in batch.tags.items()
            if not tag.key.startswith("gql_platform.")
        ]


class TestLog:
    async def test_each_item_is_logged_that_can_be(self, server: Server) -> None:
        """The rest is told with its place and a code, and the event counts."""
        answer = await server.changes.log("r", LOSSES, by="me")
        assert (answer.param_count, answer.metric_count, answer.tag_count) == (1, 2, 2)
        assert codes(answer) == REFUSED
        run = await server.run()
        assert run.params == (Param("C", "1"), Param("depth", "3"))
        assert run.tags == (Tag("team", "b"),)
        assert [str(each) for each in await server.values("loss")] == ["0.5", "nan"]
        counts = {"paramCount": 1, "metricCount": 2, "tagCount": 2, "refusedCount": 2}
        assert server.told() == [("run.logged", "Run:r", "me", counts)]

    async def test_what_the_store_refuses_is_told_too(self, server: Server) -> None:
        """Its refusals stand beside ours, in the order of the items."""
        answer = await server.served_by(Choosy(server.store)).log("r", LOSSES, by="me")
        assert codes(answer) == [*REFUSED, (ItemKind.TAG, 1, "team", "STORE_REFUSED")]
        assert (answer.tag_count, answer.metric_count) == (1, 2)

    async def test_nothing_logged_is_no_event(self, server: Server) -> None:
        """A call without items, and one whose items are all refused, changed nothing."""
        for items in (Items(), Items([Param("C", "2")])):
            await server.changes.log("r", items, by="me")
        assert server.told() == []

    async def test_run_that_is_over_is_logged_to(self, server: Server) -> None:
        """What is known later belongs to the run as well."""
        server.store.add_run("over", state=RunState.FINISHED)
        await server.changes.log("over", LOSSES, by="me")
        assert (await server.run("over")).state is RunState.FINISHED

    async def test_unkeyed_requests_log_twice(self, server: Server) -> None:
        """Whoever sends the same values later measured them again."""
        for _ in range(2):
            await server.changes.log("r", LOSSES, by="me")
            server.now += timedelta(seconds=1)
        assert [str(each) for each in await server.values("loss")] == ["0.5", "0.5", "nan", "nan"]

    async def test_key_logs_once(self, server: Server) -> None:
        """The answer is the same, refusals included, and nothing helps to notice any more."""
        answers = []
        for _ in range(2):
            answers.append(await server.changes.log("r", LOSSES, by="me", key="k"))
            server.now += timedelta(seconds=1)
        assert answers[0] == answers[1]
        assert codes(answers[1]) == REFUSED
        assert [str(each) for each in await server.values("loss")] == ["0.5", "nan"]
        assert (await server.run()).tags == (Tag("team", "b"),)
        assert len(server.told()) == 1

    async def test_what_a_dead_server_logged_is_not_logged_again(self, server: Server) -> None:
        """Metrics without a time have that of the first try, so that they are the same."""

        async def log() -> RunLogged:
            return await server.changes.log("r", LOSSES, by="me", key="k")

        await server.dies_in(log)
        assert len((await server.run()).tags) == 2
        assert server.told() == []
        assert codes(await log()) == REFUSED
        assert [str(each) for each in await server.values("loss")] == ["0.5", "nan"]
        assert (await server.run()).tags == (Tag("team", "b"),)
        assert len(server.told()) == 1

    async def test_what_failed_halfway_is_logged_once(self, server: Server) -> None:
        """The same request goes on where the store went away."""
        writer = Choosy(server.store)
        writer.dies = True
        changes = server.served_by(writer)
        with pytest.raises(DeadError):
            await changes.log("r", LOSSES, by="me", key="k")
        server.now += timedelta(seconds=1)
        await changes.log("r", LOSSES, by="me", key="k")
        assert [str(each) for each in await server.values("loss")] == ["0.5", "nan"]

    async def test_times_of_the_caller_need_no_note(self, server: Server) -> None:
        """Then the items alone are written, in one call."""
        items = Items(metrics=[MetricValue("loss", 0.5, 0, NOON)])
        await server.changes.log("r", items, by="me", key="k")
        assert (server.store.calls["log"], server.store.calls["remove_tag"]) == (1, 0)

    async def test_note_that_cannot_be_removed_stays(self, server: Server) -> None:
        """What was logged is logged, even if MLflow goes away before all is tidy."""

        class Leaving(InMemoryRunWriter):
            async def remove_tag(self, run_id: str, key: str) -> None:
                del run_id, key
                raise RegistryUnavailableError(uri="", reason="it is away")

        changes = server.served_by(Leaving(server.store))
        answer = await changes.log("r", LOSSES, by="me", key="k")
        assert answer.metric_count == 2

    async def test_logging_goes_on_without_its_caller(self, server: Server) -> None:
        """Whoever hangs up in the middle leaves items and event behind."""
        asking = asyncio.create_task(server.changes.log("r", LOSSES, by="me"))
        await asyncio.sleep(0)
        asking.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(server.told()) == 1
        assert math.isnan((await server.run()).metrics[0].value)

    async def test_nothing_is_begun_without_the_database(self, server: Server) -> None:
        """What could not be written down is not logged."""
        server.database.is_away = True
        for key in (None, "k"):
            with pytest.raises(StoreUnavailableError):
                await server.changes.log("r", LOSSES, by="me", key=key)
        assert server.store.calls["log"] == 0

    async def test_too_many_items_are_refused_whole(self, server: Server) -> None:
        """One more than the limit is one too many."""
        items = Items(metrics=[MetricValue("loss", 0.5)] * MAX_ITEMS, tags=[Tag("a", "b")])
        with pytest.raises(TooManyItemsError) as refused:
            await server.changes.log("r", items, by="me")
        assert (refused.value.count, refused.value.maximum) == (MAX_ITEMS + 1, MAX_ITEMS)
        assert server.store.calls["log"] == 0

    async def test_thousands_of_items_are_logged(self, server: Server) -> None:
        """They are judged beside the event loop, and in their order."""
        metrics = [MetricValue("loss", step, step) for step in range(FEW_ITEMS)]
        answer = await server.changes.log("r", Items([Param("C", "2")], metrics), by="me")
        assert codes(answer) == [(ItemKind.PARAM, 0, "C", "PARAM_CHANGED")]
        assert await server.values("loss") == list(range(FEW_ITEMS))

    async def test_run_must_be_there(self, server: Server) -> None:
        """An unknown run and a deleted one are told apart, and a key is free again."""
        server.store.add_run("gone", is_deleted=True)
        for _ in range(2):
            with pytest.raises(RunNotFoundError):
                await server.changes.log("none", LOSSES, by="me", key="a")
            with pytest.raises(RunDeletedError):
                await server.changes.log("gone", LOSSES, by="me", key="b")
        assert (server.store.calls["log"], server.told()) == (0, [])


class TestFinish:
    async def test_run_ends_now(self, server: Server) -> None:
        """State and end are the run's, and the event tells the state."""
        run = await server.changes.finish("r", RunEnd.FAILED, by="me")
        assert (run.state, run.finished_at) == (RunState.FAILED, NOON)
        assert server.told() == [("run.finished", "Run:r", "me", {"state": "FAILED"})]

    async def test_run_that_ended_like_that_stays(self, server: Server) -> None:
        """Its end is the first one, and without a key nothing is told again."""
        await server.changes.finish("r", RunEnd.KILLED, by="me", finished_at=NOON)
        server.now += timedelta(hours=1)
        run = await server.changes.finish("r", RunEnd.KILLED, by="you")
        assert run.finished_at == NOON
        assert len(server.told()) == 1

    async def test_run_that_ended_otherwise_is_refused(self, server: Server) -> None:
        """Whoever was first has said how it ended."""
        await server.changes.finish("r", RunEnd.KILLED, by="me")
        with pytest.raises(RunFinishedError) as refused:
            await server.changes.finish("r", RunEnd.FINISHED, by="you")
        assert refused.value.state == "KILLED"
        assert (await server.run()).state is RunState.KILLED
        assert len(server.told()) == 1

    async def test_key_ends_it_once(self, server: Server) -> None:
        """What a dead server ended keeps its end, and is told in the end."""

        async def finish() -> Run:
            return await server.changes.finish("r", RunEnd.FINISHED, by="me", key="k")

        await server.dies_in(finish)
        assert server.told() == []
        for _ in range(2):
            assert (await finish()).finished_at == NOON
        assert len(server.told()) == 1

    @pytest.mark.parametrize(
        ("end", "problem"),
        [
            (FIRST_MOMENT - timedelta(days=1), "2025-12-31T00:00:00+00:00, before it began"),
            (NOON.replace(year=9999), "9999-01-31T12:00:00+00:00, which lies too far away"),
        ],
    )
    async def test_run_does_not_end_just_ever(
        self, server: Server, end: datetime, problem: str
    ) -> None:
        """The error says when that would have been."""
        with pytest.raises(InvalidRunError) as refused:
            await server.changes.finish("r", RunEnd.FINISHED, by="me", finished_at=end)
        assert refused.value.problem == f"it would have ended at {problem}"
        assert (await server.run()).state is RunState.RUNNING


class TestDelete:
    async def test_run_is_deleted_and_restored(self, server: Server) -> None:
        """Each is told once, however often it is asked for."""
        for _ in range(2):
            assert (await server.changes.delete("r", by="me")).is_deleted
        for _ in range(2):
            assert not (await server.changes.restore("r", by="you")).is_deleted
        assert server.told() == [
            ("run.deleted", "Run:r", "me", {}),
            ("run.restored", "Run:r", "you", {}),
        ]

    async def test_what_a_dead_server_did_is_told(self, server: Server) -> None:
        """With a key, a change that is found made is written down all the same."""
        await server.dies_in(lambda: server.changes.delete("r", by="me", key="k"))
        assert server.told() == []
        for _ in range(2):
            assert (await server.changes.delete("r", by="me", key="k")).is_deleted
        assert [kind for kind, *_ in server.told()] == ["run.deleted"]
        await server.dies_in(lambda: server.changes.restore("r", by="me", key="k"))
        assert not (await server.changes.restore("r", by="me", key="k")).is_deleted
        assert [kind for kind, *_ in server.told()] == ["run.deleted", "run.restored"]

    async def test_unknown_run_is_told(self, server: Server) -> None:
        """There is nothing to delete or restore."""
        for change in (server.changes.delete, server.changes.restore):
            with pytest.raises(RunNotFoundError):
                await change("none", by="me")
        assert server.told() == []


async def test_server_of_files_changes_nothing(server: Server) -> None:
    """Where no runs are kept, each change says so at once."""
    changes = server.served_by(None)
    for change in (
        changes.create_experiment("a", by="me"),
        changes.create(by="me", experiment_id="0"),
        changes.log("r", LOSSES, by="me"),
        changes.finish("r", RunEnd.FINISHED, by="me"),
        changes.delete("r", by="me"),
        changes.restore("r", by="me"),
    ):
        with pytest.raises(ReadOnlyServerError):
            await change
