"""What every writer of runs does, whatever it writes to."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.store import DatabaseRuns
from gql_platform.adapters.mlflow.run_writer import MLflowRunWriter
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.errors import ExperimentExistsError, RunDeletedError, RunNotFoundError
from gql_platform.registry.records import Tag
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.records import (
    Batch,
    ItemKind,
    MetricPoint,
    RefusalCode,
    RunEnd,
)
from gql_platform.testing import InMemoryRunWriter, InMemoryStore
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import MetricRef, Param, Run, RunState
from tests.contract.conftest import new_store
from tests.contract.mlflow_registry import client_of

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
NOBODY = ["", "unknown", "f" * 32, "x' OR '1'='1", "ä", "\n"]


@dataclass(frozen=True)
class Written:
    """A writer, and a reader of the same store."""

    writer: RunWriter
    reader: RunStore

    async def run(self, run_id: str) -> Run:
        """Return a run as it is now."""
        return (await self.reader.runs([run_id]))[run_id]

    async def new_run(self, **tags: str) -> str:
        """Make a run in the default experiment."""
        return await self.writer.create_run(
            "0", name="a run", user="me", started_at=NOON, tags=tags
        )


STORES = [
    "in_memory",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("mlflow_sqlite", "mlflow_postgresql", "mlflow_server")
    ),
]


@pytest.fixture(scope="module", params=STORES)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Written]:
    """Each store in turn; each test writes to runs of its own."""
    if request.param == "in_memory":
        store = InMemoryStore()
        yield Written(InMemoryRunWriter(store), store)
        return
    with new_store(request, tmp_path_factory.mktemp("runs")) as uri:
        client = client_of(uri)
        runs = MLflowRuns(client)
        if request.param == "mlflow_server":
            yield Written(MLflowRunWriter(client), runs)
            return
        database = MLflowDatabase(uri)
        reader = DatabaseRuns(database, runs, has_registry=True)
        yield Written(MLflowRunWriter(client), reader)
        database.close()


def batch(
    params: Mapping[str, str] | None = None,
    metrics: list[MetricPoint] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Batch:
    """Return items, each at its place."""
    return Batch(
        dict(enumerate(Param(*each) for each in (params or {}).items())),
        dict(enumerate(metrics or [])),
        dict(enumerate(Tag(*each) for each in (tags or {}).items())),
    )


class TestExperiments:
    async def test_experiment_is_there_with_its_tags(self, written: Written) -> None:
        """What was made is found by its name and by its id."""
        made = await written.writer.create_experiment("über 'a'", tags={"team": "é"})
        found = await written.reader.experiment_named("über 'a'")
        assert found is not None
        assert (found.experiment_id, found.tags) == (made, (Tag("team", "é"),))
        assert await written.reader.experiments_by_id([made]) == {made: found}

    async def test_name_is_taken_once(self, written: Written) -> None:
        """A second experiment of the name is refused, and the first one stays."""
        made = await written.writer.create_experiment("once", tags={})
        with pytest.raises(ExperimentExistsError):
            await written.writer.create_experiment("once", tags={"a": "b"})
        found = await written.reader.experiment_named("once")
        assert found is not None
        assert (found.experiment_id, found.tags) == (made, ())


class TestCreate:
    async def test_run_is_at_work(self, written: Written) -> None:
        """Name, start, user and tags are as they were given."""
        run = await written.run(await written.new_run(team="a b"))
        assert (run.name, run.state, run.experiment_id) == ("a run", RunState.RUNNING, "0")
        assert (run.started_at, run.finished_at, run.is_deleted) == (NOON, None, False)
        assert run.tags == (
            Tag("mlflow.runName", "a run"),
            Tag("mlflow.user", "me"),
            Tag("team", "a b"),
        )

    async def test_run_without_a_name_is_given_one(self, written: Written) -> None:
        """The store makes a name up, and the tag of the user may be the caller's own."""
        run_id = await written.writer.create_run(
            "0", name=None, user="me", started_at=NOON, tags={"mlflow.user": "you"}
        )
        run = await written.run(run_id)
        assert run.name
        assert Tag("mlflow.user", "you") in run.tags


