"""Runs are read by their ids."""

import pytest

from gql_platform.errors import RegistryUnavailableError
from gql_platform.testing import example_store
from gql_platform.tracking.records import Metric, Param, RunState
from gql_platform.tracking.service import Tracking

pytestmark = pytest.mark.anyio


class TestRuns:
    async def test_runs_that_exist_are_found(self) -> None:
        """Of several ids, those of runs are found, with what was logged."""
        found = await Tracking(example_store()).runs(["run-iris", "run-none"])
        assert list(found) == ["run-iris"]
        run = found["run-iris"]
        assert run.state is RunState.FINISHED
        assert run.params == (Param("C", "1.0"), Param("max_iter", "5000"))
        assert run.metrics == (Metric("accuracy", 0.973, 0), Metric("log_loss", 0.13, 0))

    async def test_unreachable_store_is_told(self) -> None:
        """A store that does not answer is not taken for one without runs."""
        store = example_store()
        store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await Tracking(store).runs(["run-iris"])
