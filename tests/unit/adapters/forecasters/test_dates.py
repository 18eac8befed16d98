"""Models of Prophet forecast dates in any order; the package is tried where it is installed."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gql_platform.adapters.forecasters.dates import (
    DATE_SIGNATURE,
    DateForecaster,
    date_forecaster,
    is_date_model,
)
from gql_platform.errors import UnsupportedModelError
from gql_platform.registry.records import Column, ColumnType, ModelPackage, Signature
from gql_platform.serving.ports import ForecastOutput
from gql_platform.serving.records import Range, Task
from tests.unit.adapters.mlflow.versions import version_of

prophet = pytest.importorskip("prophet", reason="Prophet is not installed: `forecast` has it")

DAYS = pd.DataFrame({"ds": pd.date_range("2025-01-01", periods=120), "y": np.arange(120.0) % 7})
ASKED = pd.DataFrame({"ds": pd.to_datetime(["2025-05-20", "2025-05-03", "2025-05-20"])})
PACKAGE = ModelPackage("prophet", DATE_SIGNATURE, None)


@pytest.fixture(scope="module")
def model() -> Any:
    """A model of 120 days."""
    return prophet.Prophet().fit(DAYS)


def test_values(model: Any) -> None:
    """Values stand in the order of the rows, and are those of the model."""
    expected = model.predict(ASKED.iloc[[1, 0]])["yhat"].to_numpy()
    predictor = date_forecaster(model, version_of("days"), PACKAGE)
    output = predictor.predict(ASKED)
    assert is_date_model(model)
    assert predictor.task is Task.FORECASTING
    np.testing.assert_allclose(output.values, expected[[1, 0, 1]])


def test_intervals(model: Any) -> None:
    """Intervals are of 95 %, the same on each call, and leave numpy's generator as it was."""
    predictor = date_forecaster(model, version_of("days"), PACKAGE)
    np.random.seed(3)  # noqa: NPY002 - that is the generator in question
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    first, second = predictor.predict(ASKED), predictor.predict(ASKED)
    assert np.random.random() == expected  # noqa: NPY002
    assert model.interval_width == 0.95
    assert isinstance(first, ForecastOutput)
    assert first.lower is not None
    assert first.upper is not None
    assert (first.lower < first.values).all()
    assert (first.values < first.upper).all()
    np.testing.assert_array_equal(first.lower, second.lower)


def test_without_samples() -> None:
    """A model that draws no samples has no intervals."""
    fitted = prophet.Prophet(uncertainty_samples=0).fit(DAYS)
    output = DateForecaster(fitted).predict(ASKED)
    assert (output.lower, output.upper) == (None, None)


def range_of(model: Any) -> Range:
    """Return the dates that a fitted model answers."""
    return date_forecaster(model, version_of("days"), PACKAGE).ranges["ds"]


def test_range(model: Any) -> None:
    """Dates reach ten lengths of the training data away from it; both ends are forecast."""
    found = range_of(model)
    start, length = dt.datetime(2025, 1, 1), dt.timedelta(days=119)  # noqa: DTZ001 - UTC
    assert (found.minimum, found.maximum) == (start - 10 * length, start + 11 * length)
    ends = np.array([found.minimum, found.maximum], dtype="datetime64[us]")
    output = DateForecaster(model).predict(pd.DataFrame({"ds": ends}))
    assert np.isfinite(output.values).all()


@pytest.mark.parametrize(
    ("start", "first", "last"),
    [("1950-01-01", "1700-03-02", "2199-11-01"), ("2150-01-01", "1900-03-03", "2262-01-01")],
)
def test_range_within_the_calendar(start: str, first: str, last: str) -> None:
    """A long series is forecast as far as nanoseconds can be counted, and the ends are answered."""
    dates = pd.date_range(start, periods=80, freq="YS")
    fitted = prophet.Prophet().fit(pd.DataFrame({"ds": dates, "y": np.arange(80.0)}))
    found = range_of(fitted)
    assert [found.minimum, found.maximum] == [
        dt.datetime.fromisoformat(each) for each in (first, last)
    ]
    ends = np.array([found.minimum, found.maximum], dtype="datetime64[us]")
    output = DateForecaster(fitted).predict(pd.DataFrame({"ds": ends}))
    assert np.isfinite(output.values).all()


def test_columns() -> None:
    """A regressor that the signature lacks refuses the model; with it, rows carry its values."""
    fitted = prophet.Prophet()
    fitted.add_regressor("price")
    fitted.fit(DAYS.assign(price=np.arange(120.0) % 5))
    with pytest.raises(UnsupportedModelError, match=r"lacks the columns \['price'\]"):
        date_forecaster(fitted, version_of("days"), PACKAGE)
    price = Column("price", ColumnType.DOUBLE, required=True)
    signature = Signature((*DATE_SIGNATURE.inputs, price), ())
    predictor = date_forecaster(
        fitted, version_of("days"), ModelPackage("prophet", signature, None)
    )
    assert np.isfinite(predictor.predict(ASKED.assign(price=1.0)).values).all()


def test_date_type(model: Any) -> None:
    """A signature whose dates are text refuses the model."""
    signature = Signature((Column("ds", ColumnType.STRING, required=True),), ())
    with pytest.raises(UnsupportedModelError, match="another type than datetime"):
        date_forecaster(model, version_of("days"), ModelPackage("prophet", signature, None))