class TestLog:
    async def test_items_of_all_kinds_are_logged(self, written: Written) -> None:
        """Nothing is refused, and everything is there."""
        run_id = await written.new_run()
        items = batch({"C": "1.0", "empty": ""}, [MetricPoint("loss", 0.5, 3, 1000)], {"team": "x"})
        assert list(await written.writer.log(run_id, items)) == []
        run = await written.run(run_id)
        assert run.params == (Param("C", "1.0"), Param("empty", ""))
        assert [(each.key, each.value, each.step) for each in run.metrics] == [("loss", 0.5, 3)]
        assert Tag("team", "x") in run.tags

    async def test_nothing_is_logged_at_once(self, written: Written) -> None:
        """An empty batch does nothing, and is no error."""
        run_id = await written.new_run()
        before = await written.run(run_id)
        assert list(await written.writer.log(run_id, batch())) == []
        assert await written.run(run_id) == before

    async def test_param_that_was_set_meanwhile_is_refused_alone(self, written: Written) -> None:
        """All others of the batch are logged, whatever their kind."""
        run_id = await written.new_run()
        await written.writer.log(run_id, batch({"b": "old", "same": "1"}))
        items = batch(
            {"a": "1", "b": "new", "same": "1", "c": "3"},
            [MetricPoint("loss", 1.0, 0, 1)],
            {"team": "y"},
        )
        (refused,) = await written.writer.log(run_id, items)
        assert (refused.kind, refused.index, refused.key) == (ItemKind.PARAM, 1, "b")
        assert refused.code is RefusalCode.PARAM_CHANGED
        run = await written.run(run_id)
        assert [(each.key, each.value) for each in run.params] == [
            ("a", "1"), ("b", "old"), ("c", "3"), ("same", "1"),
        ]  # fmt: skip
        assert [each.key for each in run.metrics] == ["loss"]
        assert Tag("team", "y") in run.tags

    async def test_repeated_items_are_logged_once(self, written: Written) -> None:
        """A batch that is sent again changes nothing, NaN and infinities included."""
        run_id = await written.new_run()
        metrics = [
            MetricPoint("loss", value, step, 1000)
            for step, value in enumerate((0.5, math.nan, math.inf, -math.inf))
        ]
        for _ in range(3):
            items = batch({"C": "1"}, metrics, {"team": "x"})
            assert list(await written.writer.log(run_id, items)) == []
        ref = MetricRef(run_id, "loss")
        series = (await written.reader.metric_histories([ref]))[ref]
        assert [str(each) for each in series.values] == ["0.5", "nan", "inf", "-inf"]

    async def test_last_step_is_the_metric(self, written: Written) -> None:
        """Steps may go back; of the same step, the later time counts, and then the larger value."""
        run_id = await written.new_run()
        points = [(5, 10, 1.0), (2, 20, 2.0), (5, 11, 3.0), (5, 11, 2.5), (-3, 30, 9.0)]
        for step, time_ms, value in points:
            await written.writer.log(
                run_id, batch(metrics=[MetricPoint("loss", value, step, time_ms)])
            )
        (metric,) = (await written.run(run_id)).metrics
        assert (metric.value, metric.step) == (3.0, 5)
        ref = MetricRef(run_id, "loss")
        series = (await written.reader.metric_histories([ref]))[ref]
        assert list(series.steps) == [-3, 2, 5, 5, 5]

    async def test_more_items_than_one_request_takes(self, written: Written) -> None:
        """What MLflow takes only in parts is logged whole."""
        run_id = await written.new_run()
        items = batch(
            {f"p{number}": "é" * 5_000 for number in range(250)},
            [MetricPoint("loss", number / 7, number, number) for number in range(2_300)],
            {f"t{number}": "x" * 7_000 for number in range(150)},
        )
        assert list(await written.writer.log(run_id, items)) == []
        run = await written.run(run_id)
        assert len(run.params) == 250
        assert sum(tag.key.startswith("t") for tag in run.tags) == 150
        ref = MetricRef(run_id, "loss")
        series = (await written.reader.metric_histories([ref]))[ref]
        assert list(series.values) == [number / 7 for number in range(2_300)]

    async def test_largest_values_are_kept(self, written: Written) -> None:
        """Nothing is cut: the longest names and values, and the furthest steps."""
        run_id = await written.new_run()
        key = "k" * 250
        items = batch(
            {key: "p" * 6_000}, [MetricPoint(key, 1e308, 2**63 - 1, 0)], {key: "t" * 8_000}
        )
        assert list(await written.writer.log(run_id, items)) == []
        run = await written.run(run_id)
        assert run.params == (Param(key, "p" * 6_000),)
        assert [(each.value, each.step) for each in run.metrics] == [(1e308, 2**63 - 1)]
        assert Tag(key, "t" * 8_000) in run.tags

    async def test_name_is_a_tag_too(self, written: Written) -> None:
        """Whoever sets the tag names the run."""
        run_id = await written.new_run()
        await written.writer.log(run_id, batch(tags={"mlflow.runName": "another"}))
        assert (await written.run(run_id)).name == "another"

    async def test_parallel_batches_are_all_logged(self, written: Written) -> None:
        """Writers of the same run do not lose each other's items, nor those that both set."""
        run_id = await written.new_run()
        found = await asyncio.gather(
            *(
                written.writer.log(
                    run_id,
                    batch(
                        {"same": "1", f"own {number}": "1"},
                        [MetricPoint("loss", number, number, 0), MetricPoint("all", 1.0, 0, 0)],
                        {"team": "x"},
                    ),
                )
                for number in range(8)
            )
        )
        assert [list(refused) for refused in found] == [[]] * 8
        run = await written.run(run_id)
        assert len(run.params) == 9
        refs = [MetricRef(run_id, "loss"), MetricRef(run_id, "all")]
        series = await written.reader.metric_histories(refs)
        assert [list(series[ref].values) for ref in refs] == [list(map(float, range(8))), [1.0]]


