"""From the start of the process to being ready, with the demo models in the registry."""

import statistics
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product, Start, running_product
from tests.benchmarks.report import Table

CPU_TARGET_SECONDS = 3.0
MEMORY_TARGET_MB = 300.0

HEAVY_MODULES = (
    "torch",
    "spacy",
    "gensim",
    "evidently",
    "matplotlib",
    "streamlit",
    "onnxruntime",
    "mlflow.server",
    "mlflow.pyfunc",
    "mlflow",
    "sqlalchemy",
    "alembic",
    "pandas",
    "scipy.stats",
    "sklearn.ensemble",
    "skops.io",
)
"""Modules that take long to import: at first those that a server should not need."""

WATCHING_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""What makes CPython write a line for each import, like its option ``-X importtime``."""

_MARK = "import time:"


def measure(plan: Plan, product: Product) -> Iterator[Table]:
    """Measure some starts, and list what the product has imported on its way.

    Args:
        plan: How many starts are measured, and with which data.
        product: A server that was started with `WATCHING_IMPORTS`.
    """
    starts = [start(plan.data_dir) for _ in range(plan.starts)] or [product.start]
    yield Table(
        title=f"From start to ready with the demo models registered, median of {len(starts)}",
        header=["figure", "median", "range", "target"],
        rows=[
            _row("CPU s", [each.cpu_seconds for each in starts], f"<= {CPU_TARGET_SECONDS:.0f}"),
            _row(
                "resident MB", [each.resident_mb for each in starts], f"<= {MEMORY_TARGET_MB:.0f}"
            ),
            _row("wall s", [each.wall_seconds for each in starts], "none"),
        ],
    )
    imports = import_times(product.start.written)
    yield Table(
        title="Heavy modules in the serving process when it is ready",
        header=["module", "imported", "ms, with what it imports"],
        rows=[_module_row(name, imports) for name in HEAVY_MODULES],
    )


def start(data_dir: Path) -> Start:
    """Start a server, and stop it when it is ready."""
    with running_product(data_dir) as product:
        return product.start


def import_times(lines: Iterable[str]) -> dict[str, float]:
    """Read the lines of ``-X importtime``: own and cumulative microseconds, and the name."""
    times = {}
    for line in lines:
        if line.startswith(_MARK):
            _, cumulative, name = line.removeprefix(_MARK).split("|")
            if cumulative.strip().isdecimal():
                times[name.strip()] = int(cumulative) / 1e3
    return times


def _module_row(name: str, times: dict[str, float]) -> list[str]:
    # CPython reports attempts that fail as well.
    if find_spec(name.partition(".")[0]) is None:
        return [name, "not installed", ""]
    # It does not report a package that is imported only on the way to one of its modules.
    within = [ms for each, ms in times.items() if f"{each}.".startswith(f"{name}.")]
    return [name, "yes", f"{max(within):,.0f}"] if within else [name, "no", ""]


def _row(name: str, values: list[float], target: str) -> list[str]:
    median = statistics.median(values)
    return [name, _shown(median), f"{_shown(min(values))} to {_shown(max(values))}", target]


def _shown(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
