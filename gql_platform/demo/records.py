"""What a demo model is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd


class DemoModel(StrEnum):
    """The demo models, by the names that they are registered under."""

    BREAST_CANCER = "breast_cancer"
    DIABETES = "diabetes"
    WINE = "wine"


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that was just trained, with what is worth keeping of its making.

    Attributes:
        name: The name to register it under.
        description: What it predicts, from which data, for a reader who does not know them.
        estimator: The fitted scikit-learn estimator.
        params: The parameters that were chosen.
        metrics: Figures on rows that it was not trained on.
        inputs: Rows that it was not trained on, to derive the signature and an example from.
        outputs: Its predictions for these rows.
        trusted_types: The classes, by full name, that loading its file may make.
    """

    name: str
    description: str
    estimator: Any
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    inputs: pd.DataFrame
    outputs: Any
    trusted_types: tuple[str, ...] = ()
