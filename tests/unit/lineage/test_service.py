"""Lineage is followed both ways, step by step, and within bounds."""

from collections.abc import AsyncIterator

import pytest

from gql_platform.errors import InvalidDepthError, PageSizeError
from gql_platform.lineage.records import Lineage, LineageDirection, LineageStart
from gql_platform.lineage.service import MAX_STARTS
from gql_platform.registry.records import CHAMPION
from gql_platform.services import Services
from gql_platform.testing import (
    IRIS_PACKAGE,
    InMemoryStore,
    example_loader,
    in_memory_services,
)
from gql_platform.tracking.records import DatasetRef, LoggedDataset

pytestmark = pytest.mark.anyio

FLOWERS = LoggedDataset("flowers", "abc", "local", "flowers.csv", "training")
WEEDS = LoggedDataset("weeds", "def", "local", "weeds.csv", "evaluation")
OLDER = LoggedDataset("flowers", "aaa", "local", "flowers.csv", None)

BOTH, UP, DOWN = LineageDirection.BOTH, LineageDirection.UPSTREAM, LineageDirection.DOWNSTREAM


def garden() -> InMemoryStore:
    """Two data sets, three runs, three versions of a model, of which the first serves.

    flowers, weeds -> first -> version 1 -> deployment
    flowers -> second -> version 2; an older flowers -> third; version 3 has no run.
    """
    store = InMemoryStore()
    store.add_run("first", name="first try", datasets=[FLOWERS, WEEDS])
    store.add_run("second", datasets=[FLOWERS])
    store.add_run("third", datasets=[OLDER])
    store.add_version("iris_species", package=IRIS_PACKAGE, run_id="first", aliases=[CHAMPION])
    store.add_version("iris_species", package=IRIS_PACKAGE, run_id="second")
    store.add_version("iris_species", package=IRIS_PACKAGE)
    return store


@pytest.fixture
def store() -> InMemoryStore:
    """The garden."""
    return garden()


@pytest.fixture
async def services(store: InMemoryStore) -> AsyncIterator[Services]:
    """A server over the garden, with what serves loaded."""
    services = in_memory_services(store, example_loader())
    await services.deployments.load_all()
    yield services
    await services.close()


def drawn(lineage: Lineage | None) -> list[str]:
    """Return a lineage as lines: the nodes by kind and key, and then the edges."""
    assert lineage is not None
    nodes = [f"{node.kind.value} {node.ref.key}" for node in lineage.nodes]
    return nodes + [f"{edge.source.key} -> {edge.target.key}" for edge in lineage.edges]


RUN_BOTH = [
    "RUN first",
    "DATASET abc@flowers",
    "DATASET def@weeds",
    "MODEL_VERSION 1@iris_species",
    "DEPLOYMENT iris_species",
    "abc@flowers -> first",
    "def@weeds -> first",
    "first -> 1@iris_species",
    "1@iris_species -> iris_species",
]


class TestDirections:
    async def test_run_both_ways(self, services: Services) -> None:
        """What it used, and what came of it; not what else came of the same data."""
        found = await services.lineage.lineage(LineageStart(run_id="first"), BOTH)
        assert drawn(found) == RUN_BOTH
        assert found is not None
        assert [edge.context for edge in found.edges] == ["training", "evaluation", None, None]
        assert [node.label for node in found.nodes] == [
            "first try",
            "flowers",
            "weeds",
            "iris_species 1",
            "iris_species",
        ]
        assert not found.truncated

    async def test_version_upstream(self, services: Services) -> None:
        """Where a version came from."""
        start = LineageStart(model="iris_species", version=2)
        assert drawn(await services.lineage.lineage(start, UP)) == [
            "MODEL_VERSION 2@iris_species",
            "RUN second",
            "DATASET abc@flowers",
            "second -> 2@iris_species",
            "abc@flowers -> second",
        ]

    async def test_version_downstream(self, services: Services) -> None:
        """Only a version that serves is part of the deployment."""
        for version, count in ((1, 3), (2, 1)):
            start = LineageStart(model="iris_species", version=version)
            assert len(drawn(await services.lineage.lineage(start, DOWN))) == count

    async def test_dataset_downstream(self, services: Services) -> None:
        """What came of data, down to what serves: the question after an error in them."""
        start = LineageStart(dataset=DatasetRef("flowers", "abc"))
        assert drawn(await services.lineage.lineage(start, DOWN)) == [
            "DATASET abc@flowers",
            "RUN second",
            "RUN first",
            "MODEL_VERSION 2@iris_species",
            "MODEL_VERSION 1@iris_species",
            "DEPLOYMENT iris_species",
            "abc@flowers -> second",
            "abc@flowers -> first",
            "second -> 2@iris_species",
            "first -> 1@iris_species",
            "1@iris_species -> iris_species",
        ]
        assert len(drawn(await services.lineage.lineage(start, UP))) == 1

    async def test_model_is_all_its_versions(self, services: Services) -> None:
        """Each with what it came from; one without a run came from nowhere."""
        found = await services.lineage.lineage(LineageStart(model="iris_species"), UP)
        assert drawn(found)[:5] == [
            "MODEL_VERSION 3@iris_species",
            "MODEL_VERSION 2@iris_species",
            "MODEL_VERSION 1@iris_species",
            "RUN second",
            "RUN first",
        ]

    @pytest.mark.parametrize(
        "start",
        [
            LineageStart(),
            LineageStart(run_id="gone"),
            LineageStart(model="gone"),
            LineageStart(model="iris_species", version=9),
            LineageStart(dataset=DatasetRef("flowers", "def")),
        ],
    )
    async def test_nothing_has_no_lineage(self, services: Services, start: LineageStart) -> None:
        """What is not there is none."""
        assert await services.lineage.lineage(start, BOTH) is None

    async def test_run_that_is_gone_ends_it(self, services: Services, store: InMemoryStore) -> None:
        """A version whose run was deleted for good has no edge to nowhere."""
        store.add_version("iris_species", run_id="deleted for good")
        start = LineageStart(model="iris_species", version=4)
        assert drawn(await services.lineage.lineage(start, BOTH)) == [
            "MODEL_VERSION 4@iris_species"
        ]


