"""Forecasters told from other models."""

from gql_platform.adapters.forecasters.dates import (
    DATE_SIGNATURE,
    DateForecaster,
    date_forecaster,
    is_date_model,
)
from gql_platform.adapters.forecasters.steps import (
    STEP_SIGNATURE,
    StepForecaster,
    is_step_model,
    step_forecaster,
)
from gql_platform.registry.records import ModelPackage, ModelVersion, Signature


def forecaster_of(
    model: object, version: ModelVersion, package: ModelPackage
) -> StepForecaster | DateForecaster | None:
    """Return the predictor over a model that forecasts, or None over any other.

    Raises:
        UnsupportedModelError: If it forecasts, and cannot be served.
        ModelLoadError: If it fails to forecast.
    """
    if is_step_model(model):
        return step_forecaster(model, version, package)
    return date_forecaster(model, version, package) if is_date_model(model) else None


def signature_of(model: object) -> Signature | None:
    """Return what a model that forecasts takes, or None for any other."""
    if is_step_model(model):
        return STEP_SIGNATURE
    return DATE_SIGNATURE if is_date_model(model) else None
