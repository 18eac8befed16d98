"""What serving needs of the world outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.records import Compilation, Range, Task

Table: TypeAlias = pd.DataFrame | npt.NDArray[np.float64]
"""Rows as a model reads them."""


@dataclass(frozen=True, slots=True)
class ClassOutput:
    """What a classifier computes for n rows and k labels.

    Attributes:
        chosen: int64, shape (n,): the index of each row's label in the model's labels.
        probabilities: float64, shape (n, k), from 0 to 1; None where the model has none.
    """

    chosen: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class ValueOutput:
    """What a regressor computes for n rows.

    Attributes:
        values: float64, shape (n,).
    """

    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ForecastOutput:
    """What a forecaster computes for n rows.

    Attributes:
        values: float64, shape (n,).
        lower: float64, shape (n,): the lower ends of the intervals of 95 %; None where the model
            has none.
        upper: float64, shape (n,): their upper ends; None exactly where there are no lower ones.
    """

    values: npt.NDArray[np.float64]
    lower: npt.NDArray[np.float64] | None
    upper: npt.NDArray[np.float64] | None


Output: TypeAlias = ClassOutput | ValueOutput | ForecastOutput
"""What a model computes."""


class Predictor(Protocol):
    """A loaded version of a model."""

    @property
    def task(self) -> Task:
        """What it predicts."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """A classifier's k labels in the order of its outputs; empty for any other model."""
        ...

    @property
    def takes_arrays(self) -> bool:
        """Whether it reads arrays in place of tables, where all columns are doubles."""
        ...

    @property
    def compilation(self) -> Compilation:
        """How it was compiled, and how that was verified."""
        ...

    def predict(self, rows: Table) -> Output:
        """Compute the outputs for rows that fit the signature.

        It blocks, is called from several threads at once, and may raise whatever the model
        raises.

        Args:
            rows: n rows with the signature's k input columns, in its order and of its types: a
                table, or float64 of shape (n, k) if it takes arrays.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds beside memory, such as a process; nobody predicts any more."""
        ...


@runtime_checkable
class RangedPredictor(Predictor, Protocol):
    """A predictor that answers some of the values only that its columns hold; it reads tables."""

    @property
    def ranges(self) -> Mapping[str, Range]:
        """The values that it answers, by column; rows with others are refused before it."""
        ...


def ranges_of(predictor: Predictor) -> Mapping[str, Range]:
    """Return the ranges of a predictor's columns; none for most models."""
    return predictor.ranges if isinstance(predictor, RangedPredictor) else {}


class ModelLoader(Protocol):
    """Load versions of models."""

    async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        """Load the files of a version into memory, away from the event loop.

        Raises:
            gql_platform.errors.UnsupportedModelError: If it is no model that can be served.
            gql_platform.errors.ModelLoadError: If its files do not load.
            gql_platform.errors.RegistryUnavailableError: If the files cannot be reached.
        """
        ...

    async def compiled(
        self, version: ModelVersion, package: ModelPackage, predictor: Predictor
    ) -> Predictor:
        """Return the quickest predictor that was verified to answer as a loaded one does.

        It may take seconds, in a process of its own, and never raises for what a model does:
        where no quicker engine answers alike, the loaded predictor comes back with a compilation
        that says so.

        Args:
            version: The version.
            package: What its files say.
            predictor: What `load` returned for it.
        """
        ...


class Isolation(Protocol):
    """Let predictors compute in processes of their own."""

    async def isolated(self, version: ModelVersion, predictor: Predictor) -> Predictor:
        """Return a predictor that computes as another one does, in a process that it owns.

        The process is started anew when it dies; a call that was in it is tried once more. Calls
        block without holding the interpreter's lock. What it raises for a process that dies again
        is `gql_platform.errors.PredictionError`.

        Raises:
            gql_platform.errors.ModelLoadError: If it cannot be handed to another process.
        """
        ...


class ServingObserver(Protocol):
    """Learn of models and predictions, to count them."""

    def model_settled(self, model: str, *, version: int, is_up: bool) -> None:
        """Take note that a version of a model was loaded, or could not be."""
        ...

    def model_retired(self, model: str, *, version: int) -> None:
        """Take note that a version of a model is not loaded any more."""
        ...

    def prediction_started(self, model: str) -> None:
        """Take note that a prediction of a served model was asked for."""
        ...

    def prediction_finished(
        self, model: str, *, rows: int, seconds: float, error_code: str | None
    ) -> None:
        """Take note that it ended.

        Args:
            model: The name of the model.
            rows: The number of rows asked for.
            seconds: The time from asking to the end.
            error_code: The code of the error that ended it, or None when it was answered.
        """
        ...
