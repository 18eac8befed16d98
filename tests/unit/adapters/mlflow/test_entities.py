"""MLflow's entities become our records, whatever a later MLflow puts into them."""

import sys
from array import array
from datetime import UTC, datetime

import pytest
from mlflow.entities import Metric, Run, RunData, RunInfo

from gql_platform.adapters.mlflow.entities import run_of, series_of
from gql_platform.tracking.records import Metric as MetricRecord
from gql_platform.tracking.records import RunState, Series

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_MS = 1_767_268_800_000


def run(*, status: str = "FINISHED", end_time: int | None = NOON_MS, name: str = "try") -> Run:
    """Return a run of MLflow's."""
    info = RunInfo(
        run_id="0123",
        experiment_id="0",
        user_id="me",
        status=status,
        start_time=NOON_MS,
        end_time=end_time,
        lifecycle_stage="active",
        run_name=name,
    )
    metrics = [Metric("loss", float("inf"), NOON_MS, 3), Metric("accuracy", 0.5, NOON_MS, 0)]
    return Run(info, RunData(metrics=metrics))


class TestRun:
    @pytest.mark.parametrize("state", [state for state in RunState if state != "UNKNOWN"])
    def test_known_states(self, state: RunState) -> None:
        """MLflow's states have our names."""
        assert run_of(run(status=state.value)).state is state

    @pytest.mark.parametrize("status", ["PAUSED", "", "finished"])
    def test_unknown_state(self, status: str) -> None:
        """A state of a later MLflow does not hide the run."""
        assert run_of(run(status=status)).state is RunState.UNKNOWN

    def test_times(self) -> None:
        """Milliseconds since 1970 become moments of UTC."""
        found = run_of(run())
        assert (found.started_at, found.finished_at) == (NOON, NOON)
        assert run_of(run(end_time=None)).finished_at is None

    def test_metrics(self) -> None:
        """They are sorted, with their steps, and an infinite one stays infinite."""
        assert run_of(run()).metrics == (
            MetricRecord("accuracy", 0.5, 0),
            MetricRecord("loss", float("inf"), 3),
        )

    def test_name_may_be_missing(self) -> None:
        """An empty name is none."""
        assert run_of(run(name="")).name is None


class TestSeries:
    def test_order(self) -> None:
        """Values come by step, and those of a step by time, in whatever order MLflow has them."""
        logged = [
            Metric("loss", 0.5, 30, 2),
            Metric("loss", 2.0, 20, 1),
            Metric("loss", 4.0, 10, 1),
        ]
        assert series_of(logged) == Series(
            array("q", [1, 1, 2]), array("d", [4.0, 2.0, 0.5]), sampled=False, total_points=3
        )

    @pytest.mark.parametrize("sign", [1, -1])
    def test_largest_float_is_infinity(self, sign: int) -> None:
        """MLflow's databases replace infinity, which is put back."""
        stored = Metric("loss", sign * sys.float_info.max, 0, 0)
        infinite = sign * float("inf")
        assert list(series_of([stored]).values) == [infinite]
        info = run().info
        assert run_of(Run(info, RunData(metrics=[stored]))).metrics == (
            MetricRecord("loss", infinite, 0),
        )
