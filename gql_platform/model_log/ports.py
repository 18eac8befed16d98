"""What logging from a program needs of a store, beside what other features need."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from gql_platform.model_log.records import LoggedModel, TrainedModel
from gql_platform.registry.records import ModelPackage, VersionRef


class ModelLog(Protocol):
    """Write and read the files of runs and models, in the process that trains.

    Each method blocks, and raises `gql_platform.errors.RegistryUnavailableError` when the store
    does not answer.
    """

    def log_model(self, run_id: str, trained: TrainedModel) -> LoggedModel:
        """Log a model to a run.

        Raises:
            gql_platform.errors.UnknownFlavourError: If it is of no kind that is logged.
            gql_platform.errors.ModelNotLoggedError: If it does not predict its own example, or
                cannot be written.
        """
        ...

    def log_file(self, run_id: str, path: Path, folder: str | None) -> None:
        """Log a file, or a folder with all that is in it.

        Args:
            run_id: The run.
            path: Which; it is there.
            folder: The run's folder to put it into; None for that of all of its files.
        """
        ...

    def load(self, ref: VersionRef, package: ModelPackage | None) -> Any:
        """Return the fitted model of a version, or what predicts with it.

        Args:
            ref: The version.
            package: What its files say; None where they cannot be read.

        Raises:
            gql_platform.errors.ModelLoadError: If its files do not load.
        """
        ...

    def autologging(self, run_id: str, flavours: Sequence[str]) -> AbstractContextManager[None]:
        """Log params and metrics of each training in a block to a run.

        Args:
            run_id: The run.
            flavours: The kinds of models, of those that `installed` says are there.
        """
        ...

    def installed(self, package: str) -> bool:
        """Return whether a package of Python is there."""
        ...
