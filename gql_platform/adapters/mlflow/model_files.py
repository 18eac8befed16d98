"""Models as files, in the way of MLflow's flavours."""

# While it is imported, skops looks through every module for each of its names: it comes first.
from gql_platform.adapters.skops.reading import dumps, untrusted_types  # isort: split

import shutil
import warnings
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model, infer_signature

from gql_platform.adapters.mlflow.outage import described
from gql_platform.adapters.mlflow.package import EXAMPLE_ROWS, REQUIREMENTS
from gql_platform.adapters.mlflow.quiet import quiet
from gql_platform.errors import ModelNotLoggedError, UnknownFlavourError
from gql_platform.model_log.records import FLAVOURS, TrainedModel

SKOPS = "skops"
CLOUDPICKLE = "cloudpickle"


def flavour_of(model: object) -> str:
    """Return the kind of a model: that of the package which its class comes from.

    Raises:
        UnknownFlavourError: If it is of none that is logged.
    """
    packages = [kind.__module__.partition(".")[0] for kind in type(model).__mro__]
    # The estimators of the others are scikit-learn's, too.
    for flavour in ("xgboost", "lightgbm", "sklearn"):
        if flavour in packages:
            return flavour
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    raise UnknownFlavourError(named=f"an object of {kind}", flavours=tuple(FLAVOURS))


def example_of(trained: TrainedModel) -> pd.DataFrame | None:
    """Return the first rows of an input example as a table, which is what is served."""
    example, model = trained.input_example, trained.model
    if example is None:
        return None
    if isinstance(example, pd.DataFrame):
        return example.head(EXAMPLE_ROWS)
    if isinstance(example, Mapping):
        example = [example]
    rows = example[:EXAMPLE_ROWS]
    if isinstance(rows, list | tuple) and rows and isinstance(rows[0], Mapping):
        return pd.DataFrame(list(rows))
    table = np.asarray(rows)
    if table.ndim != 2:
        problem = "its input example should be a table, an array of rows, or objects by column name"
        raise ModelNotLoggedError(name=trained.name, problem=problem)
    names = getattr(model, "feature_names_in_", [f"feature_{at}" for at in range(table.shape[1])])
    return pd.DataFrame(table, columns=[str(name) for name in names])


def signature_of(trained: TrainedModel, example: pd.DataFrame | None) -> Any:
    """Return what a model takes and gives, as far as that is told.

    Raises:
        ModelNotLoggedError: If the model does not predict its own example.
    """
    if trained.signature is not None or example is None:
        return trained.signature
    # Who trained with arrays is warned of names, and nobody of whole numbers without null.
    has_names = hasattr(trained.model, "feature_names_in_") or not hasattr(trained.model, "fit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outputs = trained.model.predict(example if has_names else example.to_numpy())
        except Exception as error:
            # A model is code that its author chose, and fails in as many ways as there are.
            problem = f"it does not predict its input example: {described(error)}"
            raise ModelNotLoggedError(name=trained.name, problem=problem) from error
        return infer_signature(example, outputs)


def save(trained: TrainedModel, folder: Path, told: Model) -> str:
    """Write a model into a new folder, and return how.

    What skops cannot write, such as functions of the program itself, is pickled by value.

    Raises:
        UnknownFlavourError: If it is of no kind that is logged.
        ModelNotLoggedError: If it cannot be written.
    """
    flavour = flavour_of(trained.model)
    example = example_of(trained)
    given = {
        "mlflow_model": told,
        "signature": signature_of(trained, example),
        "input_example": example,
    }
    is_estimator = flavour != "xgboost" and hasattr(trained.model, "get_params")
    if not is_estimator:
        # Its package has a format of its own, in which nothing is code.
        _write(trained, flavour, folder, **given)
        return flavour
    try:
        _write(trained, flavour, folder, **given, **_in_skops(trained))
    except ModelNotLoggedError:
        shutil.rmtree(folder, ignore_errors=True)
        _write(trained, flavour, folder, **given, serialization_format=CLOUDPICKLE)
        return CLOUDPICKLE
    return SKOPS


def _in_skops(trained: TrainedModel) -> dict[str, Any]:
    """Return how an estimator is written by skops; its types are those that the program has made.

    Raises:
        ModelNotLoggedError: If skops does not know how to.
    """
    try:
        types = untrusted_types(data=dumps(trained.model))
    except Exception as error:
        # Whatever an object raises that skops does not know.
        raise _not_logged(trained, error) from error
    return {"serialization_format": SKOPS, "skops_trusted_types": types}


def _write(trained: TrainedModel, flavour: str, folder: Path, **options: Any) -> None:
    packages = dict.fromkeys((*REQUIREMENTS, FLAVOURS[flavour]))
    if options.get("serialization_format") == CLOUDPICKLE:
        packages[CLOUDPICKLE] = None
    requirements = [_pinned(name) for name in packages]
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(mlflow, flavour).save_model(
                trained.model, path=str(folder), pip_requirements=requirements, **options
            )
    except Exception as error:
        # Flavours fail in as many ways as there are models.
        raise _not_logged(trained, error) from error


def _pinned(package: str) -> str:
    """Return a package with its version, under the name that it was installed by."""
    try:
        return f"{package}=={installed_version(package)}"
    except PackageNotFoundError:
        # XGBoost comes as `xgboost-cpu`, too.
        name = packages_distributions()[package][0]
        return f"{name}=={installed_version(name)}"


def _not_logged(trained: TrainedModel, error: Exception) -> ModelNotLoggedError:
    return ModelNotLoggedError(name=trained.name, problem=described(error).rstrip("."))