class TestEnd:
    @pytest.mark.parametrize("end", RunEnd)
    async def test_run_ends(self, written: Written, end: RunEnd) -> None:
        """State and end are as they were given."""
        run_id = await written.new_run()
        await written.writer.finish(run_id, end, finished_at=NOON + timedelta(minutes=3))
        run = await written.run(run_id)
        assert (run.state.value, run.duration_ms) == (end.value, 180_000.0)

    async def test_run_is_deleted_and_restored(self, written: Written) -> None:
        """Both may be done twice, and the run is whole afterwards."""
        run_id = await written.new_run(team="x")
        before = await written.run(run_id)
        for _ in range(2):
            await written.writer.delete(run_id)
        assert (await written.run(run_id)).is_deleted
        for _ in range(2):
            await written.writer.restore(run_id)
        assert await written.run(run_id) == before

    async def test_tag_is_removed(self, written: Written) -> None:
        """A tag that is not there, and a run that is deleted, are left alone."""
        run_id = await written.new_run(team="x", other="y")
        for _ in range(2):
            await written.writer.remove_tag(run_id, "team")
        keys = [tag.key for tag in (await written.run(run_id)).tags]
        assert keys == ["mlflow.runName", "mlflow.user", "other"]
        await written.writer.delete(run_id)
        await written.writer.remove_tag(run_id, "other")
        assert Tag("other", "y") in (await written.run(run_id)).tags

    async def test_deleted_run_is_not_written_to(self, written: Written) -> None:
        """The refusal says so, and nothing of it is logged."""
        run_id = await written.new_run()
        await written.writer.delete(run_id)
        before = await written.run(run_id)
        with pytest.raises(RunDeletedError):
            await written.writer.log(run_id, batch({"C": "1"}, [], {"team": "x"}))
        with pytest.raises(RunDeletedError):
            await written.writer.finish(run_id, RunEnd.FAILED, finished_at=NOON)
        assert await written.run(run_id) == before

    @pytest.mark.parametrize("run_id", NOBODY)
    async def test_unknown_run_is_told(self, written: Written, run_id: str) -> None:
        """Text that is no run's id is refused by name, and breaks nothing."""
        with pytest.raises(RunNotFoundError):
            await written.writer.log(run_id, batch({"C": "1"}))
        with pytest.raises(RunNotFoundError):
            await written.writer.finish(run_id, RunEnd.FAILED, finished_at=NOON)
        with pytest.raises(RunNotFoundError):
            await written.writer.delete(run_id)
        with pytest.raises(RunNotFoundError):
            await written.writer.restore(run_id)
        await written.writer.remove_tag(run_id, "team")
