"""Steps that only fill in what is missing: rows that miss nothing pass them as they are.

Rows that do miss something are left to the model itself, whatever form it has.
"""

from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline


def only_imputes(step: Any) -> bool:
    """Return whether a fitted step changes nothing but missing values, and drops no column."""
    return (
        type(step) is SimpleImputer
        and not step.add_indicator
        and bool(pd.isna(step.missing_values))
        and not pd.isna(np.asarray(step.statistics_, dtype=object)).any()
    )


def without_imputers(transformer: Any) -> Any:
    """Return a copy of some fitted preprocessing, without the steps that only impute."""
    return _without(deepcopy(transformer))


def _without(transformer: Any) -> Any:
    if only_imputes(transformer):
        return "passthrough"
    if type(transformer) is Pipeline:
        steps = [(name, _without(step)) for name, step in transformer.steps]
        kept = [(name, step) for name, step in steps if not _is_nothing(step)]
        if not kept:
            return "passthrough"
        transformer.steps = kept
        return transformer if len(kept) > 1 else kept[0][1]
    if type(transformer) is ColumnTransformer:
        transformer.transformers_ = [
            (name, _without(part), columns) for name, part, columns in transformer.transformers_
        ]
    return transformer


def _is_nothing(step: Any) -> bool:
    return isinstance(step, str) and step == "passthrough"
