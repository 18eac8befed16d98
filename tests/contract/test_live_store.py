"""What every store tells of news, whatever it is made of."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.feed import DatabaseFeed
from gql_platform.adapters.mlflow.feed import MLflowFeed
from gql_platform.adapters.mlflow.run_writer import MLflowRunWriter
from gql_platform.live.cursors import marks_in, text_of
from gql_platform.live.marks import ends
from gql_platform.live.ports import LiveStore
from gql_platform.live.records import Mark, Tail
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.records import Batch, MetricPoint
from gql_platform.testing import InMemoryFeed, InMemoryRunWriter, InMemoryStore
from tests.contract.conftest import new_store
from tests.contract.mlflow_registry import client_of

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
NOBODY = ["", "unknown", "f" * 32, "x' OR '1'='1", "ä", "\n"]

Point = tuple[int, int, float]


@dataclass(frozen=True)
class Followed:
    """What tells of news, and a writer to the same store.

    Attributes:
        feed: It.
        writer: The writer.
        has_stamps: Whether it can tell that something was written.
        has_counts: Whether it counts points.
    """

    feed: LiveStore
    writer: RunWriter
    has_stamps: bool = True
    has_counts: bool = True

    async def new_run(self) -> str:
        """Make a run."""
        return await self.writer.create_run("0", name="run", user="me", started_at=NOON, tags={})

    async def log(self, run_id: str, **metrics: Sequence[Point]) -> None:
        """Log times, steps and values of metrics."""
        points = [
            MetricPoint(key=key, value=value, step=step, time_ms=time)
            for key, found in metrics.items()
            for time, step, value in found
        ]
        await self.writer.log(run_id, Batch(params={}, metrics=dict(enumerate(points)), tags={}))


STORES = [
    "in_memory",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "mlflow_client",
            "mlflow_server",
            "mlflow_tables",
            "mlflow_tables_postgresql",
        )
    ),
]


class NoFeed(MLflowFeed):
    """A client that must not be asked."""

    def __init__(self) -> None:
        """Have no client at all."""


@pytest.fixture(scope="module", params=STORES)
def followed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Followed]:
    """Each store in turn; each test writes to runs of its own."""
    if request.param == "in_memory":
        store = InMemoryStore()
        yield Followed(InMemoryFeed(store), InMemoryRunWriter(store))
        return
    with new_store(request, tmp_path_factory.mktemp("followed")) as uri:
        client = client_of(uri)
        writer = MLflowRunWriter(client)
        if request.param in {"mlflow_client", "mlflow_server"}:
            yield Followed(MLflowFeed(client), writer, has_stamps=False, has_counts=False)
            return
        database = MLflowDatabase(uri)
        feed = DatabaseFeed(database, NoFeed(), has_registry=True)
        yield Followed(feed, writer, has_stamps=request.param == "mlflow_tables")
        database.close()


def shown(tails: Mapping[str, Tail]) -> dict[str, tuple[int, list[tuple[int, int, str]]]]:
    """Return how many points are earlier, and the points, by metric."""
    return {
        key: (
            tail.earlier,
            [
                (time, step, str(value))
                for time, step, value in zip(tail.times, tail.steps, tail.values, strict=True)
            ],
        )
        for key, tail in tails.items()
    }


class TestTails:
    async def test_unknown_metrics_are_told_whole(self, followed: Followed) -> None:
        """All points come by time, whatever their steps; of one time by step and value."""
        run_id = await followed.new_run()
        await followed.log(
            run_id, loss=[(2, 0, 1.0), (1, 7, 2.0), (2, 0, 0.5)], error=[(5, 1, 8.0)]
        )
        assert shown(await followed.feed.tails(run_id, {})) == {
            "error": (0, [(5, 1, "8.0")]),
            "loss": (0, [(1, 7, "2.0"), (2, 0, "0.5"), (2, 0, "1.0")]),
        }

    async def test_known_metrics_are_told_from_their_last_time_on(self, followed: Followed) -> None:
        """Points of that very time come again; a metric without news does not come."""
        run_id = await followed.new_run()
        await followed.log(run_id, loss=[(1, 0, 3.0), (2, 1, 2.0)], error=[(1, 0, 8.0)])
        known = ends(await followed.feed.tails(run_id, {}), {})
        assert await followed.feed.tails(run_id, known) == {}
        await followed.log(run_id, loss=[(2, 2, 1.0), (3, 0, 0.5)])
        assert shown(await followed.feed.tails(run_id, known)) == {
            "loss": (1, [(2, 1, "2.0"), (2, 2, "1.0"), (3, 0, "0.5")])
        }

    async def test_values_may_be_no_numbers(self, followed: Followed) -> None:
        """NaN and the infinities stay what they are, and a cursor holds them."""
        run_id = await followed.new_run()
        values = [(1, 0, math.nan), (1, 1, math.inf), (1, 2, -math.inf)]
        await followed.log(run_id, loss=values)
        tails = await followed.feed.tails(run_id, {})
        assert [str(value) for value in tails["loss"].values] == ["nan", "inf", "-inf"]
        known = ends(tails, {})
        assert marks_in(text_of(run_id, known), run_id) == known
        assert await followed.feed.tails(run_id, known) == {}

    async def test_late_point_is_counted(self, followed: Followed) -> None:
        """One that belongs before the mark makes more points earlier than were known."""
        run_id = await followed.new_run()
        await followed.log(run_id, loss=[(5, 0, 3.0)])
        known = ends(await followed.feed.tails(run_id, {}), {})
        await followed.log(run_id, loss=[(4, 1, 2.0)])
        assert shown(await followed.feed.tails(run_id, known)) == {"loss": (1, [(5, 0, "3.0")])}

    @pytest.mark.parametrize("run_id", NOBODY)
    async def test_unknown_runs_have_none(self, followed: Followed, run_id: str) -> None:
        """Text that is no run's id finds nothing and breaks nothing."""
        mark = Mark(time_ms=1, points=1, at=1, digest=0)
        assert await followed.feed.tails(run_id, {}) == {}
        assert await followed.feed.tails(run_id, {"loss": mark, "\x00": mark}) == {}


class TestCounts:
    async def test_points_of_all_metrics_are_counted(self, followed: Followed) -> None:
        """A point that is no last value counts too; a store may not be able to count."""
        run_id, other = await followed.new_run(), await followed.new_run()
        await followed.log(run_id, loss=[(5, 9, 3.0)], error=[(1, 0, 1.0)])
        await followed.log(run_id, loss=[(6, 2, 4.0)])
        counts = await followed.feed.point_counts([run_id, other, run_id, *NOBODY])
        assert counts == ({run_id: 3} if followed.has_counts else None)


class TestStamps:
    async def test_write_makes_another(self, followed: Followed) -> None:
        """Whoever asks before and after a write sees two texts, or always None."""
        for stamp in (followed.feed.run_stamp, followed.feed.model_stamp):
            before = await stamp()
            await followed.new_run()
            after = await stamp()
            assert (before != after) == followed.has_stamps
            assert (before is None) == (not followed.has_stamps)
