"""What a version must pass before it serves."""

import numpy as np
import pandas as pd
import structlog

from gql_platform.errors import InvalidRowsError, ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import ColumnType, ModelPackage, ModelVersion, Signature
from gql_platform.serving.ports import Predictor
from gql_platform.serving.rows import frame_of

log = structlog.get_logger(__name__)

_NEUTRAL: dict[ColumnType, object] = {
    ColumnType.BOOLEAN: False,
    ColumnType.INTEGER: 0,
    ColumnType.LONG: 0,
    ColumnType.FLOAT: 0.0,
    ColumnType.DOUBLE: 0.0,
    ColumnType.STRING: "",
    ColumnType.DATETIME: "1970-01-01T00:00:00Z",
}


def check_signature(version: ModelVersion, package: ModelPackage) -> Signature:
    """Return the signature when rows can be checked against it.

    Raises:
        UnsupportedModelError: If there is none, or one with unnamed columns or types that are
            not served.
    """
    signature = package.signature
    reason = None
    if signature is None or not signature.inputs:
        reason = "it has no input signature; log it with infer_signature(X, y)."
    elif unknown := [c.name for c in signature.inputs if c.type is ColumnType.UNKNOWN]:
        reason = f"its signature has columns of types that are not served: {', '.join(unknown)}."
    elif not all(column.name for column in signature.inputs):
        reason = "its signature has columns without names; log it from a pandas.DataFrame."
    if signature is None or reason:
        raise UnsupportedModelError(
            name=version.model_name, version=version.version, reason=str(reason)
        )
    return signature


def warm_up(predictor: Predictor, version: ModelVersion, package: ModelPackage) -> None:
    """Predict once, so that the first request does not pay for what is done only once.

    The logged input example must fit the signature and pass the model. Where there is none, a
    row of neutral values is tried, which a model may refuse.

    Raises:
        UnsupportedModelError: If the input example does not fit the signature.
        ModelLoadError: If the model fails on its own input example.
    """
    signature = check_signature(version, package)
    if not package.input_example:
        _try_neutral_row(predictor, version, signature)
        return
    name, number = version.model_name, version.version
    try:
        frame = frame_of(package.input_example, signature, model=name)
    except InvalidRowsError as error:
        reason = f"its input example does not fit its signature: {error}"
        raise UnsupportedModelError(name=name, version=number, reason=reason) from error
    try:
        predictor.predict(frame)
    except Exception as error:
        reason = f"it fails on its own input example: {type(error).__name__}: {error}"
        raise ModelLoadError(name=name, version=number, reason=reason) from error


def _try_neutral_row(predictor: Predictor, version: ModelVersion, signature: Signature) -> None:
    row = {column.name: _NEUTRAL[column.type] for column in signature.inputs}
    frame: pd.DataFrame = frame_of([row], signature, model=version.model_name)
    try:
        with np.errstate(all="ignore"):
            predictor.predict(frame)
    except Exception as error:  # noqa: BLE001 - the row is ours, not the model's
        log.info("warm_up_refused", model=version.model_name, error=type(error).__name__)
