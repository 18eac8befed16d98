"""``python -m tests.benchmarks``: measure the server on this machine, and print tables."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import (
    events,
    hostile,
    latency,
    lists,
    playground,
    rollout,
    serving,
    startup,
    subscribers,
)
from tests.benchmarks.plan import ROOT, Plan, quick_plan
from tests.benchmarks.processes import Product, running_product
from tests.benchmarks.report import Table

BENCHMARKS: tuple[Callable[[Plan, Product], Iterator[Table]], ...] = (
    serving.measure,
    startup.measure,
    lists.measure,
    subscribers.measure,
    rollout.measure,
    playground.measure,
    hostile.measure,
    latency.measure,
    events.measure,
)
"""Each yields its tables as they are done; a further benchmark is a module with such a function."""


def main() -> None:
    """Register the demo models in a new data folder, and run every benchmark on it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="only show that everything runs; the figures are void"
    )
    is_quick = parser.parse_args().quick
    with TemporaryDirectory() as folder:
        data_dir = Path(folder)
        register_demo_models(data_dir)
        plan = quick_plan(data_dir) if is_quick else Plan(data_dir)
        with running_product(data_dir, environ=startup.WATCHING_IMPORTS) as product:
            for benchmark in BENCHMARKS:
                for table in benchmark(plan, product):
                    print(table.text(), end="\n\n", flush=True)


def register_demo_models(data_dir: Path) -> None:
    """Train and register the demo models in a process that ends before anything is measured."""
    command = [sys.executable, "-m", "gql_platform", "demo", "--data-dir", str(data_dir)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
