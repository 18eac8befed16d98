"""Quicker forms of estimators, each compared with the estimator before it answers anybody.

It imports the converter, so only who compiles should import it.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import structlog

from gql_platform.adapters.estimators.affine import (
    Floats,
    NotAffineError,
)
from gql_platform.adapters.estimators.comparison import (
    Verdict,
    compared,
)
from gql_platform.adapters.estimators.example import frame_of_rows
from gql_platform.adapters.estimators.forms import Form, Forms, parts_of
from gql_platform.adapters.estimators.native import SklearnPredictor
from gql_platform.adapters.estimators.probes import (
    at_thresholds,
    scattered,
    scattered_table,
    unseen_tables,
)
from gql_platform.adapters.estimators.trees import (
    thresholds_of,
)
from gql_platform.registry.records import Column, ColumnType, ModelPackage
from gql_platform.serving.ports import ClassOutput, Predictor, Table, ValueOutput
from gql_platform.serving.records import Compilation, Engine, RefusedEngine, Task

TIMED_CALLS = 20

Preference: TypeAlias = Callable[[Callable[[], object], Callable[[], object]], bool]
"""Whether a call of a form is to be preferred to a call of the model."""

log = structlog.get_logger(__name__)


class CompiledPredictor:
    """A model in another form, which leaves to the model what is unusual; a `Predictor`.

    Args:
        native: The model itself.
        form: Its other form.
        columns: The names of its columns.
        compilation: How it was compiled.
    """

    def __init__(
        self, native: SklearnPredictor, form: Form, columns: Sequence[str], compilation: Compilation
    ) -> None:
        self._native = native
        self._form = form
        self._columns = list(columns)
        self._compilation = compilation
        self.labels = native.labels

    @property
    def task(self) -> Task:
        """What the model predicts."""
        return self._native.task

    @property
    def takes_arrays(self) -> bool:
        """Whether its form reads arrays."""
        return self._form.reads_arrays

    @property
    def compilation(self) -> Compilation:
        """How it was compiled, and how that was verified."""
        return self._compilation

    def close(self) -> None:
        """It holds nothing but memory."""

    def predict(self, rows: Table) -> ClassOutput | ValueOutput:
        """Compute the outputs of n rows."""
        if self._form.reads_arrays and isinstance(rows, pd.DataFrame):
            rows = rows.to_numpy(dtype=np.float64)
        found = self._form(rows)
        return self._native.predict(self._as_native(rows)) if found is None else found

    def _as_native(self, rows: Table) -> Table:
        if self._native.takes_arrays or isinstance(rows, pd.DataFrame):
            return rows
        return pd.DataFrame(rows, columns=self._columns)


def is_quicker(form: Callable[[], object], itself: Callable[[], object]) -> bool:
    """Return whether a call of a form takes less than one of the model.

    They take turns, and the shortest of some calls counts, so that other work on the machine
    decides nothing.
    """
    took = [(_seconds_of(form), _seconds_of(itself)) for _ in range(TIMED_CALLS)]
    return min(ours for ours, _ in took) < min(theirs for _, theirs in took)


def compiled(
    native: SklearnPredictor,
    package: ModelPackage,
    example: Sequence[Any] | None = None,
    *,
    is_better: Preference = is_quicker,
) -> Predictor:
    """Return the first form of a model that answers alike and is quicker, else the model.

    It takes up to some seconds, and never raises for what the model does.

    Args:
        native: A predictor over a fitted estimator.
        package: What the files of its version say.
        example: Rows of the input example by column name; those of the package by default.
        is_better: Whether a call of a form is to be preferred to a call of the model.
    """
    started = time.perf_counter()
    signature = package.signature
    frame = frame_of_rows(signature, example or package.input_example) if signature else None
    if signature is None or frame is None or frame.empty:
        native.note(_unchanged(started, [_NO_EXAMPLE]))
        return native
    refused: list[RefusedEngine] = []
    bench = _Bench(native, signature.inputs, frame)
    forms = Forms(native.estimator, signature.inputs, frame)
    for attempt in forms.attempts():
        try:
            for form in attempt():
                # Some of the rows are too large for what reads them, and that is the point.
                with np.errstate(all="ignore"):
                    verdict = bench.judge(form, is_better)
                if verdict.fault is None:
                    made = _compilation(form, verdict, started, [*refused, *forms.refused])
                    return CompiledPredictor(
                        native, form, [column.name for column in signature.inputs], made
                    )
                refused.append(RefusedEngine(form.engine, f"{verdict.fault}."))
        except NotAffineError:
            continue
        except Exception as error:  # noqa: BLE001 - converters and models raise anything
            log.info("not_compiled", error=type(error).__name__, reason=str(error)[:300])
            reason = f"it cannot be converted ({type(error).__name__})."
            refused.append(RefusedEngine(Engine.ONNX, reason))
    native.note(_unchanged(started, [*refused, *forms.refused]))
    return native


class _Bench:
    """What the forms of a model are compared on."""

    def __init__(
        self, native: SklearnPredictor, columns: Sequence[Column], frame: pd.DataFrame
    ) -> None:
        self._native = native
        self._columns = columns
        self._frame = frame
        self._final = parts_of(native.estimator)[1]
        self._are_doubles = all(column.type is ColumnType.DOUBLE for column in columns)

    def judge(self, form: Form, is_better: Preference) -> Verdict:
        """Compare a form with the model, on the whole and in the last step alone."""
        whole = self._whole(form)
        if whole.fault is not None:
            return whole
        final = self._last(form, whole.spread)
        if final.fault is not None:
            return final
        largest = max(whole.largest_difference, final.largest_difference)
        if not is_better(*self._calls(form)):
            return Verdict(largest, whole.rows, "it is not quicker than the model itself")
        return Verdict(largest, whole.rows + final.rows, None)

    def _whole(self, form: Form) -> Verdict:
        tables = [self._frame, scattered_table(self._frame, self._columns)]
        if self._are_doubles:
            rows = self._frame.to_numpy(dtype=np.float64)
            tables.append(self._table_of(scattered(rows)))
            tables += [self._table_of(each) for each in _unusual(rows)]
        else:
            tables += unseen_tables(self._frame, self._columns)
        if form(self._read(form, self._frame)) is None:
            return Verdict(0.0, 0, "it does not answer the input example")
        return compared(
            self._native.predict,
            lambda table: form(self._read(form, table)),
            tables,
            tolerance=form.tolerance,
        )

    def _last(self, form: Form, spread: float) -> Verdict:
        """Compare the last step on rows as it reads them, at the thresholds of trees above all."""
        thresholds = thresholds_of(self._final)
        read = form.head(self._read(form, self._frame))
        if not thresholds or read is None or not self._native.reads_arrays_last:
            return Verdict(0.0, 0, None)
        probe = at_thresholds(read, thresholds)
        # Rows beside thresholds are near each other, and so are the answers to them.
        return compared(
            self._native.output_of, form.final, [probe], tolerance=form.tolerance, spread=spread
        )

    def _calls(self, form: Form) -> tuple[Callable[[], object], Callable[[], object]]:
        """Return a call of a form, and one of the model, with one row as each reads it."""
        row = self._frame.iloc[:1]
        itself = row.to_numpy(dtype=np.float64) if self._native.takes_arrays else row
        return partial(form, self._read(form, row)), partial(self._native.predict, itself)

    def _read(self, form: Form, table: pd.DataFrame) -> Any:
        return table.to_numpy(dtype=np.float64) if form.reads_arrays else table

    def _table_of(self, rows: Floats) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=[column.name for column in self._columns])


_NO_EXAMPLE = RefusedEngine(
    Engine.ONNX, "there is no input example to compare it on; log the model with one."
)

_NO_FORM = RefusedEngine(Engine.ONNX, "no quicker form of it is known.")


def _unusual(rows: Floats) -> list[Floats]:
    """Return tables of one row with a value that models differ on: missing, infinite, huge."""
    made = []
    for place, value in enumerate((np.nan, np.inf, 1e39)):
        row = rows[:1].copy()
        row[0, place % rows.shape[1]] = value
        made.append(row)
    return made


def _seconds_of(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _compilation(
    form: Form, verdict: Verdict, started: float, refused: Sequence[RefusedEngine]
) -> Compilation:
    return Compilation(
        engine=form.engine,
        largest_difference=verdict.largest_difference,
        tolerance=form.tolerance,
        compared_rows=verdict.rows,
        compile_ms=_milliseconds_since(started),
        refused=tuple(dict.fromkeys(refused)),
    )


def _unchanged(started: float, refused: Sequence[RefusedEngine]) -> Compilation:
    return Compilation(
        engine=Engine.NATIVE,
        largest_difference=None,
        tolerance=None,
        compared_rows=0,
        compile_ms=_milliseconds_since(started),
        refused=tuple(dict.fromkeys(refused)) or (_NO_FORM,),
    )


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1e3, 3)
