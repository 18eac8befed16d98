"""What is wrong with a file of a run that somebody wants."""

from dataclasses import dataclass

from gql_platform.errors.input import InvalidInputError, NotFoundError


@dataclass(eq=False)
class InvalidArtifactPathError(InvalidInputError):
    """The path {path!r} names no file of a run: {problem}; pass a `path` as a query returned it,
    such as `model/MLmodel`.
    """

    code = "INVALID_ARTIFACT_PATH"
    path: str
    problem: str


@dataclass(eq=False)
class ArtifactNotFoundError(NotFoundError):
    """The run {run_id!r} has no file {path!r}, or no longer; its `artifacts` list what it has."""

    code = "ARTIFACT_NOT_FOUND"
    run_id: str
    path: str
