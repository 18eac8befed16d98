"""Forecasts by dates, from models of Prophet."""

import datetime as dt
import threading
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from gql_platform.errors import UnsupportedModelError
from gql_platform.registry.records import (
    Column,
    ColumnType,
    ModelPackage,
    ModelVersion,
    Signature,
)
from gql_platform.serving.ports import ForecastOutput, Table
from gql_platform.serving.records import INTERVAL_LEVEL, NATIVE, Compilation, Range, Task

DATE = "ds"
"""The column with the date that a row asks for, under Prophet's own name."""

DATE_SIGNATURE = Signature(
    (Column(DATE, ColumnType.DATETIME, required=True),),
    (Column("value", ColumnType.DOUBLE, required=True),),
)
"""What such a model takes and gives, where its files do not say."""

LENGTHS = 10
"""How many lengths of its training data a model forecasts, before their beginning and after their
end.

Prophet draws changes of the trend for all of the time in between, and its work grows with these
and the rows: for a thousand rows 2 s at ten lengths, and 100 s at seven hundred.
"""

LONGEST = dt.timedelta(days=250 * 365)
"""How far from the beginning of its training data a date may be at most; Prophet counts in
nanoseconds, of which 64 bits hold 292 years.
"""

SEED = 0

_FIRST, _LAST = dt.datetime(1678, 1, 1), dt.datetime(2262, 1, 1)  # noqa: DTZ001 - UTC, as all
"""The whole years that a count of nanoseconds since 1970 holds."""

_SAMPLING = threading.Lock()
"""Prophet draws from numpy's one generator, which everybody shares."""

ProphetModel: TypeAlias = Any
"""A fitted ``prophet.Prophet``; the package is there only where somebody installed it."""


class DateForecaster:
    """Forecast with a model of Prophet; a `Predictor`.

    Its intervals are drawn, with a seed that is the same for each call, so that the same rows have
    the same answer. Times are UTC.

    Args:
        model: The fitted model, which belongs to the forecaster.
    """

    def __init__(self, model: ProphetModel) -> None:
        model.interval_width = INTERVAL_LEVEL
        self.labels: tuple[str, ...] = ()
        self._model = model
        self._columns = [DATE, *needed_columns(model)]
        self._columns += ["floor"] if model.logistic_floor else []

    @property
    def task(self) -> Task:
        """It forecasts."""
        return Task.FORECASTING

    @property
    def takes_arrays(self) -> bool:
        """It reads its columns by their names."""
        return False

    @property
    def ranges(self) -> Mapping[str, Range]:
        """The dates that it forecasts."""
        start = self._model.start.floor("us").to_pydatetime()
        length = self._model.t_scale.to_pytimedelta()
        first = max(start - min(LENGTHS * length, LONGEST), _FIRST)
        last = min(start + min((1 + LENGTHS) * length, LONGEST), _LAST)
        meaning = f"up to {LENGTHS} lengths of the training data away from them"
        return {DATE: Range(first, last, is_whole=False, meaning=meaning)}

    @property
    def compilation(self) -> Compilation:
        """It is not compiled."""
        return NATIVE

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ForecastOutput:
        """Compute the forecasts for n rows with a date each.

        Raises:
            ValueError: If a date or a value is missing.
            TypeError: If the rows are no table.
        """
        if not isinstance(rows, pd.DataFrame):
            raise TypeError("a model of Prophet reads tables")
        given = rows[self._columns]
        # Prophet answers in the order of the dates, and mixes those up that are equal.
        in_order, inverse = _in_order(given)
        with _SAMPLING:
            state = np.random.get_state()  # noqa: NPY002 - Prophet knows no other generator
            np.random.seed(SEED)  # noqa: NPY002
            try:
                # The quick way of drawing goes by the distance between the rows of a request, and
                # they may be any dates.
                found = self._model.predict(in_order, vectorized=False)
            finally:
                np.random.set_state(state)  # noqa: NPY002

        def answers(name: str) -> npt.NDArray[np.float64]:
            answer: npt.NDArray[np.float64] = found[name].to_numpy(dtype=np.float64)[inverse]
            return answer

        if "yhat_lower" not in found:
            return ForecastOutput(answers("yhat"), None, None)
        return ForecastOutput(answers("yhat"), answers("yhat_lower"), answers("yhat_upper"))


def is_date_model(model: object) -> bool:
    """Return whether a model is one of Prophet."""
    return type(model).__module__.partition(".")[0] == "prophet"


def date_forecaster(
    model: ProphetModel, version: ModelVersion, package: ModelPackage
) -> DateForecaster:
    """Return the forecaster over a fitted model.

    Raises:
        UnsupportedModelError: If its signature lacks columns that it needs.
    """
    columns = package.signature.inputs if package.signature is not None else ()
    signed = {column.name for column in columns}
    missing = [name for name in [DATE, *needed_columns(model)] if name not in signed]
    reason = None
    if missing:
        reason = f"its signature lacks the columns {missing}, which it needs; log them with it."
    elif next(each for each in columns if each.name == DATE).type is not ColumnType.DATETIME:
        reason = f"its signature has {DATE!r} of another type than datetime; log it as such."
    if reason is not None:
        raise UnsupportedModelError(name=version.model_name, version=version.version, reason=reason)
    return DateForecaster(model)


def needed_columns(model: ProphetModel) -> list[str]:
    """Return the columns that a fitted model needs of a row beside its date."""
    conditions = [
        seasonality["condition_name"]
        for seasonality in model.seasonalities.values()
        if seasonality["condition_name"] is not None
    ]
    capacity = ["cap"] if model.growth == "logistic" else []
    return list(dict.fromkeys([*capacity, *model.extra_regressors, *conditions]))


def _in_order(rows: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return rows in the order of their dates, and where each of the given ones went."""
    order = np.argsort(rows[DATE].to_numpy(), kind="stable")
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.arange(len(order))
    return rows.iloc[order].reset_index(drop=True), inverse
