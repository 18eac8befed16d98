"""What every store of runs does, whatever it is made of."""

import math
from datetime import UTC

import pytest

from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import DatasetRef, MetricRef, Param, Run, RunState
from tests.contract.conftest import Filled
from tests.contract.facts import APPLES, WINE

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(filled: Filled) -> RunStore:
    """The store under test."""
    return filled.tracking


async def run_named(filled: Filled, name: str) -> Run:
    """Return the run of that name."""
    run_id = filled.run_ids[name]
    return (await filled.tracking.runs([run_id]))[run_id]


class TestRuns:
    async def test_shows_what_was_tracked(self, filled: Filled) -> None:
        """Name, params and the last metrics are there, sorted."""
        run = await run_named(filled, "first try")
        assert run.run_id == filled.run_ids["first try"]
        assert run.name == "first try"
        assert run.params == (Param("C", "1.0"), Param("depth", "3"))
        assert [(metric.key, metric.value) for metric in run.metrics] == [
            ("accuracy", 0.875),
            ("log_loss", 0.25),
        ]

    async def test_finished_run_has_both_times(self, filled: Filled) -> None:
        """It started and ended, in that order, in UTC."""
        run = await run_named(filled, "first try")
        assert run.state is RunState.FINISHED
        assert run.started_at is not None
        assert run.finished_at is not None
        assert run.started_at.tzinfo is UTC
        assert run.started_at <= run.finished_at

    async def test_run_at_work_has_no_end(self, filled: Filled) -> None:
        """What is not over has no end, and nothing logged is no error."""
        run = await run_named(filled, "at work")
        assert (run.state, run.finished_at) == (RunState.RUNNING, None)
        assert (run.params, run.metrics) == ((), ())

    async def test_metric_may_be_no_number(self, filled: Filled) -> None:
        """A loss that went astray is shown as it is."""
        run = await run_named(filled, "broken")
        assert run.state is RunState.FAILED
        assert math.isnan(run.metrics[0].value)

    async def test_many_are_found_at_once(self, filled: Filled, store: RunStore) -> None:
        """All ids are answered in one call, each once."""
        ids = list(filled.run_ids.values())
        assert {run_id: run.name for run_id, run in (await store.runs(ids + ids)).items()} == {
            run_id: name for name, run_id in filled.run_ids.items()
        }

    @pytest.mark.parametrize(
        "run_id", ["", "unknown", "f" * 32, "x' OR '1'='1", "a,b", "%", "ä", "\n"]
    )
    async def test_unknown_ids_are_absent(
        self, filled: Filled, store: RunStore, run_id: str
    ) -> None:
        """Text that is no run's id finds nothing and breaks nothing."""
        known = filled.run_ids["broken"]
        assert set(await store.runs([run_id, known])) == {known}
        assert dict(await store.runs([run_id])) == {}

    async def test_no_id_finds_nothing(self, store: RunStore) -> None:
        """An empty question has an empty answer."""
        assert dict(await store.runs([])) == {}


class TestMetricHistories:
    async def test_come_by_step_and_then_as_they_were_logged(
        self, filled: Filled, store: RunStore
    ) -> None:
        """Steps ascend, whatever the order of logging was, and none of a step's values is lost."""
        ref = MetricRef(filled.run_ids["long"], "loss")
        series = (await store.metric_histories([ref]))[ref]
        assert list(series.steps) == [-1, 0, 1, 1, 1, 3, 5]
        assert list(series.values) == [8.0, 4.0, 2.0, 2.5, 2.25, 1.0, 0.5]
        assert (series.sampled, series.total_points) == (False, 7)

    async def test_values_may_be_no_numbers(self, filled: Filled, store: RunStore) -> None:
        """NaN and the infinities stay what they are."""
        ref = MetricRef(filled.run_ids["long"], "astray")
        series = (await store.metric_histories([ref]))[ref]
        assert [str(value) for value in series.values] == ["1.0", "nan", "inf", "-inf"]

    async def test_last_value_is_the_metric(self, filled: Filled) -> None:
        """What a run shows as a metric is the last point of its history."""
        run = await run_named(filled, "long")
        assert [(metric.key, str(metric.value), metric.step) for metric in run.metrics] == [
            ("astray", "-inf", 3),
            ("loss", "0.5", 5),
            ("val/f1 score: é", "0.1", 2**62),
        ]

    async def test_many_are_found_at_once(self, filled: Filled, store: RunStore) -> None:
        """Metrics of several runs are answered in one call, each once."""
        wanted = [
            MetricRef(filled.run_ids[run], key)
            for run, key in (
                ("long", "loss"),
                ("long", "val/f1 score: é"),
                ("first try", "accuracy"),
                ("first try", "log_loss"),
                ("broken", "loss"),
            )
        ]
        found = await store.metric_histories([*wanted, *wanted])
        assert set(found) == set(wanted)
        assert [found[ref].values[-1] for ref in wanted[:4]] == [0.5, 0.1, 0.875, 0.25]
        assert list(found[wanted[1]].steps) == [2**62]

    @pytest.mark.parametrize(
        "key", ["", "unknown", "LOSS", "los", "%", "loss' OR '1'='1", "\x00", "\n", "x" * 251]
    )
    async def test_unknown_metrics_are_absent(
        self, filled: Filled, store: RunStore, key: str
    ) -> None:
        """Text that names no metric of the run finds nothing and breaks nothing."""
        assert dict(await store.metric_histories([MetricRef(filled.run_ids["long"], key)])) == {}

    @pytest.mark.parametrize("run_id", ["", "unknown", "f" * 32, "x' OR '1'='1", "ä", "\n"])
    async def test_unknown_runs_have_none(
        self, filled: Filled, store: RunStore, run_id: str
    ) -> None:
        """Text that is no run's id finds nothing, and does not keep others from being found."""
        known = MetricRef(filled.run_ids["long"], "loss")
        assert set(await store.metric_histories([MetricRef(run_id, "loss"), known])) == {known}

    async def test_nothing_logged_is_nothing_found(self, filled: Filled, store: RunStore) -> None:
        """A run that logged nothing has no history, and an empty question an empty answer."""
        ref = MetricRef(filled.run_ids["at work"], "loss")
        assert dict(await store.metric_histories([ref])) == {}
        assert dict(await store.metric_histories([])) == {}


class TestDatasets:
    async def test_runs_of_a_dataset_are_found(self, filled: Filled, store: RunStore) -> None:
        """With all that was logged with them; deleted ones are left out."""
        (run,) = await store.runs_of_dataset(WINE.ref, limit=10)
        assert run == await run_named(filled, "eta")
        assert [each.ref for each in run.datasets] == [APPLES.ref, WINE.ref]

    @pytest.mark.parametrize(
        "dataset",
        [
            DatasetRef("wine", "def456"),
            DatasetRef("apples", "abc123"),
            DatasetRef("wine", ""),
            DatasetRef("wi'ne", "abc123"),
            DatasetRef("wine", "abc' OR '1'='1"),
            DatasetRef("wi\x00ne", "abc123"),
            DatasetRef("wine", "abc\x00123"),
            DatasetRef("wine", "x" * 100),
        ],
    )
    async def test_name_and_digest_go_together(self, store: RunStore, dataset: DatasetRef) -> None:
        """What has only one of them, or cannot be, has no runs."""
        assert list(await store.runs_of_dataset(dataset, limit=10)) == []
