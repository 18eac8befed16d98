"""Lineage in the schema."""

from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import DeploymentType
from gql_platform.graphql.execution.limits.declarations import Cost, ListSize
from gql_platform.graphql.node import encode_id
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.registry import ModelVersionType, VersionNumber
from gql_platform.graphql.tracking import RunType
from gql_platform.graphql.type_of import edge, enum_of, type_of
from gql_platform.lineage.records import (
    Lineage,
    LineageDataset,
    LineageDirection,
    LineageEdge,
    LineageKind,
    LineageNode,
    LineageRef,
    LineageStart,
)
from gql_platform.lineage.service import DEFAULT_NODES, MAX_DEPTH, MAX_NODES
from gql_platform.tracking.records import DatasetRef

for _enum in (LineageDirection, LineageKind):
    enum_of(_enum)

TYPE_NAMES = {
    LineageKind.DATASET: "Dataset",
    LineageKind.RUN: "Run",
    LineageKind.MODEL_VERSION: "ModelVersion",
    LineageKind.DEPLOYMENT: "Deployment",
}
"""What is in the ids of nodes; but for data sets, they are those of the objects themselves."""


def id_of(ref: LineageRef) -> strawberry.ID:
    """Return the id of a node."""
    return encode_id(TYPE_NAMES[ref.kind], ref.key)


@strawberry.input(description="A data set by its natural key.")
class DatasetKey:
    """A data set by its natural key."""

    name: str = strawberry.field(description="The name of the data set.")
    digest: str = strawberry.field(description="The fingerprint of its content.")


@strawberry.input(one_of=True, description="What a lineage is asked about.")
class LineageOf:
    """What a lineage is asked about."""

    run_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="A run, by MLflow's id."
    )
    model_version: VersionNumber | None = strawberry.field(
        default=strawberry.UNSET, description="A version, by its number."
    )
    model: str | None = strawberry.field(
        default=strawberry.UNSET, description="The 100 newest versions of a model, by its name."
    )
    dataset: DatasetKey | None = strawberry.field(
        default=strawberry.UNSET, description="A data set, by its name and digest."
    )

    def start(self) -> LineageStart:
        """Return it as a record."""
        if self.run_id:
            return LineageStart(run_id=self.run_id)
        if self.dataset:
            return LineageStart(dataset=DatasetRef(self.dataset.name, self.dataset.digest))
        if self.model_version:
            return LineageStart(model=self.model_version.model, version=self.model_version.version)
        return LineageStart(model=self.model or None)


@type_of(LineageDataset)
class LineageDatasetType:
    """A data set."""

    name: strawberry.auto
    digest: strawberry.auto
    source_type: strawberry.auto
    source: strawberry.auto


@type_of(
    LineageNode,
    description="Something that came from something, or of which something came: `kind` tells "
    "which of the fields beside it is set.",
)
class LineageNodeType:
    """A node."""

    label: strawberry.auto
    dataset: strawberry.auto
    run: RunType | None
    model_version: ModelVersionType | None
    deployment: DeploymentType | None

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[LineageNode]) -> strawberry.ID:
        """What `source` and `target` of edges name; of all but data sets, also the global id."""
        return id_of(parent.ref)

    @edge()
    @staticmethod
    def kind(parent: strawberry.Parent[LineageNode]) -> LineageKind:
        """What it stands for."""
        return parent.kind


@type_of(LineageEdge, description="A step from what something came from to what came of it.")
class LineageEdgeType:
    """A step."""

    context: strawberry.auto

    @edge()
    @staticmethod
    def source(parent: strawberry.Parent[LineageEdge]) -> strawberry.ID:
        """The `id` of the node that it came from."""
        return id_of(parent.source)

    @edge()
    @staticmethod
    def target(parent: strawberry.Parent[LineageEdge]) -> strawberry.ID:
        """The `id` of the node that came of it."""
        return id_of(parent.target)


@type_of(Lineage)
class LineageType:
    """A lineage."""

    nodes: strawberry.auto
    edges: strawberry.auto
    truncated: strawberry.auto


@strawberry.type
class LineageQuery:
    """The root field of lineage."""

    @root_field(
        Permission.RUN_READ,
        also=[Permission.MODEL_READ],
        graphql_type=LineageType | None,
        directives=[
            Cost(weight=20),
            ListSize(slicing_arguments=["maxNodes"], sized_fields=["nodes", "edges"]),
        ],
    )
    @staticmethod
    async def lineage(
        info: Info,
        of: Annotated[LineageOf, strawberry.argument(description="What it is asked about.")],
        direction: Annotated[
            LineageDirection, strawberry.argument(description="Which way it is followed.")
        ] = LineageDirection.BOTH,
        depth: Annotated[
            int, strawberry.argument(description=f"How many steps, from 1 to {MAX_DEPTH}.")
        ] = MAX_DEPTH,
        max_nodes: Annotated[
            int, strawberry.argument(description=f"How many nodes, from 1 to {MAX_NODES}.")
        ] = DEFAULT_NODES,
    ) -> Lineage | None:
        """What something came from and what came of it; null when there is no such thing.

        The steps are: data set, run, version of a model, deployment on this server.
        """
        return await info.context.services.lineage.lineage(
            of.start(), direction, depth=depth, max_nodes=max_nodes
        )
