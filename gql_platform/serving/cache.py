"""Answers that were given before, by exactly the same rows."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

from gql_platform.serving.ports import Table
from gql_platform.serving.records import Prediction

LARGEST_KEY_BYTES = 16_384
"""Tables above that are not kept: they hardly come again, and fill the memory."""

Answer = tuple[Prediction, ...]


class AnswerCache:
    """Keep the answers of one version that were asked for last.

    A version never changes, so its answers do not, as long as its model is a function of the rows.

    Args:
        capacity: How many requests are remembered.
    """

    def __init__(self, capacity: int) -> None:
        self.hits = 0
        self.misses = 0
        self._capacity = capacity
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()

    def __len__(self) -> int:
        """Return how many requests are remembered."""
        return len(self._answers)

    def get(self, table: Table) -> Answer | None:
        """Return the answer to exactly this table, if it is remembered."""
        key = key_of(table)
        answer = self._answers.get(key) if key is not None else None
        if answer is None:
            self.misses += 1
            return None
        self._answers.move_to_end(key)
        self.hits += 1
        return answer

    def put(self, table: Table, answer: Answer) -> None:
        """Remember an answer, and forget the one that was not asked for longest."""
        key = key_of(table)
        if key is None:
            return
        self._answers[key] = answer
        self._answers.move_to_end(key)
        if len(self._answers) > self._capacity:
            self._answers.popitem(last=False)


def key_of(table: Table) -> Hashable:
    """Return what tells a table from all others, bit by bit; None for a large one."""
    if isinstance(table, np.ndarray):
        return (table.shape, table.tobytes()) if table.nbytes <= LARGEST_KEY_BYTES else None
    if table.size * 8 > LARGEST_KEY_BYTES:
        return None
    columns = [table.iloc[:, place].to_numpy() for place in range(table.shape[1])]
    if sum(map(_text_size, columns)) > LARGEST_KEY_BYTES:
        return None
    return (table.shape, tuple(map(_column_key, columns)))


def _text_size(values: npt.NDArray[Any]) -> int:
    """Return how many characters the texts of a column have."""
    if values.dtype.kind != "O":
        return 0
    return sum(len(value) for value in values if isinstance(value, str))


def _column_key(values: npt.NDArray[Any]) -> Hashable:
    if values.dtype.kind == "O":
        # True and 1 are equal in Python, and so are 0.0 and -0.0, but not to a model.
        return tuple((type(value), repr(value)) for value in values)
    return (values.dtype.str, values.tobytes())
