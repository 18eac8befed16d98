"""Forecasts by steps after the end of a series, from results of statsmodels."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import (
    Column,
    ColumnType,
    ModelPackage,
    ModelVersion,
    Signature,
)
from gql_platform.serving.ports import ForecastOutput, Table
from gql_platform.serving.records import INTERVAL_LEVEL, NATIVE, Compilation, Range, Task

STEP = "step"
"""The column that says how many steps after the last of the series a row asks for, from 1 on."""

STEP_SIGNATURE = Signature(
    (Column(STEP, ColumnType.LONG, required=True),),
    (Column("value", ColumnType.DOUBLE, required=True),),
)
"""What such a model takes and gives, where its files do not say."""

HORIZONS = (1_000, 200, 50, 10, 1)
"""How many steps are forecast: the first of these that the model gets to.

The dates of a yearly series, for one, come to an end in 2262.
"""

SEED = 0

_NUMBERS = frozenset((ColumnType.INTEGER, ColumnType.LONG, ColumnType.FLOAT, ColumnType.DOUBLE))

_ALPHA = 1.0 - INTERVAL_LEVEL

Results: TypeAlias = Any
"""Fitted results of statsmodels, of whose many classes no two have the same methods."""

Floats: TypeAlias = npt.NDArray[np.float64]
Ends: TypeAlias = "tuple[Floats, Floats] | None"


class StepForecaster:
    """Look up forecasts by their step; a `Predictor`.

    What a fitted model expects does not depend on a request, so that all of it is computed once.

    Args:
        values: float64, shape (h,): what is expected 1 to h steps after the end of the series.
        ends: The lower and the upper ends of the intervals of 95 %, both float64 of shape (h,);
            None where the model has none.
    """

    def __init__(self, values: Floats, ends: Ends) -> None:
        self.labels: tuple[str, ...] = ()
        self._values = values
        self._ends = ends

    @property
    def task(self) -> Task:
        """It forecasts."""
        return Task.FORECASTING

    @property
    def takes_arrays(self) -> bool:
        """It reads its column by its name."""
        return False

    @property
    def compilation(self) -> Compilation:
        """It is not compiled."""
        return NATIVE

    @property
    def horizon(self) -> int:
        """How many steps it knows."""
        return len(self._values)

    @property
    def ranges(self) -> Mapping[str, Range]:
        """The steps that it knows."""
        meaning = "how many steps after the last of the series"
        return {STEP: Range(1, self.horizon, is_whole=True, meaning=meaning)}

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ForecastOutput:
        """Return the forecasts for n rows with the column ``step``.

        Raises:
            ValueError: If a step is no whole number from 1 to the horizon.
        """
        steps = rows[STEP].to_numpy() if isinstance(rows, pd.DataFrame) else rows[:, 0]
        places = steps.astype(np.int64) - 1
        if (places + 1 != steps).any() or places.min() < 0 or places.max() >= self.horizon:
            raise ValueError(f"a step is no whole number from 1 to {self.horizon}")
        if self._ends is None:
            return ForecastOutput(self._values[places], None, None)
        lower, upper = self._ends
        return ForecastOutput(self._values[places], lower[places], upper[places])


def is_step_model(model: object) -> bool:
    """Return whether a model is of statsmodels and forecasts."""
    is_known = type(model).__module__.partition(".")[0] == "statsmodels"
    return is_known and (hasattr(model, "forecast") or hasattr(model, "get_forecast"))


def step_forecaster(
    results: Results, version: ModelVersion, package: ModelPackage
) -> StepForecaster:
    """Return the forecaster over fitted results.

    Raises:
        UnsupportedModelError: If it takes other columns than ``step``, needs explanatory variables,
            or forecasts several series.
        ModelLoadError: If it fails to forecast.
    """
    name, number = version.model_name, version.version
    reason = _fault_of(results, package)
    if reason is not None:
        raise UnsupportedModelError(name=name, version=number, reason=reason)
    failure: Exception | None = None
    for horizon in HORIZONS:
        try:
            values, ends = forecast_of(results, horizon)
        except Exception as error:  # noqa: BLE001 - it may fail in any way on too many steps
            failure = error
            continue
        if values.shape != (horizon,):
            reason = f"it forecasts {values.shape} values for {horizon} steps; log one model each."
            raise UnsupportedModelError(name=name, version=number, reason=reason)
        return StepForecaster(values, ends)
    reason = f"it does not forecast: {type(failure).__name__}: {failure}"
    raise ModelLoadError(name=name, version=number, reason=reason) from failure


def forecast_of(results: Results, steps: int) -> tuple[Floats, Ends]:
    """Compute what fitted results expect.

    Args:
        results: Results of a model of one series.
        steps: How many steps.

    Returns:
        The values, float64 of shape (steps,), and the ends of their intervals of 95 %, which are
        those of the model: of the variance of its forecast, or simulated with a fixed seed where
        there is no formula. None where the model has no intervals.

    Raises:
        Exception: Whatever the model raises.
    """
    with warnings.catch_warnings():
        # It warns of an index without dates, and steps need none.
        warnings.simplefilter("ignore")
        if hasattr(results, "prediction_intervals"):
            intervals = results.prediction_intervals(steps, alpha=_ALPHA)
            return _floats(results.forecast(steps)), _ends(intervals)
        prediction = _prediction_of(results, steps)
        if prediction is None:
            return _floats(results.forecast(steps)), None
        interval_of = getattr(prediction, "pred_int", None) or prediction.conf_int
        return _floats(prediction.predicted_mean), _ends(interval_of(alpha=_ALPHA))


def _prediction_of(results: Results, steps: int) -> Any:
    """Return a prediction with an interval, or None from a model that has none."""
    if hasattr(results, "get_forecast"):
        return results.get_forecast(steps)
    predict: Callable[..., Any] | None = getattr(results, "get_prediction", None)
    if predict is None:
        return None
    first = len(results.model.endog)
    seed: dict[str, int] = {}
    if "simulate_kwargs" in inspect.signature(predict).parameters:
        known = inspect.signature(results.simulate).parameters
        seed = {name: SEED for name in ("rng", "random_state") if name in known}
    return predict(start=first, end=first + steps - 1, **seed)


def _fault_of(results: Results, package: ModelPackage) -> str | None:
    """Return why results cannot be served, as a clause, or None."""
    columns = package.signature.inputs if package.signature is not None else ()
    if [column.name for column in columns] != [STEP]:
        found = ", ".join(repr(column.name) for column in columns) or "none"
        return (
            f"a forecaster of statsmodels takes the one column {STEP!r}, and its signature has "
            f"{found}; log it without a signature, and that column is taken to be there."
        )
    others = [column.type.value for column in columns if column.type not in _NUMBERS]
    if others:
        return (
            f"its signature has {STEP!r} of type {others[0]}, which is no number; log it without "
            "a signature."
        )
    model: Any = getattr(results, "model", None)
    # ARIMA puts its trend among the explanatory variables, and counts those that it was given.
    given = getattr(model, "k_exog", int(getattr(model, "exog", None) is not None))
    if given:
        return "it needs explanatory variables of each step, and a row stands for one step alone."
    if getattr(model, "k_endog", 1) != 1 or getattr(results, "neqs", 1) != 1:
        return "it forecasts several series; log one model for each."
    return None


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _ends(intervals: npt.ArrayLike) -> tuple[Floats, Floats]:
    both = _floats(intervals)
    return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])
