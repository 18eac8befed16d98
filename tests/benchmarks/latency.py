"""How long single predictions take at half of what the server gets done."""

import asyncio
import json
from collections.abc import Iterator

from tests.benchmarks.crowd import ask, offer
from tests.benchmarks.load import post
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.benchmarks.serving import ROW

CALLERS = 8
CONNECTIONS = 64

ROWS = {
    "breast_cancer": ROW,
    "diabetes": (59.0, 2.0, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.86, 87.0),
    "wine": (13.2, 1.8, 2.4, 15.6, 127.0, 2.8, 3.1, 0.28, 2.3, 5.6, 1.04, 3.9, 1065.0),
}
"""A row for each demo model."""


def measure(plan: Plan, product: Product) -> Iterator[Table]:
    """Find the peak of each demo model, and ask for half of it."""
    seconds = 4.0 if plan.starts else 0.3
    yield Table(
        title=f"single rows over REST, at half of the peak of {CALLERS} callers",
        header=["model", "peak per second", "asked per second", "p50 ms", "p95 ms", "failed"],
        rows=[_cells(product.port, model, seconds) for model in ROWS],
    )


def _cells(port: int, model: str, seconds: float) -> list[str]:
    body = json.dumps({"inputs": [ROWS[model]]}).encode()
    message = post(f"/predict/{model}", body)
    peak = asyncio.run(ask(port, message, connections=CALLERS, seconds=seconds))
    per_second = len(peak.seconds) / seconds
    half = asyncio.run(
        offer(port, message, per_second=per_second / 2, connections=CONNECTIONS, seconds=seconds)
    )
    ordered = sorted(half.seconds)
    p50, p95 = (ordered[int(share * len(ordered))] for share in (0.5, 0.95))
    return [
        model,
        f"{per_second:,.0f}",
        f"{len(ordered) / seconds:,.0f}",
        f"{p50 * 1e3:.1f}",
        f"{p95 * 1e3:.1f}",
        f"{half.others + len(half.refused_seconds)}",
    ]
