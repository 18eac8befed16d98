"""The in-memory store keeps the promises of the ports, and shows what it was asked."""

import datetime as dt
from array import array

import pytest

from gql_platform.errors import RegistryUnavailableError
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import Alias, Model, ModelVersion, Tag, VersionRef
from gql_platform.testing import FIRST_MOMENT, HOUSE_PACKAGE, InMemoryStore
from gql_platform.tracking.ports import RunStore
from gql_platform.tracking.records import Metric, MetricRef, Param, Run, RunState, Series

pytestmark = pytest.mark.anyio

MINUTE = dt.timedelta(minutes=1)


class TestModels:
    async def test_model_is_kept_as_it_was_registered(self) -> None:
        """A model has its description and its tags, sorted by key."""
        store = InMemoryStore()
        made = store.add_model("iris", description="Flowers.", tags={"b": "2", "a": "1"})
        assert made == Model(
            name="iris",
            description="Flowers.",
            aliases=(),
            tags=(Tag("a", "1"), Tag("b", "2")),
            created_at=FIRST_MOMENT,
            updated_at=FIRST_MOMENT,
        )
        assert await store.models_named(["iris", "house"]) == {"iris": made}
        assert await store.versions(["iris", "house"]) == {"iris": ()}

    async def test_models_come_by_code_point(self) -> None:
        """Names are sorted as text is in Python: capitals before small letters before accents."""
        store = InMemoryStore()
        for name in ("b", "é", "a", "B", "a b"):
            store.add_model(name)
        found = await store.models(after=None, limit=10)
        assert [model.name for model in found] == ["B", "a", "a b", "b", "é"]
        found = await store.models(after="a", limit=2)
        assert [model.name for model in found] == ["a b", "b"]
        assert await store.model_count() == 5


class TestVersions:
    async def test_version_is_kept_as_it_was_registered(self) -> None:
        """The first version registers its model too, and has all that was said of it."""
        store = InMemoryStore()
        made = store.add_version(
            "iris",
            package=HOUSE_PACKAGE,
            aliases=["new", "champion"],
            description="The first.",
            tags={"k": "v"},
            run_id="run-1",
        )
        assert made == ModelVersion(
            model_name="iris",
            version=1,
            aliases=("champion", "new"),
            description="The first.",
            tags=(Tag("k", "v"),),
            created_at=FIRST_MOMENT + MINUTE,
            run_id="run-1",
        )
        assert await store.versions(["iris"]) == {"iris": (made,)}
        assert await store.packages([made.ref]) == {made.ref: HOUSE_PACKAGE}
        model = (await store.models_named(["iris"]))["iris"]
        assert model.aliases == (Alias("champion", 1), Alias("new", 1))
        assert model.updated_at > model.created_at

    async def test_versions_are_numbered_and_newest_first(self) -> None:
        """Each further version has the next number."""
        store = InMemoryStore()
        for _ in range(3):
            store.add_version("iris")
        found = (await store.versions(["iris"]))["iris"]
        assert [version.version for version in found] == [3, 2, 1]

    async def test_alias_points_to_one_version(self) -> None:
        """Setting an alias again takes it from the version that had it."""
        store = InMemoryStore()
        store.add_version("iris", aliases=["champion", "old"])
        store.add_version("iris", aliases=["champion"])
        newer, older = (await store.versions(["iris"]))["iris"]
        assert (newer.aliases, older.aliases) == (("champion",), ("old",))
        store.set_alias(VersionRef("iris", 1), "champion")
        newer, older = (await store.versions(["iris"]))["iris"]
        assert (newer.aliases, older.aliases) == ((), ("champion", "old"))

    async def test_version_without_package_has_no_files(self) -> None:
        """A version that was registered without a package has none."""
        store = InMemoryStore()
        ref = store.add_version("iris").ref
        assert await store.packages([ref, VersionRef("x", 1)]) == {}


