"""Fitted results of statsmodels forecast what they say themselves, step by step."""

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.api import VAR, ExponentialSmoothing
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.stl import STLForecast
from statsmodels.tsa.forecasting.theta import ThetaModel

from gql_platform.adapters.forecasters.recognition import forecaster_of, signature_of
from gql_platform.adapters.forecasters.steps import (
    HORIZONS,
    STEP_SIGNATURE,
    StepForecaster,
    is_step_model,
    step_forecaster,
)
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import Column, ColumnType, ModelPackage, Signature
from gql_platform.serving.ports import ForecastOutput
from gql_platform.serving.records import Task
from tests.unit.adapters.mlflow.versions import version_of

PACKAGE = ModelPackage("statsmodels", STEP_SIGNATURE, None)
DRAW = np.random.default_rng(7)
SERIES = pd.Series(
    20 + 3 * np.sin(np.arange(96) * np.pi / 6) + DRAW.normal(size=96).cumsum() * 0.2,
    index=pd.date_range("2018-01-01", periods=96, freq="MS"),
)


def forecast(results: Any, steps: list[int]) -> ForecastOutput:
    """Return what the predictor over fitted results answers."""
    predictor = step_forecaster(results, version_of("series"), PACKAGE)
    return predictor.predict(pd.DataFrame({"step": steps}))


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Any:
    """Let statsmodels warn of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class TestForecasts:
    def test_arima(self) -> None:
        """Values and intervals of a state space model are those of its own forecast."""
        results = ARIMA(SERIES, order=(1, 1, 1)).fit()
        expected = results.get_forecast(12).summary_frame(alpha=0.05)
        output = forecast(results, [12, 1, 1])
        picked = expected.iloc[[11, 0, 0]]
        assert output.lower is not None
        assert output.upper is not None
        np.testing.assert_allclose(output.values, picked["mean"], rtol=1e-9)
        np.testing.assert_allclose(output.lower, picked["mean_ci_lower"], rtol=1e-9)
        np.testing.assert_allclose(output.upper, picked["mean_ci_upper"], rtol=1e-9)

    def test_random_walk(self) -> None:
        """The interval of a random walk is its last value, ± 1.96 sigma times the root of h."""
        walk = DRAW.normal(size=400).cumsum()
        results = ARIMA(walk, order=(0, 1, 0)).fit()
        sigma = float(np.sqrt(results.params[-1]))
        output = forecast(results, [1, 9])
        assert output.upper is not None
        np.testing.assert_allclose(output.values, walk[-1])
        widths = 1.959964 * sigma * np.sqrt([1, 9])
        np.testing.assert_allclose(output.upper - output.values, widths, rtol=1e-4)

    def test_trend_of_arima(self) -> None:
        """A constant that ARIMA adds itself is no explanatory variable."""
        results = ARIMA(SERIES, order=(1, 0, 0), trend="c").fit()
        np.testing.assert_allclose(forecast(results, [3]).values, results.forecast(3).iloc[-1:])

    @pytest.mark.parametrize(
        "fit",
        [
            lambda: AutoReg(SERIES, 2).fit(),
            lambda: STLForecast(SERIES, ARIMA, model_kwargs={"order": (1, 1, 0)}).fit(),
            lambda: ThetaModel(SERIES).fit(),
            lambda: ETSModel(SERIES, trend="add").fit(disp=0),
            lambda: ETSModel(SERIES, seasonal="mul", seasonal_periods=12).fit(disp=0),
        ],
        ids=["AutoReg", "STL", "Theta", "ETS", "simulated ETS"],
    )
    def test_other_models(self, fit: Any) -> None:
        """Models that forecast by another method begin right after the end of the series."""
        results = fit()
        output = forecast(results, [1, 2, 3, 4])
        np.testing.assert_allclose(output.values, results.forecast(4), rtol=1e-9)
        assert output.lower is not None
        assert output.upper is not None
        assert (output.lower < output.values).all()
        assert (output.values < output.upper).all()

    def test_simulated_twice(self) -> None:
        """Intervals that are simulated are the same each time that the model is loaded."""
        results = ETSModel(SERIES, seasonal="mul", seasonal_periods=12).fit(disp=0)
        first, second = forecast(results, [1, 5]), forecast(results, [1, 5])
        np.testing.assert_array_equal(first.lower, second.lower)

    def test_without_intervals(self) -> None:
        """A model that has no intervals gives none."""
        results = ExponentialSmoothing(SERIES, trend="add").fit()
        output = forecast(results, [2])
        np.testing.assert_allclose(output.values, results.forecast(2).iloc[-1:])
        assert (output.lower, output.upper) == (None, None)

    def test_yearly_dates(self) -> None:
        """A series whose dates would leave the calendar is forecast as far as they reach."""
        yearly = pd.Series(SERIES.to_numpy(), pd.date_range("1900", periods=96, freq="YS"))
        results = ARIMA(yearly, order=(1, 1, 0)).fit()
        predictor = step_forecaster(results, version_of("series"), PACKAGE)
        assert predictor.horizon in HORIZONS

    def test_is_handed_over(self) -> None:
        """A forecaster goes to another process, and answers there as here."""
        results = ARIMA(SERIES, order=(1, 1, 1)).fit()
        predictor = step_forecaster(results, version_of("series"), PACKAGE)
        copy = pickle.loads(pickle.dumps(predictor))  # noqa: S301 - it is ours
        rows = pd.DataFrame({"step": [7]})
        np.testing.assert_array_equal(copy.predict(rows).values, predictor.predict(rows).values)
        assert copy.task is Task.FORECASTING


class TestRefusals:
    @pytest.mark.parametrize("step", [0, -1, 6, 1.5, 2**62])
    def test_steps(self, step: float) -> None:
        """A step that is no whole number within the horizon is refused, whatever it is."""
        predictor = StepForecaster(np.arange(5.0), None)
        with pytest.raises(ValueError, match="no whole number from 1 to 5"):
            predictor.predict(pd.DataFrame({"step": [1, step]}))

    def test_explanatory_variables(self) -> None:
        """A model that needs explanatory variables is refused, for a step has none."""
        results = ARIMA(SERIES, exog=np.arange(96.0), order=(1, 0, 0)).fit()
        with pytest.raises(UnsupportedModelError, match="explanatory variables"):
            forecast(results, [1])

    def test_several_series(self) -> None:
        """A model of several series is refused."""
        table = pd.DataFrame({"a": SERIES, "b": DRAW.normal(size=96)})
        with pytest.raises(UnsupportedModelError, match="several series"):
            forecast(VAR(table).fit(1), [1])

    def test_signature(self) -> None:
        """A signature with other columns, such as `start` and `end`, is refused with advice."""
        package = ModelPackage("statsmodels", Signature((), ()), None)
        results = ARIMA(SERIES, order=(1, 0, 0)).fit()
        with pytest.raises(UnsupportedModelError, match="takes the one column 'step'"):
            step_forecaster(results, version_of("series"), package)

    def test_step_that_is_no_number(self) -> None:
        """A signature whose steps are text is refused, for no row could be answered."""
        signature = Signature((Column("step", ColumnType.STRING, required=True),), ())
        results = ARIMA(SERIES, order=(1, 0, 0)).fit()
        with pytest.raises(UnsupportedModelError, match="of type STRING, which is no number"):
            step_forecaster(
                results, version_of("series"), ModelPackage("statsmodels", signature, None)
            )

    def test_failure(self) -> None:
        """A model that fails on every horizon does not load."""

        class Broken:
            def forecast(self, steps: int) -> None:
                """Fail."""
                del steps
                raise OSError("no data")

        with pytest.raises(ModelLoadError, match="it does not forecast: OSError: no data"):
            step_forecaster(Broken(), version_of("series"), PACKAGE)

    def test_regression(self) -> None:
        """A regression of statsmodels is no forecaster."""
        results = OLS(SERIES.to_numpy(), np.ones(96)).fit()
        assert not is_step_model(results)
        assert forecaster_of(results, version_of("series"), PACKAGE) is None
        assert signature_of(results) is None
