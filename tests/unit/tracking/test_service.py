"""Runs are read by their ids, and the histories of their metrics in few points."""

import pytest

from gql_platform.errors import PointCountError, RegistryUnavailableError
from gql_platform.registry.service import Registry
from gql_platform.testing import InMemoryStore, example_store
from gql_platform.tracking.records import (
    MAX_POINTS,
    MIN_POINTS,
    HistoryRequest,
    Metric,
    MetricRef,
    Param,
    RunState,
)
from gql_platform.tracking.service import Tracking

pytestmark = pytest.mark.anyio


def tracking_of(store: InMemoryStore) -> Tracking:
    """Return the service over a store of both, runs and models."""
    return Tracking(store, Registry(store))


class TestRuns:
    async def test_runs_that_exist_are_found(self) -> None:
        """Of several ids, those of runs are found, with what was logged."""
        found = await tracking_of(example_store()).runs(["run-iris", "run-none"])
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
            await tracking_of(store).runs(["run-iris"])


class TestMetricHistories:
    LOSS = MetricRef("run", "loss")

    @pytest.fixture
    def store(self) -> InMemoryStore:
        """A store with a run of a hundred steps."""
        store = InMemoryStore()
        store.add_run("run", metrics={"accuracy": 0.5})
        store.log_metric("run", "loss", [(step, 1 / (1 + step)) for step in range(100)])
        return store

    async def test_each_request_has_its_own_number_of_points(self, store: InMemoryStore) -> None:
        """A metric that is asked for twice is read once, and cut down as each asked for it."""
        few, all_of_them = HistoryRequest(self.LOSS, 4), HistoryRequest(self.LOSS, 100)
        found = await tracking_of(store).metric_histories([few, all_of_them])
        assert list(found) == [few, all_of_them]
        assert list(found[few].steps) == [0, 1, 98, 99]
        assert (found[few].sampled, found[few].total_points) == (True, 100)
        assert list(found[all_of_them].steps) == list(range(100))
        assert (found[all_of_them].sampled, found[all_of_them].total_points) == (False, 100)
        assert store.calls == {"metric_histories": 1}

    async def test_unknown_metrics_are_absent(self, store: InMemoryStore) -> None:
        """What was never logged has no series."""
        known = HistoryRequest(MetricRef("run", "accuracy"))
        unknown = HistoryRequest(MetricRef("run", "auc"))
        assert list(await tracking_of(store).metric_histories([unknown, known])) == [known]

    @pytest.mark.parametrize("max_points", [-1, 0, MIN_POINTS - 1, MAX_POINTS + 1])
    def test_number_of_points_is_bounded(self, max_points: int) -> None:
        """A request of too few or too many points cannot be made."""
        with pytest.raises(PointCountError) as caught:
            HistoryRequest(self.LOSS, max_points)
        assert str(caught.value) == (
            "A series can be cut down to between 4 and 10000 points, "
            f"and {max_points} were asked for."
        )

    async def test_unreachable_store_is_told(self, store: InMemoryStore) -> None:
        """A store that does not answer is not taken for one without metrics."""
        store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await tracking_of(store).metric_histories([HistoryRequest(self.LOSS)])
