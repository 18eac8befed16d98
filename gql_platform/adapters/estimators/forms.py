"""The forms that an estimator could have, the likely ones first.

It imports the converter, so only who compiles should import it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
import structlog
from sklearn.pipeline import Pipeline

from gql_platform.adapters.estimators.affine import Floats, Operation, applied, operations_of
from gql_platform.adapters.estimators.boosters import booster_form
from gql_platform.adapters.estimators.categories import known_values
from gql_platform.adapters.estimators.comparison import FOLDED_TOLERANCE, TOLERANCE
from gql_platform.adapters.estimators.continuity import jumping_estimator, jumping_transformer
from gql_platform.adapters.estimators.folding import Final, folded_forms
from gql_platform.adapters.estimators.graphs import MatrixGraph, TableGraph, final_graph
from gql_platform.adapters.estimators.imputers import without_imputers
from gql_platform.adapters.estimators.trees import (
    forest_sum,
    has_ranked_form,
    is_of_trees,
    ranked,
)
from gql_platform.registry.records import Column, ColumnType
from gql_platform.serving.ports import ClassOutput, ValueOutput
from gql_platform.serving.records import Engine, RefusedEngine

Head: TypeAlias = Callable[[Any], "Floats | None"]
"""The steps before the last: takes rows as they are read, returns shape (n, m), or None where the
model itself must answer."""

_NUMERIC = frozenset(
    {ColumnType.DOUBLE, ColumnType.FLOAT, ColumnType.LONG, ColumnType.INTEGER, ColumnType.BOOLEAN}
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a model could have.

    Attributes:
        engine: What it is called.
        head: The steps before the last.
        final: The last step.
        tolerance: How far it may be off.
        reads_arrays: Whether it reads arrays in place of tables.
    """

    engine: Engine
    head: Head
    final: Final
    tolerance: float
    reads_arrays: bool

    def __call__(self, rows: Any) -> ClassOutput | ValueOutput | None:
        """Answer rows; None where the model itself must."""
        read = self.head(rows)
        return None if read is None else self.final(read)


