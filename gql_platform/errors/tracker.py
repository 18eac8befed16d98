"""What a program that tracks its runs does wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_platform.errors.tree import PlatformError


class TrackerError(PlatformError):
    """The tracker cannot do that."""

    code = "TRACKER_FAILED"


class NoActiveRunError(TrackerError):
    """No run is active; call that inside of `with tracker.start_run():`."""

    code = "NO_ACTIVE_RUN"


@dataclass(eq=False)
class RunActiveError(TrackerError):
    """The run {run_id!r} of this tracker is still active; leave its `with` block first, or make
    another tracker.
    """

    code = "RUN_ACTIVE"
    run_id: str


@dataclass(eq=False)
class UnknownStageError(TrackerError):
    """There is no stage {stage!r}; pass one of {stages}."""

    code = "UNKNOWN_STAGE"
    stage: str
    stages: Sequence[str]


@dataclass(eq=False)
class UnknownFlavourError(TrackerError):
    """There is no way to log {named}; what can be logged are models of {flavours}."""

    code = "UNKNOWN_FLAVOUR"
    named: str
    flavours: Sequence[str]


@dataclass(eq=False)
class FlavourNotInstalledError(TrackerError):
    """The package {package!r} is not installed here; `pip install {package}` beside gql-platform,
    or leave the flavour out.
    """

    code = "FLAVOUR_NOT_INSTALLED"
    package: str


@dataclass(eq=False)
class ModelNotLoggedError(TrackerError):
    """The model {name!r} cannot be logged: {problem}."""

    code = "MODEL_NOT_LOGGED"
    name: str
    problem: str
