"""The use case of lineage."""

from collections.abc import Sequence

from gql_platform.deployments.records import Deployment
from gql_platform.errors import InvalidDepthError, PageSizeError
from gql_platform.lineage.graph import (
    LineageGraph,
    dataset_edges,
    dataset_node,
    deployed_versions,
    deployment_edges,
    deployment_node,
    run_node,
    training_edges,
    version_node,
)
from gql_platform.lineage.records import Lineage, LineageDirection, LineageNode, LineageStart
from gql_platform.registry.records import ModelVersion
from gql_platform.registry.service import Registry
from gql_platform.serving.service import Serving
from gql_platform.tracking.records import Run
from gql_platform.tracking.service import Tracking

MAX_DEPTH = 3
"""From a data set to a deployment there are three steps."""

MAX_NODES = 500
"""How many nodes one lineage holds."""

DEFAULT_NODES = 100
"""How many it holds where nobody wants another number."""

MAX_STARTS = 100
"""Of how many of a model's newest versions a lineage is told at once."""


class LineageSearch:
    """Follow what came from what: data sets, runs, versions, deployments.

    Each step reads once at most, however many nodes it starts from.

    Args:
        tracking: Knows data sets and runs.
        registry: Knows versions.
        serving: Knows what serves on this server.
    """

    def __init__(self, tracking: Tracking, registry: Registry, serving: Serving) -> None:
        self._tracking = tracking
        self._registry = registry
        self._serving = serving

    async def lineage(
        self,
        start: LineageStart,
        direction: LineageDirection,
        *,
        depth: int = MAX_DEPTH,
        max_nodes: int = DEFAULT_NODES,
    ) -> Lineage | None:
        """Return the lineage of something; None if there is no such thing.

        Args:
            start: Of what.
            direction: Which way; of both, each for itself from the start.
            depth: How many steps at most.
            max_nodes: How many nodes at most.

        Raises:
            InvalidDepthError: If there are never so many steps.
            PageSizeError: If there are never so many nodes.
            RegistryUnavailableError: If a store does not answer.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise InvalidDepthError(depth=depth, maximum=MAX_DEPTH)
        if not 1 <= max_nodes <= MAX_NODES:
            raise PageSizeError(first=max_nodes, maximum=MAX_NODES)
        graph = LineageGraph(max_nodes=max_nodes)
        begun = await self._start(start)
        if not begun:
            return None
        first = graph.add(begun[:MAX_STARTS])
        graph.truncated |= len(begun) > MAX_STARTS
        if direction.is_upstream:
            nodes = first
            for _ in range(depth):
                nodes = await self._upstream(graph, nodes)
        if direction.is_downstream:
            nodes = first
            for _ in range(depth):
                nodes = await self._downstream(graph, nodes)
        return graph.lineage()

    async def _start(self, start: LineageStart) -> list[LineageNode]:
        if start.dataset is not None:
            runs = await self._tracking.runs_of_dataset(start.dataset, limit=1)
            logged = [each for run in runs for each in run.datasets]
            return [dataset_node(each) for each in logged if each.ref == start.dataset][:1]
        if start.run_id is not None:
            return [run_node(run) for run in (await self._tracking.runs([start.run_id])).values()]
        model = start.model or ""
        versions = (await self._registry.versions([model])).get(model, ())
        return [version_node(each) for each in versions if start.version in (None, each.version)]

    async def _upstream(self, graph: LineageGraph, nodes: list[LineageNode]) -> list[LineageNode]:
        """Add what some nodes came from, and return what is new."""
        runs = [each.run for each in nodes if each.run is not None]
        versions = [each.model_version for each in nodes if each.model_version is not None]
        ids = list(dict.fromkeys(each.run_id for each in versions if each.run_id is not None))
        trained_in = await self._tracking.runs(ids) if ids else {}
        found = [run_node(trained_in[each]) for each in ids if each in trained_in]
        found += [dataset_node(dataset) for run in runs for dataset in run.datasets]
        added = graph.add(found)
        graph.connect(training_edges(versions))
        graph.connect(edge for run in runs for edge in dataset_edges(run))
        return added

    async def _downstream(self, graph: LineageGraph, nodes: list[LineageNode]) -> list[LineageNode]:
        """Add what came of some nodes, and return what is new."""
        runs: list[Run] = []
        for dataset in (each.dataset for each in nodes if each.dataset is not None):
            # Only a lineage that begins with a data set comes here, with this one.
            runs += await self._tracking.runs_of_dataset(dataset.ref, limit=graph.room + 1)
        ids = [each.run.run_id for each in nodes if each.run is not None]
        by_run = await self._tracking.versions_of_runs(ids) if ids else {}
        versions = [each for run_id in ids for each in by_run.get(run_id, ())]
        deployments = self._deployments([each.model_version for each in nodes])
        added = graph.add(
            [
                *map(run_node, runs),
                *map(version_node, versions),
                *map(deployment_node, deployments),
            ]
        )
        graph.connect(edge for run in runs for edge in dataset_edges(run))
        graph.connect(training_edges(versions))
        graph.connect(edge for each in deployments for edge in deployment_edges(each))
        return added

    def _deployments(self, versions: Sequence[ModelVersion | None]) -> list[Deployment]:
        """Return the deployments that some versions are part of."""
        refs = {each.ref for each in versions if each is not None}
        found = (self._serving.deployment(name) for name in sorted({each.model for each in refs}))
        return [each for each in found if each and not refs.isdisjoint(deployed_versions(each))]
