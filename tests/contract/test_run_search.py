"""How every store of runs searches them, whatever it is made of."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from gql_platform.run_search.records import (
    Comparator,
    Direction,
    MetricCondition,
    RunFilter,
    RunOrder,
    RunOrderField,
    TextCondition,
)
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import Run, RunState
from tests.contract.conftest import Filled
from tests.contract.facts import APPLES, WINE

pytestmark = pytest.mark.anyio

NEWEST = RunOrder()
BEST = RunOrder(RunOrderField.METRIC, "auc_score")
WORST = RunOrder(RunOrderField.METRIC, "auc_score", Direction.ASC)
ALL = ["eta", "zeta", "epsilon", "delta", "gamma", "beta_x", "Alpha 50%"]


@pytest.fixture
def store(filled: Filled) -> RunStore:
    """The store under test."""
    return filled.tracking


def names(runs: Sequence[Run]) -> list[str | None]:
    """Return the names of runs."""
    return [run.name for run in runs]


async def experiment_id(store: RunStore, name: str = "search") -> str:
    """Return the id of an experiment."""
    experiment = await store.experiment_named(name)
    assert experiment is not None
    return experiment.experiment_id


async def found(store: RunStore, order: RunOrder = NEWEST, **conditions: Any) -> list[str | None]:
    """Return the names of the runs of the experiment that a filter chooses."""
    given = {"experiments": (await experiment_id(store),), **conditions}
    chosen = RunFilter(**given)
    return names(await store.run_page(chosen, order=order, after=None, limit=100))


class TestOrders:
    async def test_newest_come_first(self, store: RunStore) -> None:
        """Deleted ones are left out."""
        assert await found(store) == ALL

    async def test_oldest_come_first_when_asked(self, store: RunStore) -> None:
        """The other direction is the reverse."""
        assert await found(store, RunOrder(direction=Direction.ASC)) == ALL[::-1]

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            (BEST, ["epsilon", "beta_x", "eta", "Alpha 50%", "zeta", "gamma", "delta"]),
            (WORST, ["zeta", "eta", "Alpha 50%", "beta_x", "epsilon", "gamma", "delta"]),
        ],
    )
    async def test_metrics_order(
        self, store: RunStore, order: RunOrder, expected: list[str]
    ) -> None:
        """NaN and then runs without the metric come last in both directions."""
        assert await found(store, order) == expected

    async def test_unknown_metric_orders_as_time_does(self, store: RunStore) -> None:
        """Where no run has the metric, all are equal."""
        assert await found(store, RunOrder(RunOrderField.METRIC, "nothing")) == ALL

    @pytest.mark.parametrize("size", [1, 2, 3])
    @pytest.mark.parametrize("order", [NEWEST, RunOrder(direction=Direction.ASC), BEST, WORST])
    async def test_pages_join(self, store: RunStore, order: RunOrder, size: int) -> None:
        """Page after page gives each run once, in the order of the whole list."""
        chosen = RunFilter(experiments=(await experiment_id(store),))
        whole = await store.run_page(chosen, order=order, after=None, limit=100)
        joined: list[Run] = []
        after = None
        while True:
            page = await store.run_page(chosen, order=order, after=after, limit=size)
            if not page:
                break
            joined += page
            after = order.position_of(page[-1])
        assert names(joined) == names(whole)

    async def test_all_experiments_are_searched_by_default(self, store: RunStore) -> None:
        """No experiment named is all of them."""
        runs = await store.run_page(RunFilter(), order=NEWEST, after=None, limit=100)
        assert names(runs) == [*ALL, "long", "broken", "at work", "first try"]


class TestFilters:
    @pytest.mark.parametrize(
        ("conditions", "expected"),
        [
            ({"states": (RunState.FAILED,)}, ["gamma"]),
            ({"states": (RunState.FAILED, RunState.FINISHED)}, ALL),
            ({"states": (RunState.UNKNOWN,)}, []),
            ({"params": (TextCondition("depth", "3"),)}, ["eta", "Alpha 50%"]),
            ({"params": (TextCondition("depth"),)}, ["eta", "beta_x", "Alpha 50%"]),
            ({"params": (TextCondition("depth", "3' OR '1'='1"),)}, []),
            ({"params": (TextCondition("none", "3"),)}, []),
            ({"tags": (TextCondition("team", "o'clock"),)}, ["delta"]),
            ({"tags": (TextCondition("team"), TextCondition("empty", ""))}, ["eta"]),
            ({"text": "alpha"}, ["Alpha 50%"]),
            ({"text": "50%"}, ["Alpha 50%"]),
            ({"text": "a_x"}, ["beta_x"]),
            ({"text": "%"}, ["Alpha 50%"]),
            ({"text": "\\"}, []),
            ({"text": "ETA"}, ["eta", "zeta", "beta_x"]),
            ({"experiments": ("999",)}, []),
            ({"experiments": ("no number",)}, []),
            ({"experiments": ("9" * 30,)}, []),
            ({"run_ids": ()}, []),
            ({"run_ids": ("unknown", "' OR 1=1")}, []),
        ],
    )
    async def test_choose(
        self, store: RunStore, conditions: dict[str, Any], expected: list[str]
    ) -> None:
        """Each condition leaves the runs for which it holds."""
        assert await found(store, **conditions) == expected

    @pytest.mark.parametrize(
        ("comparator", "value", "expected"),
        [
            (Comparator.EQ, 0.5, ["eta", "Alpha 50%"]),
            (Comparator.NE, 0.5, ["zeta", "epsilon", "beta_x"]),
            (Comparator.LT, 0.5, ["zeta"]),
            (Comparator.LTE, 0.5, ["eta", "zeta", "Alpha 50%"]),
            (Comparator.GT, 0.5, ["epsilon", "beta_x"]),
            (Comparator.GTE, 0.9, ["epsilon", "beta_x"]),
            (Comparator.GT, 1e300, ["epsilon"]),
            (Comparator.LT, -1e-7, ["zeta"]),
        ],
    )
    async def test_metrics_compare(
        self, store: RunStore, comparator: Comparator, value: float, expected: list[str]
    ) -> None:
        """Infinities compare as numbers, NaN and what was never logged do not."""
        condition = MetricCondition("auc_score", comparator, value)
        assert await found(store, metrics=(condition,)) == expected

    @pytest.mark.parametrize("key", ["nothing", "AUC_SCORE", "`", "a' OR '1'='1"])
    async def test_unknown_metric_chooses_none(self, store: RunStore, key: str) -> None:
        """A filter on what nobody logged is an empty page, and no error."""
        assert await found(store, metrics=(MetricCondition(key, Comparator.GT, 0.0),)) == []

    async def test_names_with_signs_compare(self, store: RunStore) -> None:
        """Any name that MLflow takes can be asked for."""
        condition = MetricCondition("val/a b: c.d", Comparator.EQ, 1.0)
        assert await found(store, metrics=(condition,)) == ["zeta"]

    async def test_times_choose(self, store: RunStore) -> None:
        """The first moment belongs to it, the last one does not."""
        chosen = RunFilter(experiments=(await experiment_id(store),))
        runs = await store.run_page(chosen, order=NEWEST, after=None, limit=100)
        moments = {run.name: run.started_at for run in runs}
        assert moments["delta"] is not None
        assert await found(store, started_from=moments["delta"]) == ALL[:4]
        assert await found(store, started_before=moments["delta"]) == ALL[4:]
        later = moments["delta"] + timedelta(microseconds=500)
        assert await found(store, started_from=later) == ALL[:3]
        assert await found(store, started_before=later) == ALL[3:]

    async def test_ids_choose_together_with_the_rest(self, filled: Filled) -> None:
        """Ids narrow a search like any other condition."""
        ids = tuple(filled.run_ids[name] for name in ("eta", "gone", "beta_x", "Alpha 50%"))
        depth = TextCondition("depth", "3")
        assert await found(filled.tracking, run_ids=ids, params=(depth,)) == ["eta", "Alpha 50%"]


class TestCounts:
    async def test_all_pages_are_counted(self, filled: Filled) -> None:
        """As many as all pages have together, deleted ones left out; a client cannot tell."""
        store = filled.tracking
        search = (await experiment_id(store),)
        depth = TextCondition("depth", "3")
        above = MetricCondition("auc_score", Comparator.GT, 0.5)
        counts = [
            await store.run_count(chosen)
            for chosen in (
                RunFilter(),
                RunFilter(experiments=search),
                RunFilter(experiments=search, params=(depth,)),
                RunFilter(metrics=(above,), states=(RunState.FINISHED,)),
                RunFilter(experiments=("999",)),
                RunFilter(run_ids=()),
            )
        ]
        assert counts == ([11, 7, 2, 2, 0, 0] if filled.is_counted else [None] * 6)

    async def test_experiments_are_counted(self, filled: Filled) -> None:
        """Without the deleted ones."""
        count = await filled.tracking.experiment_count()
        assert count == (4 if filled.is_counted else None)


class TestContent:
    async def test_page_shows_what_was_tracked(self, store: RunStore) -> None:
        """A run in a page has all that the run by itself has."""
        chosen = RunFilter(experiments=(await experiment_id(store),))
        runs = await store.run_page(chosen, order=NEWEST, after=None, limit=100)
        by_id = await store.runs([run.run_id for run in runs])
        # NaN is unlike itself.
        assert [repr(by_id[run.run_id]) for run in runs] == [repr(run) for run in runs]

    async def test_datasets_and_tags_are_shown(self, filled: Filled) -> None:
        """Data sets come by name, with what they were used for."""
        run_id = filled.run_ids["eta"]
        run = (await filled.tracking.runs([run_id]))[run_id]
        assert run.datasets == (APPLES, WINE)
        tags = {tag.key: tag.value for tag in run.tags}
        assert (tags["team"], tags["empty"]) == ("orchard", "")
        assert [tag.key for tag in run.tags] == sorted(tags)

    async def test_deleted_run_says_so(self, filled: Filled) -> None:
        """It is found by its id."""
        run_id = filled.run_ids["gone"]
        assert (await filled.tracking.runs([run_id]))[run_id].is_deleted

    async def test_versions_are_found_by_run(self, filled: Filled) -> None:
        """They come with their aliases and tags, and a run without any is absent."""
        ids = [filled.run_ids[name] for name in ("first try", "broken", "eta")]
        versions = await filled.tracking.versions_of_runs([*ids, "unknown", "' OR 1"])
        registered = (await filled.registry.versions(["apple"]))["apple"]
        assert versions == {ids[0]: (registered[2],), ids[1]: (registered[0],)}
        assert await filled.tracking.versions_of_runs([]) == {}


class TestExperiments:
    async def test_come_by_name(self, store: RunStore) -> None:
        """By code point, without the deleted ones."""
        whole = await store.experiments(after=None, limit=100)
        assert [each.name for each in whole] == ["Default", "Zoo", "search", "über"]
        assert await store.experiments(after=None, limit=2) == whole[:2]
        assert await store.experiments(after="Zoo", limit=5) == whole[2:]
        assert list(await store.experiments(after="über", limit=5)) == []

    async def test_are_found_by_id_and_name(self, store: RunStore) -> None:
        """Deleted ones are found, too, and say so."""
        search, dropped = [await store.experiment_named(name) for name in ("search", "dropped")]
        assert search is not None
        assert dropped is not None
        assert (search.is_deleted, dropped.is_deleted) == (False, True)
        assert [(tag.key, tag.value) for tag in search.tags] == [("made by", "test")]
        assert search.created_at is not None
        by_id = await store.experiments_by_id([search.experiment_id, dropped.experiment_id, "99"])
        assert by_id == {each.experiment_id: each for each in (search, dropped)}

    @pytest.mark.parametrize("text", ["", "unknown", "x' OR '1'='1", "\x00", "-1", "1.5", "²"])
    async def test_unknown_ones_are_absent(self, store: RunStore, text: str) -> None:
        """Text that names none finds nothing and breaks nothing."""
        assert await store.experiment_named(text) is None
        assert await store.experiments_by_id([text]) == {}
