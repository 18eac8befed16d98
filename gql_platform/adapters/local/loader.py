"""Loading models from files that the operator names.

A pickle runs whatever code its author put into it. The operator who names a file trusts it; no
path and no file ever comes in over the API.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import structlog
from sklearn.base import is_classifier

from gql_platform.adapters.estimators.native import (
    Compile,
    SklearnPredictor,
    sklearn_predictor,
    uncompiled,
)
from gql_platform.adapters.forecasters.recognition import forecaster_of, signature_of
from gql_platform.adapters.mlflow.outage import described
from gql_platform.adapters.mlflow.package import package_of
from gql_platform.adapters.onnx.predictor import columns_of, graph_predictor
from gql_platform.adapters.skops import reading as skops
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import (
    Column,
    ColumnType,
    ModelPackage,
    ModelVersion,
    Signature,
    VersionRef,
)
from gql_platform.serving.ports import Predictor
from gql_platform.serving.records import ModelFile

MLFLOW_FILE = "MLmodel"

log = structlog.get_logger(__name__)

_PICKLES = frozenset({".pkl", ".pickle", ".joblib"})


def _read_pickle(path: Path) -> Any:
    return joblib.load(path)


def _read_skops(path: Path) -> Any:
    return skops.load(path, trusted=skops.untrusted_types(file=str(path)))


_READERS: Mapping[str, Callable[[Path], Any]] = {
    **dict.fromkeys(_PICKLES, _read_pickle),
    ".skops": _read_skops,
}
GRAPH = ".onnx"
FORMATS = (*sorted([*_READERS, GRAPH]), "a folder that MLflow saved")
"""What is loaded, for the error."""

_KINDS: Mapping[str, ColumnType] = {
    "b": ColumnType.BOOLEAN,
    "i": ColumnType.LONG,
    "u": ColumnType.LONG,
    "f": ColumnType.DOUBLE,
    "M": ColumnType.DATETIME,
}
"""The type of a column by the kind of its array; all others hold text."""


class LocalModelLoader:
    """Load the models in files; a `ModelLoader`.

    Args:
        source: Returns where a version comes from.
        compile_with: Returns the quickest form of a predictor that answers alike.
    """

    def __init__(
        self,
        source: Callable[[VersionRef], ModelFile],
        *,
        compile_with: Compile = uncompiled,
    ) -> None:
        self._source = source
        self._compile = compile_with

    async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        """Load the file of a version into memory, in a thread."""
        return await asyncio.to_thread(self._load, version, package)

    async def compiled(
        self, version: ModelVersion, package: ModelPackage, predictor: Predictor
    ) -> Predictor:
        """Return the quickest form of a predictor, made in a thread."""
        del version
        if not isinstance(predictor, SklearnPredictor):
            return predictor
        return await asyncio.to_thread(self._compile, predictor, package)

    def _load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        source = self._source(version.ref)
        predictor = self._predictor(source, version, package)
        if predictor.task is not source.task:
            raise UnsupportedModelError(
                name=version.model_name,
                version=version.version,
                reason=f"it was registered for {source.task.value}, and it does "
                f"{predictor.task.value}.",
            )
        return predictor

    def _predictor(
        self, source: ModelFile, version: ModelVersion, package: ModelPackage
    ) -> Predictor:
        if source.path.suffix.lower() == GRAPH:
            return graph_predictor(source.path, version, package)
        try:
            estimator = read(source.path)
        except Exception as error:
            raise ModelLoadError(
                name=version.model_name,
                version=version.version,
                reason=f"{source.path} does not load: {described(error)}",
            ) from error
        forecaster = forecaster_of(estimator, version, package)
        return forecaster or sklearn_predictor(estimator, version, package)


def read(path: Path) -> Any:
    """Return the estimator in a file.

    Raises:
        ValueError: If it is of no format that is read here.
        Exception: Whatever goes wrong with the file.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"its format is none of {', '.join(FORMATS)}")
    return reader(path)


def describe(source: ModelFile) -> ModelPackage | None:
    """Return what can be known of a model from its file and its input example."""
    try:
        if (source.path / MLFLOW_FILE).is_file():
            return package_of(lambda name: (source.path / name).read_bytes())
        size = source.path.stat().st_size
        if source.path.suffix.lower() == GRAPH:
            inputs = _example_columns(source) or columns_of(source.path)
            signature = Signature(inputs, ()) if inputs else None
            return ModelPackage("onnx", signature, size, source.input_example)
        estimator = read(source.path)
    except Exception as error:  # noqa: BLE001 - a file may be broken in any way
        log.warning(
            "model_file_not_read",
            model=source.name,
            path=str(source.path),
            error=described(error),
        )
        return None
    forecast = signature_of(estimator)
    if forecast is not None:
        inputs = _example_columns(source) or forecast.inputs
        signature = Signature(inputs, forecast.outputs)
        return ModelPackage(type(estimator).__name__, signature, size, source.input_example)
    inputs = _example_columns(source) or _trained_columns(estimator)
    kind = ColumnType.STRING if is_classifier(estimator) else ColumnType.DOUBLE
    signature = Signature(inputs, (Column("prediction", kind, required=True),))
    return ModelPackage("sklearn", signature if inputs else None, size, source.input_example)


def _example_columns(source: ModelFile) -> tuple[Column, ...]:
    """Return the columns of the rows that were given as an example; none without them."""
    frame = pd.DataFrame(list(source.input_example))
    return tuple(
        Column(str(name), _KINDS.get(frame[name].dtype.kind, ColumnType.STRING), required=True)
        for name in frame.columns
    )


def _trained_columns(estimator: Any) -> tuple[Column, ...]:
    """Return the columns that an estimator was trained on."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        count = int(np.asarray(getattr(estimator, "n_features_in_", 0)))
        names = [f"feature_{place}" for place in range(count)]
    return tuple(Column(str(name), ColumnType.DOUBLE, required=True) for name in names)
