"""Estimators in their own form and in the compiled one, in this process."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gql_platform.serving.ports import Predictor
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.unit.adapters.estimators.fitted import FLATS, IRIS, IS_DEAR, KINDS, pair_of

SIZES = (1, 32)
"""How many rows a call has."""

_CALLS = 5
"""How many calls each form makes in turn, per round."""


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Fit and compile estimators, and call both forms in turn."""
    yield Table(
        title="µs per call: the model itself, and its compiled form",
        header=[
            "estimator", "engine", "1 row", "compiled", "ratio", "32 rows", "compiled", "ratio",
            "largest difference", "compile s",
        ],
        rows=[
            _row(name, *each, rounds=plan.rounds) for name, each in _estimators().items()
        ],
        notes=["the shortest of all calls counts; both forms take turns in one run"],
    )  # fmt: skip


def _estimators() -> dict[str, tuple[Any, pd.DataFrame, Any]]:
    return {
        "LogisticRegression": (LogisticRegression(max_iter=500), IRIS, KINDS),
        "RandomForest of 100": (RandomForestClassifier(100, random_state=0), IRIS, KINDS),
        "GradientBoosting": (GradientBoostingClassifier(random_state=0), IRIS, KINDS),
        "HistGradientBoosting": (HistGradientBoostingClassifier(), IRIS, KINDS),
        "LightGBM": (LGBMClassifier(n_jobs=1, verbose=-1), IRIS, KINDS),
        "ColumnTransformer + LogisticRegression": (_piped(LogisticRegression()), FLATS, IS_DEAR),
        "ColumnTransformer + RandomForest of 100": (
            _piped(RandomForestClassifier(100, random_state=0)), FLATS, IS_DEAR,
        ),
    }  # fmt: skip


def _piped(final: Any) -> Any:
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["town (Swiss)", "kind"]),
            ("numbers", StandardScaler(), ["rooms", "area m2"]),
        ]
    )
    return make_pipeline(columns, final)


def _row(name: str, estimator: Any, frame: pd.DataFrame, target: Any, *, rounds: int) -> list[str]:
    native, quicker = pair_of(estimator, frame, target)
    made = quicker.compilation
    cells = [name, made.engine.name]
    for size in SIZES:
        rows = frame.iloc[:size]
        itself, form = _shortest([_call(native, rows), _call(quicker, rows)], rounds)
        cells += [f"{itself:,.0f}", f"{form:,.1f}", f"{itself / form:.1f}"]
    largest = made.largest_difference
    difference = "-" if largest is None else f"{largest:.1e}"
    return [*cells, difference, f"{made.compile_ms / 1e3:.2f}"]


def _call(predictor: Predictor, rows: pd.DataFrame) -> Callable[[], object]:
    """Return a call with rows as the predictor reads them without converting them first."""
    given = rows.to_numpy(dtype=np.float64) if predictor.takes_arrays else rows
    return partial(predictor.predict, given)


def _shortest(calls: list[Callable[[], object]], rounds: int) -> list[float]:
    """Return the microseconds of the shortest call of each, which take turns."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for place, call in enumerate(calls):
            for _ in range(_CALLS):
                began = time.perf_counter()
                call()
                best[place] = min(best[place], (time.perf_counter() - began) * 1e6)
    return best
