"""What is wrong with a change of an experiment or a run."""

from dataclasses import dataclass

from gql_platform.errors.input import InvalidInputError, NotFoundError


@dataclass(eq=False)
class InvalidExperimentError(InvalidInputError):
    """The experiment {name!r} cannot be made: {problem}."""

    code = "INVALID_EXPERIMENT"
    name: str
    problem: str


@dataclass(eq=False)
class ExperimentExistsError(InvalidInputError):
    """There is an experiment {name!r} already, deleted ones included; use it, or take another
    name.
    """

    code = "EXPERIMENT_EXISTS"
    name: str


@dataclass(eq=False)
class ExperimentDeletedError(InvalidInputError):
    """The experiment {name!r} is deleted and takes no runs; restore it, or take another one."""

    code = "EXPERIMENT_DELETED"
    name: str


@dataclass(eq=False)
class InvalidRunError(InvalidInputError):
    """The run cannot be written like that: {problem}."""

    code = "INVALID_RUN"
    problem: str


@dataclass(eq=False)
class RunDeletedError(InvalidInputError):
    """The run {run_id!r} is deleted and cannot be written to; restore it first."""

    code = "RUN_DELETED"
    run_id: str


@dataclass(eq=False)
class RunFinishedError(InvalidInputError):
    """The run {run_id!r} is over, and its state stays {state}; make a new run."""

    code = "RUN_FINISHED"
    run_id: str
    state: str


@dataclass(eq=False)
class TooManyItemsError(InvalidInputError):
    """{count} params, metrics and tags are more than the {maximum} that are logged at once; log
    them in parts.
    """

    code = "TOO_MANY_ITEMS"
    count: int
    maximum: int


@dataclass(eq=False)
class ExperimentNotFoundError(NotFoundError):
    """There is no experiment {named!r}; `experiments` lists those that there are."""

    code = "EXPERIMENT_NOT_FOUND"
    named: str


@dataclass(eq=False)
class RunNotFoundError(NotFoundError):
    """There is no run {run_id!r}; `runs` lists those that there are."""

    code = "RUN_NOT_FOUND"
    run_id: str
