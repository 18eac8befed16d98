"""The values that a model's encoders know, where it fails on others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from gql_platform.registry.records import Column


def known_values(steps: Sequence[Any], columns: Sequence[Column]) -> Mapping[str, frozenset[Any]]:
    """Return the known values of each column whose encoder refuses unknown ones.

    A missing value is never known: whoever compares leaves it to the model.

    Args:
        steps: The fitted preprocessing of a pipeline.
        columns: The columns of its rows.
    """
    known: dict[str, frozenset[Any]] = {}
    for name, values, refuses in _encoded(steps, [column.name for column in columns]):
        if refuses:
            found = frozenset(value for value in values if not pd.isna(value))
            known[name] = known.get(name, found) & found
    return known


def by_place(transformer: Any, names: Sequence[str]) -> Any:
    """Make fitted preprocessing choose columns by their places, and return it.

    A graph has no names with spaces or parentheses in them.

    Args:
        transformer: A copy that nobody else uses.
        names: The columns of its rows.
    """
    if type(transformer) is Pipeline:
        by_place(transformer.steps[0][1], names)
    elif type(transformer) is ColumnTransformer:
        transformer.transformers_ = [
            (name, part, [names.index(each) for each in _names(chosen, names)])
            for name, part, chosen in transformer.transformers_
        ]
    return transformer


def _encoded(
    steps: Sequence[Any], names: Sequence[str]
) -> Iterator[tuple[str, Sequence[Any], bool]]:
    """Yield columns with the values that an encoder found in them, and whether it refuses others.

    Only encoders that read the columns as they are count: behind a step that adds columns, nobody
    knows which is which.
    """
    for step in steps:
        if isinstance(step, ColumnTransformer):
            for _, transformer, chosen in step.transformers_:
                yield from _encoded(_parts(transformer), _names(chosen, names))
            return
        categories = getattr(step, "categories_", None)
        if categories is not None:
            refuses = getattr(step, "handle_unknown", "error") == "error"
            for name, values in zip(names, categories, strict=False):
                yield name, list(values), refuses
            return


def _parts(transformer: Any) -> list[Any]:
    if isinstance(transformer, Pipeline):
        return [step for _, step in transformer.steps]
    return [transformer]


def _names(chosen: Any, names: Sequence[str]) -> list[str]:
    """Return the names of columns that a `ColumnTransformer` chooses in one of its ways."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        return [str(name) for name in names[chosen]]
    listed: list[Any] = np.atleast_1d(np.asarray(chosen, dtype=object)).tolist()
    if all(type(each) is bool for each in listed):
        return [name for name, is_chosen in zip(names, listed, strict=True) if is_chosen]
    return [str(each if isinstance(each, str) else names[each]) for each in listed]
