"""What a version must pass before it serves, and how quick it is."""

import time

import numpy as np
import pandas as pd
import structlog

from gql_platform.errors import InvalidRowsError, ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import ColumnType, ModelPackage, ModelVersion, Signature
from gql_platform.serving.ports import Predictor, Table, ranges_of
from gql_platform.serving.ranges import check_ranges
from gql_platform.serving.records import Speed
from gql_platform.serving.rows import frame_of

TIMED_CALLS = 20
"""How many calls of each size are timed at most."""

TIMING_SECONDS = 0.05
"""For how long calls of one size are timed, if they are slow."""

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


def warm_up(predictor: Predictor, version: ModelVersion, package: ModelPackage) -> Speed | None:
    """Predict, so that the first request does not pay for what is done only once, and time it.

    The logged input example must fit the signature and pass the model. Where there is none, a
    row of neutral values is tried, which a model may refuse.

    Returns:
        How quick it is; None if it refused the neutral row.

    Raises:
        UnsupportedModelError: If the input example does not fit the signature.
        ModelLoadError: If the model fails on its own input example.
    """
    signature = check_signature(version, package)
    if not package.input_example:
        return _tried_neutral_row(predictor, version, signature)
    name, number = version.model_name, version.version
    try:
        frame = frame_of(package.input_example, signature, model=name)
        check_ranges(frame, ranges_of(predictor), model=name)
    except InvalidRowsError as error:
        reason = f"its input example does not fit its signature: {error}"
        raise UnsupportedModelError(name=name, version=number, reason=reason) from error
    try:
        predictor.predict(frame)
        return speed_of(predictor, frame)
    except Exception as error:
        reason = f"it fails on its own input example: {type(error).__name__}: {error}"
        raise ModelLoadError(name=name, version=number, reason=reason) from error


def _tried_neutral_row(
    predictor: Predictor, version: ModelVersion, signature: Signature
) -> Speed | None:
    row = {column.name: _NEUTRAL[column.type] for column in signature.inputs}
    row |= {name: found.minimum for name, found in ranges_of(predictor).items()}
    frame: pd.DataFrame = frame_of([row], signature, model=version.model_name)
    try:
        with np.errstate(all="ignore"):
            predictor.predict(frame)
            return speed_of(predictor, frame)
    except Exception as error:  # noqa: BLE001 - the row is ours, not the model's
        log.info("warm_up_refused", model=version.model_name, error=type(error).__name__)
        return None


def speed_of(predictor: Predictor, frame: pd.DataFrame) -> Speed:
    """Time a model that has predicted before; the shortest of a few calls counts.

    Args:
        predictor: The model.
        frame: At least one row that it takes.
    """
    one, many = (_as_read(predictor, _repeated(frame, rows)) for rows in (1, 32))
    return Speed(_shortest_us(predictor, one), _shortest_us(predictor, many))


def _repeated(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    return frame.iloc[np.arange(rows) % len(frame)].reset_index(drop=True)


def _as_read(predictor: Predictor, frame: pd.DataFrame) -> Table:
    return frame.to_numpy(dtype=np.float64) if predictor.takes_arrays else frame


def _shortest_us(predictor: Predictor, table: Table) -> float:
    shortest = float("inf")
    ends_at = time.perf_counter() + TIMING_SECONDS
    for _ in range(TIMED_CALLS):
        begun = time.perf_counter()
        predictor.predict(table)
        ended = time.perf_counter()
        shortest = min(shortest, ended - begun)
        if ended >= ends_at:
            break
    return round(shortest * 1e6, 1)
