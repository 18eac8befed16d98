"""The values of text that a model knows, where it fails on others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from gql_platform.registry.records import Column, ColumnType


def known_values(steps: Sequence[Any], columns: Sequence[Column]) -> Mapping[str, frozenset[str]]:
    """Return the known values of each column of text whose encoder refuses unknown ones.

    Args:
        steps: The fitted preprocessing of a pipeline.
        columns: The columns of its rows.
    """
    texts = {column.name for column in columns if column.type is ColumnType.STRING}
    return {
        name: frozenset(map(str, values))
        for name, values, refuses in _encoded(steps, [column.name for column in columns])
        if name in texts and refuses
    }


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
        return list(names[chosen])
    listed = np.atleast_1d(np.asarray(chosen, dtype=object)).tolist()
    if all(type(each) is bool for each in listed):
        return [name for name, is_chosen in zip(names, listed, strict=True) if is_chosen]
    return [each if isinstance(each, str) else names[each] for each in listed]
