"""What is new in a store of MLflow's, as far as its client can tell."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import partial

from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.entities import number_of
from gql_platform.adapters.mlflow.runs import is_run_id, logged_values
from gql_platform.live.ports import LiveStore
from gql_platform.live.records import Mark, Tail
from gql_platform.tracking.records import MetricRef


class MLflowFeed(LiveStore):
    """Tell what is new by MLflow's client, which must read for that; a `LiveStore`.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def run_stamp(self) -> str | None:
        """Return None: MLflow does not tell."""
        return None

    async def model_stamp(self) -> str | None:
        """Return None, as for runs."""
        return None

    async def point_counts(self, run_ids: Sequence[str]) -> Mapping[str, int] | None:
        """Return None: MLflow counts no points."""
        del run_ids
        return None

    async def tails(self, run_id: str, known: Mapping[str, Mark]) -> Mapping[str, Tail]:
        """Return the points that are not known; MLflow sends all of them."""
        if not is_run_id(run_id):
            return {}
        return await self._client.call(
            partial(_tails, run_id=run_id, known=known), asks_for_runs=True
        )

    async def close(self) -> None:
        """Do nothing: MLflow keeps its connections to itself."""


def _tails(client: MlflowClient, *, run_id: str, known: Mapping[str, Mark]) -> dict[str, Tail]:
    try:
        keys = client.get_run(run_id).data.metrics
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise
    found: dict[str, Tail] = {}
    for key in keys:
        logged = logged_values(client, MetricRef(run_id, key))
        mark = known.get(key)
        if mark is None or mark.points != len(logged):
            found[key] = _tail(logged, mark)
    return found


def _tail(logged: Sequence[Metric], mark: Mark | None) -> Tail:
    points = sorted(
        ((each.timestamp, each.step, number_of(each.value)) for each in logged), key=_order
    )
    times = array("q", (time for time, _, _ in points))
    start = bisect_left(times, mark.time_ms) if mark is not None else 0
    return Tail(
        earlier=start,
        times=times[start:],
        steps=array("q", (step for _, step, _ in points[start:])),
        values=array("d", (value for _, _, value in points[start:])),
    )


def _order(point: tuple[int, int, float]) -> tuple[int, int, bool, float]:
    time, step, value = point
    is_nan = math.isnan(value)
    return time, step, is_nan, 0.0 if is_nan else value
