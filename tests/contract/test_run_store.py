"""What every store of runs does, whatever it is made of."""

import math
from datetime import UTC

import pytest

from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import Param, Run, RunState
from tests.contract.conftest import Filled

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