class TestBounds:
    @pytest.mark.parametrize(("depth", "count"), [(1, 3), (2, 5), (3, 6)])
    async def test_depth_counts_steps(self, services: Services, depth: int, count: int) -> None:
        """From a data set to a deployment there are three."""
        start = LineageStart(dataset=DatasetRef("flowers", "abc"))
        found = await services.lineage.lineage(start, BOTH, depth=depth)
        assert found is not None
        assert len(found.nodes) == count

    async def test_what_does_not_fit_is_told(self, services: Services) -> None:
        """Edges are there between nodes that are."""
        start = LineageStart(dataset=DatasetRef("flowers", "abc"))
        found = await services.lineage.lineage(start, DOWN, max_nodes=2)
        assert drawn(found) == ["DATASET abc@flowers", "RUN second", "abc@flowers -> second"]
        assert found is not None
        assert found.truncated

    async def test_exactly_full_is_whole(self, services: Services) -> None:
        """As many as there are is not too few."""
        found = await services.lineage.lineage(LineageStart(run_id="first"), BOTH, max_nodes=5)
        assert drawn(found) == RUN_BOTH
        assert found is not None
        assert not found.truncated

    async def test_newest_versions_of_a_model_are_told(self, store: InMemoryStore) -> None:
        """A model may have thousands."""
        for _ in range(MAX_STARTS):
            store.add_version("iris_species")
        services = in_memory_services(store, example_loader())
        start = LineageStart(model="iris_species")
        found = await services.lineage.lineage(start, UP, max_nodes=500)
        assert found is not None
        assert (len(found.nodes), found.truncated) == (MAX_STARTS, True)

    async def test_steps_read_once(self, services: Services, store: InMemoryStore) -> None:
        """However many nodes there are."""
        for number in range(50):
            store.add_run(f"run {number}", datasets=[FLOWERS, WEEDS])
            store.add_version("iris_species", run_id=f"run {number}")
        store.calls.clear()
        await services.lineage.lineage(LineageStart(model="iris_species"), BOTH)
        assert store.calls == {"versions": 1, "runs": 1}
        store.calls.clear()
        start = LineageStart(dataset=DatasetRef("flowers", "abc"))
        found = await services.lineage.lineage(start, BOTH, max_nodes=500)
        assert found is not None
        assert len(found.nodes) == 1 + 52 + 52 + 1
        assert store.calls == {"runs_of_dataset": 2, "versions_of_runs": 1}

    async def test_bounds_are_kept(self, services: Services) -> None:
        """Neither no steps nor too many are followed, and no more nodes than there are ever."""
        start = LineageStart(run_id="first")
        for depth in (0, 4):
            with pytest.raises(InvalidDepthError):
                await services.lineage.lineage(start, BOTH, depth=depth)
        for max_nodes in (0, 501):
            with pytest.raises(PageSizeError):
                await services.lineage.lineage(start, BOTH, max_nodes=max_nodes)