class Forms:
    """The forms of one model.

    Args:
        estimator: The fitted estimator or pipeline.
        columns: The columns of its rows.
        frame: At least one row that it takes.

    Attributes:
        refused: What has been refused without a comparison so far.
    """

    def __init__(self, estimator: Any, columns: Sequence[Column], frame: pd.DataFrame) -> None:
        self._estimator = estimator
        self._columns = columns
        self._frame = frame
        self.refused: list[RefusedEngine] = []
        self._steps, self._final = parts_of(estimator)
        self._are_doubles = all(column.type is ColumnType.DOUBLE for column in columns)

    def attempts(self) -> Iterator[Callable[[], Iterator[Form]]]:
        """Yield functions that yield forms, the likely ones first."""
        if self._are_doubles:
            yield self._affine
            yield self._matrix
        else:
            yield self._numbers
        yield partial(self._table, are_doubles=False)
        if not self._are_doubles:
            yield partial(self._table, are_doubles=True)

    def _affine(self) -> Iterator[Form]:
        """Yield forms with the preprocessing as operations of numpy."""
        operations = operations_of(self._steps)
        width = len(self._columns)
        for final in folded_forms(self._final, operations, width):
            yield Form(Engine.FOLDED, _as_it_is, final, FOLDED_TOLERANCE, reads_arrays=True)
        head = partial(_operated, operations)
        yield from self._finals(head, self._width(head), reads_arrays=True)

    def _matrix(self) -> Iterator[Form]:
        """Yield forms with the preprocessing as a graph over one matrix."""
        if not self._steps or self._is_jumpy(jumping_transformer(self._steps)):
            return
        head = MatrixGraph(self._head(), len(self._columns))
        yield from self._finals(head, self._width(head), reads_arrays=True, is_graph=True)

    def _numbers(self) -> Iterator[Form]:
        """Yield forms without preprocessing over tables of numbers of several types."""
        if self._steps or any(column.type not in _NUMERIC for column in self._columns):
            return
        yield from self._finals(_numbers_of, len(self._columns), reads_arrays=False)

    def _table(self, *, are_doubles: bool) -> Iterator[Form]:
        """Yield forms with the preprocessing as a graph over columns of several types."""
        if not self._steps or self._is_jumpy(jumping_transformer(self._steps)):
            return
        known = known_values(self._steps, self._columns)
        head = TableGraph(self._head(), self._columns, known, are_doubles=are_doubles)
        read = head(self._frame)
        if read is None:
            return
        yield from self._finals(head, read.shape[1], reads_arrays=False, is_graph=True)

    def _finals(
        self, head: Head, width: int, *, reads_arrays: bool, is_graph: bool = False
    ) -> Iterator[Form]:
        """Yield forms of the last step behind some preprocessing."""
        if not is_of_trees(self._final):
            for final in folded_forms(self._final, [], width):
                engine = Engine.ONNX if is_graph else Engine.FOLDED
                yield Form(engine, head, final, FOLDED_TOLERANCE, reads_arrays)
        exact = booster_form(self._final) or forest_sum(self._final)
        if booster_form(self._final) is None:
            for is_single in (True,) if is_of_trees(self._final) else (False, True):
                yield from self._graph(head, width, is_single=is_single, reads_arrays=reads_arrays)
        if exact is not None:
            engine = Engine.ONNX if is_graph else Engine.EXACT
            yield Form(engine, head, exact, TOLERANCE if is_graph else 0.0, reads_arrays)

    def _graph(
        self, head: Head, width: int, *, is_single: bool, reads_arrays: bool
    ) -> Iterator[Form]:
        if self._is_jumpy(jumping_estimator(self._final)):
            return
        try:
            final = self._final_graph(width, is_single=is_single)
        except Exception as error:  # noqa: BLE001 - another form may do
            log.info("not_converted", error=type(error).__name__, reason=str(error)[:300])
            reason = f"its last step cannot be converted ({type(error).__name__})."
            self.refused.append(RefusedEngine(Engine.ONNX, reason))
            return
        yield Form(Engine.ONNX, head, final, TOLERANCE, reads_arrays)

    def _final_graph(self, width: int, *, is_single: bool) -> Final:
        if not has_ranked_form(self._final):
            return final_graph(self._final, width, is_single=is_single)
        estimator, ranks = ranked(self._final, width)
        graph = final_graph(estimator, width, is_single=True)

        def final(rows: Floats) -> ClassOutput | ValueOutput | None:
            found = ranks(rows)
            return None if found is None else graph(found)

        return final

    def _is_jumpy(self, part: str | None) -> bool:
        """Take note of a part that no comparison can judge, if there is one."""
        if part is not None:
            reason = f"{part} may jump where no comparison looks."
            self.refused.append(RefusedEngine(Engine.ONNX, reason))
        return part is not None

    def _head(self) -> Any:
        steps = self._steps
        return without_imputers(steps[0] if len(steps) == 1 else self._estimator[:-1])

    def _width(self, head: Head) -> int:
        read = head(self._frame.to_numpy(dtype=np.float64))
        return read.shape[1] if read is not None else len(self._columns)


def parts_of(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps before the last of a pipeline, and the last."""
    if type(estimator) is not Pipeline:
        return [], estimator
    steps = [step for _, step in estimator.steps]
    return steps[:-1], steps[-1]


def _as_it_is(rows: Floats) -> Floats:
    return rows


def _operated(operations: Sequence[Operation], rows: Floats) -> Floats:
    return applied(operations, rows)


def _numbers_of(frame: pd.DataFrame) -> Floats | None:
    if any(kind.kind not in "iufb" for kind in cast("list[np.dtype[Any]]", list(frame.dtypes))):
        return None
    return frame.to_numpy(dtype=np.float64)
