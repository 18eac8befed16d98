"""What a program says, as records know it."""

import getpass
from typing import SupportsFloat

from gql_platform.errors import InvalidRunError, UnknownStageError
from gql_platform.registry.records import Stage


def stage_of(stage: str | Stage) -> Stage:
    """Return a stage by its name, however it is capitalised.

    Raises:
        UnknownStageError: If there is none of that name.
    """
    if isinstance(stage, Stage):
        return stage
    found = Stage.__members__.get(str(stage).upper())
    if found is None:
        raise UnknownStageError(stage=stage, stages=[each.name.capitalize() for each in Stage])
    return found


def number_of(key: object, value: SupportsFloat) -> float:
    """Return the value of a metric, of whatever kind of number it is.

    Raises:
        InvalidRunError: If it is none.
    """
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        problem = f"metric {str(key)!r}: {str(value)[:100]!r} is no number of 64 bits"
        raise InvalidRunError(problem=problem) from error


def user_name() -> str:
    """Return who runs the program; a container may have a user without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
