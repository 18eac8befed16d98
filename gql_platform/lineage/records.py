"""Lineage as a graph."""

from dataclasses import dataclass
from typing import Annotated

from gql_platform.deployments.records import Deployment
from gql_platform.doc import DescribedEnum, Doc
from gql_platform.registry.records import ModelVersion
from gql_platform.tracking.records import DatasetRef, Run


class LineageKind(DescribedEnum):
    """What a node of a lineage stands for."""

    DATASET = "DATASET", "A data set, by its name and digest."
    RUN = "RUN", "A run, for which data sets were logged."
    MODEL_VERSION = "MODEL_VERSION", "A version of a model, which a run trained."
    DEPLOYMENT = "DEPLOYMENT", "What serves under a model's name, made of versions."


class LineageDirection(DescribedEnum):
    """Which way a lineage is followed."""

    UPSTREAM = "UPSTREAM", "To what it came from."
    DOWNSTREAM = "DOWNSTREAM", "To what came from it."
    BOTH = "BOTH", "Both ways from where it begins; not from there back again to what lies beside."

    @property
    def is_upstream(self) -> bool:
        """Whether it leads to what it came from."""
        return self is not LineageDirection.DOWNSTREAM

    @property
    def is_downstream(self) -> bool:
        """Whether it leads to what came from it."""
        return self is not LineageDirection.UPSTREAM


@dataclass(frozen=True, slots=True)
class LineageRef:
    """What tells a node from all others.

    Attributes:
        kind: What it stands for.
        key: Which one of these.
    """

    kind: LineageKind
    key: str


@dataclass(frozen=True, slots=True)
class LineageDataset:
    """A data set, whichever runs it was logged with."""

    name: Annotated[str, Doc("The name of the data set.")]
    digest: Annotated[str, Doc("A fingerprint of its content.")]
    source_type: Annotated[str, Doc("The kind of its source, such as `local` or `s3`.")]
    source: Annotated[str, Doc("Where it came from, as MLflow describes it; often JSON.")]

    @property
    def ref(self) -> DatasetRef:
        """The natural key."""
        return DatasetRef(self.name, self.digest)


@dataclass(frozen=True, slots=True)
class LineageNode:
    """Something that came from something, or of which something came; one of its fields is set.

    Attributes:
        ref: What tells it from all others.
    """

    ref: LineageRef
    label: Annotated[str, Doc("What to call it in a drawing.")]
    dataset: Annotated[LineageDataset | None, Doc("The data set, if it is one.")] = None
    run: Annotated[Run | None, Doc("The run, if it is one.")] = None
    model_version: Annotated[ModelVersion | None, Doc("The version, if it is one.")] = None
    deployment: Annotated[Deployment | None, Doc("The deployment, if it is one.")] = None

    @property
    def kind(self) -> LineageKind:
        """What it stands for."""
        return self.ref.kind


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """A step from what something came from to what came of it.

    Attributes:
        source: What it came from.
        target: What came of it.
    """

    source: LineageRef
    target: LineageRef
    context: Annotated[
        str | None, Doc("What a run used the data set for, such as `training`; else null.")
    ] = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """What something came from, and what came of it."""

    nodes: Annotated[
        tuple[LineageNode, ...], Doc("What is in it: first what was asked about, then by steps.")
    ]
    edges: Annotated[tuple[LineageEdge, ...], Doc("What came from what; both ends are in `nodes`.")]
    truncated: Annotated[bool, Doc("Whether there is more than one lineage holds.")]


@dataclass(frozen=True, slots=True)
class LineageStart:
    """What a lineage is asked about; one of these is given.

    Attributes:
        run_id: MLflow's id of a run.
        model: The name of a model, of which all versions are meant, or the one of `version`.
        version: The number of a version.
        dataset: A data set.
    """

    run_id: str | None = None
    model: str | None = None
    version: int | None = None
    dataset: DatasetRef | None = None
