"""Small models that really compute, and a loader that hands them out."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.errors import ModelLoadError
from gql_platform.registry.records import ModelPackage, ModelVersion, VersionRef
from gql_platform.serving.ports import ClassOutput, Predictor, Table, ValueOutput
from gql_platform.serving.records import NATIVE, Compilation, Task


class InMemoryLoader:
    """Hand out predictors that were given before; a `ModelLoader`.

    Args:
        predictors: The predictor of each version that loads, or the error that loading it
            raises. A version that is not among them raises `ModelLoadError`.
    """

    def __init__(self, predictors: Mapping[VersionRef, Predictor | Exception]) -> None:
        self._predictors = dict(predictors)

    async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        """Return the predictor of a version."""
        del package
        found = self._predictors.get(version.ref)
        if found is None:
            raise ModelLoadError(
                name=version.model_name, version=version.version, reason="it has no predictor."
            )
        if isinstance(found, Exception):
            raise found
        return found

    async def compiled(
        self, version: ModelVersion, package: ModelPackage, predictor: Predictor
    ) -> Predictor:
        """Return the predictor as it is."""
        del version, package
        return predictor


class LinearClassifier:
    """Multinomial logistic regression with weights that are given; a `Predictor`.

    For a row x, the probability of label j is ``exp(s_j) / sum_i exp(s_i)``, the softmax of the
    scores ``s = W x + b`` (Bishop, "Pattern Recognition and Machine Learning", 2006, section
    4.3.4).

    Args:
        labels: The k labels.
        weights: The matrix W, shape (k, columns).
        intercepts: The vector b, shape (k,); zeros when left out.
    """

    def __init__(
        self,
        labels: Sequence[str],
        weights: npt.ArrayLike,
        intercepts: npt.ArrayLike | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self._weights = np.asarray(weights, dtype=np.float64)
        given = np.zeros(len(self.labels)) if intercepts is None else intercepts
        self._intercepts = np.asarray(given, dtype=np.float64)

    @property
    def task(self) -> Task:
        """It predicts labels."""
        return Task.CLASSIFICATION

    @property
    def takes_arrays(self) -> bool:
        """It reads tables, whose columns may be of any numeric type."""
        return False

    @property
    def compilation(self) -> Compilation:
        """It is not compiled."""
        return NATIVE

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ClassOutput:
        """Compute label and probabilities of n rows with numeric or boolean columns."""
        scores = _numbers_of(rows) @ self._weights.T + self._intercepts
        # The softmax does not change when a number is taken off all scores, and the largest
        # score as that number keeps the exponential from overflowing.
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        return ClassOutput(probabilities.argmax(axis=1), probabilities)


class LinearRegressor:
    """A linear function with weights that are given; a `Predictor`.

    Args:
        weights: The vector w, shape (columns,).
        intercept: The number b in ``w x + b``.
    """

    def __init__(self, weights: npt.ArrayLike, intercept: float = 0.0) -> None:
        self.labels: tuple[str, ...] = ()
        self._weights = np.asarray(weights, dtype=np.float64)
        self._intercept = intercept

    @property
    def task(self) -> Task:
        """It predicts numbers."""
        return Task.REGRESSION

    @property
    def takes_arrays(self) -> bool:
        """It reads tables, whose columns may be of any numeric type."""
        return False

    @property
    def compilation(self) -> Compilation:
        """It is not compiled."""
        return NATIVE

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ValueOutput:
        """Compute the value of n rows with numeric or boolean columns."""
        return ValueOutput(_numbers_of(rows) @ self._weights + self._intercept)


def _numbers_of(rows: Table) -> npt.NDArray[np.float64]:
    return rows.to_numpy(dtype=np.float64) if isinstance(rows, pd.DataFrame) else rows
