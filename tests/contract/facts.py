"""What every store of the contract suites holds, said once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gql_platform.registry.records import Column, ColumnType, ModelPackage, Signature
from gql_platform.tracking.records import LoggedDataset, RunState


@dataclass(frozen=True)
class VersionFacts:
    """A version to register; its number follows from its place."""

    aliases: tuple[str, ...] = ()
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    run: str | None = None
    has_files: bool = True


@dataclass(frozen=True)
class ModelFacts:
    """A model to register."""

    name: str
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[VersionFacts, ...] = ()


@dataclass(frozen=True)
class RunFacts:
    """A run to track."""

    name: str
    state: RunState = RunState.FINISHED
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    histories: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    """Values with their steps, in the order in which they are logged."""
    experiment: str = "Default"
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[LoggedDataset] = ()
    is_deleted: bool = False


RUNS = (
    RunFacts(
        "first try",
        params={"depth": "3", "C": "1.0"},
        metrics={"log_loss": 0.25, "accuracy": 0.875},
    ),
    RunFacts("at work", state=RunState.RUNNING),
    RunFacts("broken", state=RunState.FAILED, metrics={"loss": float("nan")}),
    RunFacts(
        "long",
        histories={
            "loss": ((0, 4.0), (1, 2.0), (1, 2.5), (1, 2.25), (5, 0.5), (3, 1.0), (-1, 8.0)),
            "astray": ((0, 1.0), (1, float("nan")), (2, float("inf")), (3, float("-inf"))),
            "val/f1 score: é": ((2**62, 0.1),),
        },
    ),
)

WINE = LoggedDataset("wine", "abc123", "local", '{"uri": "wine.csv"}', "training")
APPLES = LoggedDataset("apples", "def456", "code", "{}", None)

SEARCHED = (
    RunFacts("Alpha 50%", experiment="search", params={"depth": "3"}, metrics={"auc_score": 0.5}),
    RunFacts("beta_x", experiment="search", params={"depth": "4"}, metrics={"auc_score": 0.9}),
    RunFacts(
        "gamma", experiment="search", state=RunState.FAILED, metrics={"auc_score": float("nan")}
    ),
    RunFacts("delta", experiment="search", tags={"team": "o'clock"}),
    RunFacts("epsilon", experiment="search", metrics={"auc_score": float("inf")}),
    RunFacts(
        "zeta", experiment="search", metrics={"auc_score": float("-inf"), "val/a b: c.d": 1.0}
    ),
    RunFacts(
        "eta",
        experiment="search",
        params={"depth": "3"},
        metrics={"auc_score": 0.5},
        tags={"team": "orchard", "empty": ""},
        datasets=(WINE, APPLES),
    ),
    RunFacts(
        "gone",
        experiment="search",
        metrics={"auc_score": 0.7},
        datasets=(WINE,),
        is_deleted=True,
    ),
)
"""Runs to be searched, in the order in which they started; those of `RUNS` started before them."""

EXPERIMENTS = {"Default": False, "search": False, "über": False, "Zoo": False, "dropped": True}
"""Experiments in the order in which they are made, and whether they are deleted."""

MODELS = (
    ModelFacts("zebra", versions=(VersionFacts(has_files=False),)),
    ModelFacts(
        "apple",
        description="Which apple is it?",
        tags={"team": "orchard", "area": "north"},
        versions=(
            VersionFacts(aliases=("champion", "best"), run="first try"),
            VersionFacts(description="More trees.", tags={"checked": "yes"}),
            VersionFacts(aliases=("challenger",), run="broken"),
        ),
    ),
    ModelFacts("empty"),
    ModelFacts("Zebra", versions=(VersionFacts(),)),
    ModelFacts("o'clock", versions=(VersionFacts(),)),
    ModelFacts("über 9%_", versions=(VersionFacts(),)),
)

NAMES = ("Zebra", "apple", "empty", "o'clock", "zebra", "über 9%_")
"""All names by code point: capitals come before small letters, and letters with marks last."""

PACKAGE = ModelPackage(
    flavour="sklearn",
    signature=Signature(
        inputs=(
            Column("weight (g)", ColumnType.DOUBLE, required=True),
            Column("is red", ColumnType.BOOLEAN, required=True),
        ),
        outputs=(Column("kind", ColumnType.STRING, required=True),),
    ),
    size_bytes=None,
    input_example=(
        {"weight (g)": 150.5, "is red": True},
        {"weight (g)": 80.0, "is red": False},
    ),
)
"""What the files of each version say that has any; their size is the store's to know."""
