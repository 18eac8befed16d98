"""Predictors over MLflow's common interface, for all flavours but scikit-learn."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gql_platform.adapters.estimators.example import example_frame
from gql_platform.adapters.mlflow.outage import described
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import ColumnType, ModelPackage, ModelVersion
from gql_platform.serving.ports import Table, ValueOutput
from gql_platform.serving.records import NATIVE, Compilation, Task

if TYPE_CHECKING:
    # Its import takes long, and a server of scikit-learn's models alone never needs it.
    from mlflow.pyfunc import PyFuncModel

_NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.LONG, ColumnType.FLOAT, ColumnType.DOUBLE})


class PyfuncPredictor:
    """Predict numbers with a model of any flavour; a `Predictor`.

    MLflow's interface does not say which labels a classifier knows, so only numbers are served.

    Args:
        model: The loaded model.
    """

    def __init__(self, model: "PyFuncModel") -> None:
        self._model = model
        self.labels: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """It predicts numbers."""
        return Task.REGRESSION

    @property
    def takes_arrays(self) -> bool:
        """MLflow's interface looks for the columns by their names."""
        return False

    @property
    def compilation(self) -> Compilation:
        """It is not compiled."""
        return NATIVE

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ValueOutput:
        """Compute the values of n rows.

        Raises:
            TypeError: If the model answers with anything but one number for each row.
        """
        return ValueOutput(numbers_of(self._model.predict(rows)))


def pyfunc_predictor(
    model: "PyFuncModel", version: ModelVersion, package: ModelPackage
) -> PyfuncPredictor:
    """Return the predictor over a loaded model.

    Whether it answers with numbers is seen on its input example; without one, its signature
    must say so.

    Raises:
        UnsupportedModelError: If it does not.
        ModelLoadError: If it fails on its input example.
    """
    name, number = version.model_name, version.version
    predictor = PyfuncPredictor(model)
    frame = example_frame(package)
    if frame is None:
        if not _promises_numbers(package):
            reason = (
                f"a model of flavour {package.flavour!r} must answer with numbers, and neither an "
                "input example nor its signature shows that it does; log it with an input_example."
            )
            raise UnsupportedModelError(name=name, version=number, reason=reason)
        return predictor
    try:
        answer = model.predict(frame)
    except Exception as error:
        reason = f"it fails on its own input example: {described(error)}"
        raise ModelLoadError(name=name, version=number, reason=reason) from error
    try:
        numbers_of(answer)
    except TypeError as error:
        reason = f"a model of flavour {package.flavour!r} must answer with numbers, but {error}."
        raise UnsupportedModelError(name=name, version=number, reason=reason) from error
    return predictor


def numbers_of(answer: object) -> npt.NDArray[np.float64]:
    """Return a model's answer as one number for each row.

    Args:
        answer: An array or list of shape (n,) or (n, 1), a series, or a table of one column.

    Returns:
        float64, shape (n,).

    Raises:
        TypeError: If it is none of these, or does not hold numbers.
    """
    values = np.asarray(answer)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        shape = " x ".join(map(str, values.shape)) or "a single value"
        raise TypeError(f"it answers with {type(answer).__name__} of {shape}")
    if values.dtype.kind not in "iuf":
        raise TypeError(f"it answers with values of type {values.dtype}")
    return values.astype(np.float64)


def _promises_numbers(package: ModelPackage) -> bool:
    outputs = package.signature.outputs if package.signature is not None else ()
    return len(outputs) == 1 and outputs[0].type in _NUMERIC
