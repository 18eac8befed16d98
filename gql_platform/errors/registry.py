"""What is wrong with a change of a registered model or of a version of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_platform.errors.input import InvalidInputError, NotFoundError


@dataclass(eq=False)
class InvalidModelError(InvalidInputError):
    """The model {name!r} cannot be written like that: {problem}."""

    code = "INVALID_MODEL"
    name: str
    problem: str


@dataclass(eq=False)
class InvalidNoteError(InvalidInputError):
    """A note has at most {maximum} characters, none of which is a NUL; this one is another text."""

    code = "INVALID_NOTE"
    maximum: int


@dataclass(eq=False)
class ModelVersionInUseError(InvalidInputError):
    """Version {version} of {model!r} serves, as the variants {variants}; let another version take
    over first.
    """

    code = "MODEL_VERSION_IN_USE"
    model: str
    version: int
    variants: Sequence[str]


@dataclass(eq=False)
class ModelFilesNotFoundError(NotFoundError):
    """The run {run_id!r} has no model at {artifact_path!r}, where a file `MLmodel` would be; log
    the model first, or name the path that it was logged under.
    """

    code = "MODEL_FILES_NOT_FOUND"
    run_id: str
    artifact_path: str
