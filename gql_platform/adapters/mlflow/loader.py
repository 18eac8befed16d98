"""Loading versions of models into memory.

Loading a model runs code that its author chose: even skops, MLflow's safe format, trusts the
types that the model's own files list. Whoever may register models may run code in this server.
"""

# While it is imported, skops looks through every module for each of its names: it comes first.
from gql_platform.adapters.skops.reading import UntrustedTypesError  # isort: split

import asyncio
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import mlflow
from mlflow import pyfunc as pyfunc_flavour
from mlflow import sklearn as sklearn_flavour
from mlflow.models import Model
from sklearn.base import BaseEstimator

from gql_platform.adapters.estimators.native import (
    Compile,
    SklearnPredictor,
    sklearn_predictor,
    uncompiled,
)
from gql_platform.adapters.forecasters.recognition import forecaster_of
from gql_platform.adapters.mlflow.outage import described, is_unreachable
from gql_platform.adapters.mlflow.package import USUAL_SIGNATURES
from gql_platform.adapters.mlflow.pyfunc_predictor import pyfunc_predictor
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.adapters.onnx.predictor import graph_predictor
from gql_platform.errors import ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import ModelPackage, ModelVersion, VersionRef
from gql_platform.serving.ports import Predictor

T = TypeVar("T")

ESTIMATOR_FLAVOURS = frozenset({"catboost", "lightgbm", "xgboost"})
"""Flavours whose models may be estimators in the way of scikit-learn, with labels to show."""

FORECASTER_FLAVOURS = frozenset({"prophet", "statsmodels"})
"""Flavours whose models may forecast. MLflow keeps Prophet's as JSON, those of statsmodels pickled,
which it refuses to read where ``MLFLOW_ALLOW_PICKLE_DESERIALIZATION`` is ``false``."""


class MLflowModelLoader:
    """Load models that MLflow saved; a `ModelLoader`.

    Models of the flavour ``sklearn``, and those of LightGBM, XGBoost and CatBoost that are
    estimators in its way, are loaded as what they are, and so are the forecasters of statsmodels
    and Prophet, and ONNX graphs; others through MLflow's common interface.

    Args:
        store: Where the files of versions are found.
        compile_with: Returns the quickest form of a predictor that answers alike, from what the
            files of its version say and from the rows of its input example.
    """

    def __init__(self, store: MLflowStore, *, compile_with: Compile = uncompiled) -> None:
        self._store = store
        self._compile = compile_with

    async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        """Load the files of a version into memory, in a thread."""
        return await self._store.client.beside(lambda: self._load(version, package))

    async def compiled(
        self, version: ModelVersion, package: ModelPackage, predictor: Predictor
    ) -> Predictor:
        """Return the quickest form of a predictor, made in a thread."""
        del version
        if not isinstance(predictor, SklearnPredictor):
            return predictor
        return await asyncio.to_thread(self._compile, predictor, package)

    def _load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        folder = self._folder(version)
        if package.flavour == "sklearn":
            estimator = loaded(sklearn_flavour.load_model, folder, version.ref)
            return sklearn_predictor(estimator, version, package)
        if package.flavour in ESTIMATOR_FLAVOURS:
            load = getattr(mlflow, package.flavour).load_model
            estimator = loaded(load, folder, version.ref)
            if isinstance(estimator, BaseEstimator):
                return sklearn_predictor(estimator, version, package)
        if package.flavour == "onnx":
            return graph_predictor(loaded(_graph_file, folder, version.ref), version, package)
        if package.flavour in FORECASTER_FLAVOURS:
            model = loaded(getattr(mlflow, package.flavour).load_model, folder, version.ref)
            forecaster = forecaster_of(model, version, package)
            if forecaster is not None:
                return forecaster
            _refuse_usual_signature(version, package)
        return pyfunc_predictor(
            loaded(pyfunc_flavour.load_model, folder, version.ref), version, package
        )

    def _folder(self, version: ModelVersion) -> Path:
        try:
            return self._store.artifacts(version.ref).folder(self._temporary_folder)
        except Exception as error:
            if is_unreachable(error):
                raise
            raise load_failure(version.ref, "its files cannot be read", error) from error

    def _temporary_folder(self) -> Path:
        """Return a new folder that lasts as long as the loader.

        Some models read from their files as long as they live.
        """
        folder = Path(tempfile.mkdtemp(prefix="gql-platform-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder


def _graph_file(folder: str) -> Path:
    """Return the file with the graph of a model of the flavour ``onnx``."""
    named = Model.load(folder).flavors["onnx"]["data"]
    path = Path(folder, str(named)).resolve()
    if not path.is_relative_to(Path(folder).resolve()):
        raise ValueError(f"its graph {named!r} lies outside of its folder")
    return path


def _refuse_usual_signature(version: ModelVersion, package: ModelPackage) -> None:
    """Refuse a model that was taken for a forecaster, for it has no signature, and is none."""
    if package.signature == USUAL_SIGNATURES.get(package.flavour):
        reason = "it has no input signature; log it with infer_signature(X, y)."
        raise UnsupportedModelError(name=version.model_name, version=version.version, reason=reason)


def loaded(load: Callable[[str], T], folder: Path, ref: VersionRef) -> T:
    """Return what a flavour of MLflow makes of a folder, which may fail in any way."""
    try:
        return load(str(folder))
    except UntrustedTypesError as error:
        advice = "its file holds types that were not trusted; log it with skops_trusted_types"
        raise load_failure(ref, advice, error) from error
    except ModuleNotFoundError as error:
        advice = f"it needs the package {error.name!r}, which is not installed here"
        raise load_failure(ref, advice, error) from error
    except Exception as error:
        raise load_failure(ref, "its files do not load", error) from error


def load_failure(ref: VersionRef, what: str, error: Exception) -> ModelLoadError:
    """Return the error that a version does not load."""
    reason = f"{what}: {described(error)}"
    return ModelLoadError(name=ref.model, version=ref.version, reason=reason)
