"""``python -m tests.benchmarks``: measure the server on this machine, and print tables."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import (
    engine,
    engines,
    events,
    hostile,
    jobs,
    latency,
    lists,
    playground,
    rollout,
    run_log,
    runs,
    serving,
    startup,
    subscribers,
    webhooks,
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
    engines.measure,
    engine.measure,
    events.measure,
    runs.measure,
    run_log.measure,
    webhooks.measure,
    jobs.measure,
)
"""Each yields its tables as they are done; a further benchmark is a module with such a function."""


def main() -> None:
    """Register the demo models in a new data folder, and run benchmarks on it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="only show that everything runs; the figures are void"
    )
    parser.add_argument(
        "only", nargs="*", metavar="NAME", choices=[[], *map(_name, BENCHMARKS)],
        help="the benchmarks to run, by their modules; all, if none is named",
    )  # fmt: skip
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        data_dir = Path(folder)
        register_demo_models(data_dir)
        plan = quick_plan(data_dir) if given.quick else Plan(data_dir)
        with running_product(data_dir, environ=startup.WATCHING_IMPORTS) as product:
            chosen = [each for each in BENCHMARKS if not given.only or _name(each) in given.only]
            for benchmark in chosen:
                for table in benchmark(plan, product):
                    print(table.text(), end="\n\n", flush=True)


def _name(benchmark: Callable[..., Iterator[Table]]) -> str:
    return benchmark.__module__.rpartition(".")[2]


def register_demo_models(data_dir: Path) -> None:
    """Train and register the demo models in a process that ends before anything is measured."""
    command = [sys.executable, "-m", "gql_platform", "demo", "--data-dir", str(data_dir)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
