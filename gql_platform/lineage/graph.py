"""A graph that grows up to a size."""

from collections.abc import Iterable

from gql_platform.deployments.records import DeployedVariant, Deployment
from gql_platform.lineage.records import (
    Lineage,
    LineageDataset,
    LineageEdge,
    LineageKind,
    LineageNode,
    LineageRef,
)
from gql_platform.registry.records import ModelVersion, VersionRef
from gql_platform.tracking.records import LoggedDataset, Run


class LineageGraph:
    """Collect nodes and edges, each once.

    Args:
        max_nodes: How many nodes it holds; what comes later is left out, and it says so.
    """

    def __init__(self, *, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self._nodes: dict[LineageRef, LineageNode] = {}
        self._edges: dict[LineageEdge, None] = {}
        self.truncated = False

    @property
    def room(self) -> int:
        """How many nodes it still takes."""
        return self._max_nodes - len(self._nodes)

    def add(self, nodes: Iterable[LineageNode]) -> list[LineageNode]:
        """Put nodes in, and return those that are in now and were not before."""
        added = []
        for node in nodes:
            if node.ref in self._nodes:
                continue
            if not self.room:
                self.truncated = True
                continue
            self._nodes[node.ref] = node
            added.append(node)
        return added

    def connect(self, edges: Iterable[LineageEdge]) -> None:
        """Put those edges in of which both ends are in."""
        for edge in edges:
            if edge.source in self._nodes and edge.target in self._nodes:
                self._edges[edge] = None

    def lineage(self) -> Lineage:
        """Return what was collected."""
        return Lineage(tuple(self._nodes.values()), tuple(self._edges), truncated=self.truncated)


def dataset_node(dataset: LoggedDataset) -> LineageNode:
    """Return the node of a data set."""
    shown = LineageDataset(dataset.name, dataset.digest, dataset.source_type, dataset.source)
    key = f"{dataset.digest}@{dataset.name}"
    return LineageNode(LineageRef(LineageKind.DATASET, key), dataset.name, dataset=shown)


def run_node(run: Run) -> LineageNode:
    """Return the node of a run."""
    ref = LineageRef(LineageKind.RUN, run.run_id)
    return LineageNode(ref, run.name or run.run_id, run=run)


def version_node(version: ModelVersion) -> LineageNode:
    """Return the node of a version."""
    label = f"{version.model_name} {version.version}"
    return LineageNode(version_ref(version.ref), label, model_version=version)


def version_ref(version: VersionRef) -> LineageRef:
    """Return what tells the node of a version from others."""
    return LineageRef(LineageKind.MODEL_VERSION, f"{version.version}@{version.model}")


def deployment_node(deployment: Deployment) -> LineageNode:
    """Return the node of a deployment."""
    ref = LineageRef(LineageKind.DEPLOYMENT, deployment.model)
    return LineageNode(ref, deployment.model, deployment=deployment)


def dataset_edges(run: Run) -> list[LineageEdge]:
    """Return the edges from its data sets to a run."""
    return [
        LineageEdge(dataset_node(each).ref, run_node(run).ref, each.context)
        for each in run.datasets
    ]


def training_edges(versions: Iterable[ModelVersion]) -> list[LineageEdge]:
    """Return the edges from runs to the versions that they trained."""
    return [
        LineageEdge(LineageRef(LineageKind.RUN, each.run_id), version_ref(each.ref))
        for each in versions
        if each.run_id is not None
    ]


def deployment_edges(deployment: Deployment) -> list[LineageEdge]:
    """Return the edges from its versions to a deployment."""
    target = deployment_node(deployment).ref
    return [LineageEdge(version_ref(each), target) for each in deployed_versions(deployment)]


def deployed_versions(deployment: Deployment) -> list[VersionRef]:
    """Return the versions that a deployment is made of."""
    numbers = dict.fromkeys(map(_number_of, deployment.variants))
    return [VersionRef(deployment.model, number) for number in numbers if number is not None]


def _number_of(variant: DeployedVariant) -> int | None:
    """Return the version that a variant stands for: what serves, or else what is to serve."""
    served = variant.served or variant.candidate
    return served.version if served is not None else variant.variant.version