class TestRuns:
    async def test_run_is_kept_as_it_was_tracked(self) -> None:
        """Params and metrics are sorted by key, and a run that ended took a minute."""
        store = InMemoryStore()
        made = store.add_run(
            "r1", name="try", params={"b": "2", "a": "1"}, metrics={"f1": 0.5, "auc": 0.9}
        )
        assert made == Run(
            run_id="r1",
            name="try",
            state=RunState.FINISHED,
            params=(Param("a", "1"), Param("b", "2")),
            metrics=(Metric("auc", 0.9, 0), Metric("f1", 0.5, 0)),
            started_at=FIRST_MOMENT,
            finished_at=FIRST_MOMENT + MINUTE,
            experiment_id="0",
        )
        assert made.duration_ms == 60_000
        assert await store.runs(["r1", "r2"]) == {"r1": made}

    @pytest.mark.parametrize("state", [RunState.RUNNING, RunState.SCHEDULED, RunState.UNKNOWN])
    async def test_run_that_goes_on_has_no_end(self, state: RunState) -> None:
        """A run that is not over has no end and no duration."""
        run = InMemoryStore().add_run("r1", state=state)
        assert (run.finished_at, run.duration_ms) == (None, None)


class TestMetricHistories:
    async def test_values_are_kept_as_they_were_logged(self) -> None:
        """Points come by step, and the last of them is the metric."""
        store = InMemoryStore()
        store.add_run("r1", metrics={"auc": 0.5})
        store.log_metric("r1", "loss", [(2, 0.5), (0, 4.0)])
        store.log_metric("r1", "loss", [(2, 0.25), (1, 2.0)])
        loss, auc = MetricRef("r1", "loss"), MetricRef("r1", "auc")
        assert await store.metric_histories([loss, auc, MetricRef("r1", "f1")]) == {
            loss: Series(array("q", [0, 1, 2, 2]), array("d", [4.0, 2.0, 0.5, 0.25]), False, 4),
            auc: Series(array("q", [0]), array("d", [0.5]), False, 1),
        }
        run = (await store.runs(["r1"]))["r1"]
        assert run.metrics == (Metric("auc", 0.5, 0), Metric("loss", 0.25, 2))


class TestFailures:
    @staticmethod
    async def ask_all(store: InMemoryStore) -> list[Exception]:
        """Call every method of the ports and return what each raised."""
        as_registry: RegistryStore = store
        as_runs: RunStore = store
        calls = [
            as_registry.models(after=None, limit=1),
            as_registry.model_count(),
            as_registry.models_named(["a"]),
            as_registry.versions(["a"]),
            as_registry.packages([VersionRef("a", 1)]),
            as_runs.runs(["r"]),
            as_runs.metric_histories([MetricRef("r", "loss")]),
        ]
        raised = []
        for call in calls:
            with pytest.raises(Exception) as caught:  # noqa: PT011 - the caller looks at it
                await call
            raised.append(caught.value)
        return raised

    async def test_unavailable_store_refuses_every_read(self) -> None:
        """A store that is switched off raises what an unreachable registry raises."""
        store = InMemoryStore()
        store.is_available = False
        raised = await self.ask_all(store)
        assert [type(error) for error in raised] == [RegistryUnavailableError] * 7
        store.is_available = True
        assert await store.model_count() == 0

    async def test_any_error_can_be_played(self) -> None:
        """A store can fail with whatever a test needs, and recover."""
        store, error = InMemoryStore(), OSError("disk on fire")
        store.fail_with(error)
        assert await self.ask_all(store) == [error] * 7
        store.fail_with(None)
        assert await store.model_count() == 0

    async def test_calls_are_counted(self) -> None:
        """Each read is counted under its name, whether it failed or not."""
        store = InMemoryStore()
        await store.model_count()
        await store.model_count()
        store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await store.runs([])
        assert store.calls == {"model_count": 2, "runs": 1}
