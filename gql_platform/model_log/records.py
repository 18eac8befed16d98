"""Models as a program logs them, and as they were logged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FLAVOURS: Mapping[str, str] = {
    "sklearn": "scikit-learn",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
}
"""The kinds of models that are logged, as MLflow calls them, with the packages that they need."""

AUTOLOGGED = ("sklearn", "lightgbm")
"""The kinds of models whose training is logged by itself, unless others are named."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that is to be logged.

    Attributes:
        model: The fitted model.
        name: The name that the run has it under.
        input_example: Rows that it takes: a table, an array, or objects by column name.
        signature: What it takes and gives, as MLflow's ``infer_signature`` tells it; None to find
            that out from the example.
    """

    model: Any
    name: str
    input_example: Any = None
    signature: Any = None


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model that was logged.

    Attributes:
        name: The name that the run has it under.
        run_id: MLflow's id of the run.
        model_id: MLflow's id of the logged model.
        uri: The address by which MLflow's own functions load it.
        flavour: The kind of model, as MLflow calls it.
        serialization: How it was written: ``skops``, ``cloudpickle``, or the kind's own.
    """

    name: str
    run_id: str
    model_id: str
    uri: str
    flavour: str
    serialization: str
