"""Lists through GraphQL, in process: graphql-core, compiled selections, and orjson's floor."""

from collections.abc import Iterator

from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.graphql.execution.plans import measure as plans


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Execute selections on lists of records in both ways."""
    yield Table(
        title="CPU milliseconds to execute a selection, and to write its answer",
        header=[
            "selection", "graphql-core", "compiled", "dictionaries by hand", "orjson",
            "compiled + orjson by orjson",
        ],
        rows=[
            [
                each.name,
                f"{each.core:.1f}",
                f"{each.compiled:.2f}",
                f"{each.by_hand:.2f}",
                f"{each.orjson:.2f}",
                f"{each.ratio:.1f}",
            ]
            for each in plans.measure(plan.rounds + 1)
        ],
    )  # fmt: skip
