"""What swaps, overload and many models do to those who ask for predictions."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import httpx2
import uvicorn

from gql_platform.adapters.isolation.isolation import ProcessIsolation
from gql_platform.app import create_app
from gql_platform.graphql.schema import build_schema
from gql_platform.observability import configure_logging
from gql_platform.registry.records import CHAMPION, Column, ColumnType, Signature, VersionRef
from gql_platform.server import SWITCH_SECONDS
from gql_platform.serving.records import ModelState, ServedModel, Task
from gql_platform.settings import LogFormat, LogLevel, Settings
from gql_platform.testing import (
    HOUSE_PACKAGE,
    InMemoryLoader,
    InMemoryStore,
    LinearRegressor,
    in_memory_services,
)
from tests.benchmarks.crowd import Answers, ask, offer
from tests.benchmarks.load import post
from tests.benchmarks.plan import ROOT, Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table as Report
from tests.benchmarks.slow import SLOW_SECONDS, Slow

SWAPS = 20
CALLERS = 8
MODELS = 200
FEATURES = 30
QUEUE = 32
CONNECTIONS = 256
OVERLOAD = 4
REQUEST = b'{"inputs":[[100.0,4,true]]}'
VERSION = re.compile(rb'"version":(\d+)')

PROMOTE = """mutation ($version: Int!) {
  modelVersionPromote(input: {model: "swapped", version: $version}) { __typename } }"""


def serve() -> None:
    """Serve a model of two versions and a slow one, and print the port."""
    sys.setswitchinterval(SWITCH_SECONDS)
    configure_logging(level=LogLevel.ERROR, log_format=LogFormat.JSON)
    store = InMemoryStore()
    store.add_version("swapped", package=HOUSE_PACKAGE, aliases=[CHAMPION])
    store.add_version("swapped", package=HOUSE_PACKAGE)
    store.add_version("slow", package=HOUSE_PACKAGE)
    loader = InMemoryLoader(
        {
            VersionRef("swapped", 1): LinearRegressor([1.0, 0.0, 0.0]),
            VersionRef("swapped", 2): LinearRegressor([2.0, 0.0, 0.0]),
            VersionRef("slow", 1): Slow(),
        }
    )
    services = in_memory_services(
        store, loader, max_queue=QUEUE, max_batch_rows=1, isolation=ProcessIsolation()
    )
    app = create_app(Settings(), services)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="on")).run(
        sockets=[listener]
    )


def measure(plan: Plan, _: Product) -> Iterator[Report]:
    """Swap, overload, and build a large schema."""
    seconds = 10.0 if plan.starts else 0.5
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.rollout"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        _wait_until_ready(port)
        yield asyncio.run(_swaps(port, seconds))
        yield asyncio.run(_overload(port, seconds))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
    yield _many_models(MODELS if plan.starts else 3)


def _wait_until_ready(port: int) -> None:
    ends_at = time.perf_counter() + 60
    while httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code != 200:
        assert time.perf_counter() < ends_at


async def _swaps(port: int, seconds: float) -> Report:
    """Promote one version and the other, in turn, while callers predict."""
    message = post("/predict/swapped", REQUEST)
    asking = asyncio.create_task(
        ask(port, message, connections=CALLERS, seconds=seconds, look_for=VERSION)
    )
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for number in range(SWAPS):
            await asyncio.sleep(seconds / (SWAPS + 2))
            body = {"query": PROMOTE, "variables": {"version": 2 - number % 2}}
            answer = (await client.post("/graphql", json=body)).json()
            assert answer["data"]["modelVersionPromote"]["__typename"] == "DeploymentChange"
    answers = await asking
    served = ", ".join(
        f"version {name.decode()}: {count:,}" for name, count in sorted(answers.found.items())
    )
    return Report(
        title=f"{SWAPS} swaps of a version under the load of {CALLERS} callers",
        header=["answers", "of these", "failed", "p50 ms", "p99 ms", "longest ms"],
        rows=[[
            f"{len(answers.seconds):,}", served,
            f"{answers.others + len(answers.refused_seconds)}",
            *_milliseconds(answers.seconds, 0.5, 0.99, 1.0),
        ]],
    )  # fmt: skip


async def _overload(port: int, seconds: float) -> Report:
    """Ask a model that computes 5 ms for more than it gets done."""
    message = post("/predict/slow", REQUEST)
    peak = await ask(port, message, connections=8, seconds=seconds)
    per_second = OVERLOAD * len(peak.seconds) / seconds
    over = await offer(
        port, message, per_second=per_second, connections=CONNECTIONS, seconds=seconds
    )
    return Report(
        title=f"a model of {SLOW_SECONDS * 1e3:.0f} ms per call, one row each, queue of {QUEUE}",
        header=[
            "load", "answers per second", "refusals per second", "other failures",
            "answer p99 ms", "refusal p50 ms", "refusal p99 ms",
        ],
        rows=[
            _row("8 callers, as much as it gets done", peak, seconds),
            _row(f"{OVERLOAD} x as much: {per_second:,.0f} requests per second", over, seconds),
        ],
    )  # fmt: skip


def _row(title: str, answers: Answers, seconds: float) -> list[str]:
    return [
        title, f"{len(answers.seconds) / seconds:,.0f}",
        f"{len(answers.refused_seconds) / seconds:,.0f}", f"{answers.others}",
        *_milliseconds(answers.seconds, 0.99), *_milliseconds(answers.refused_seconds, 0.5, 0.99),
    ]  # fmt: skip


def _many_models(count: int) -> Report:
    """Build the schema of many models, beside the one that answers."""
    models = [_served(number) for number in range(count)]
    rows = []
    for title, served in (("for the first time", models), ("after one of them went", models[1:])):
        began = time.process_time()
        schema = build_schema(served)
        seconds = time.process_time() - began
        rows.append([title, f"{len(served)}", f"{len(schema.type_names)}", f"{seconds:.2f}"])
    return Report(
        title=f"the schema of many models of {FEATURES} features",
        header=["built", "models", "types", "CPU s"],
        rows=rows,
    )


def _served(number: int) -> ServedModel:
    columns = tuple(
        Column(f"feature {place}", ColumnType.DOUBLE, required=True) for place in range(FEATURES)
    )
    return ServedModel(
        model=f"model_{number}",
        version=1,
        state=ModelState.READY,
        task=Task.REGRESSION,
        labels=(),
        reason=None,
        loaded_at=None,
        load_ms=None,
        signature=Signature(columns, ()),
    )


def _milliseconds(seconds: Sequence[float], *quantiles: float) -> list[str]:
    if len(seconds) < 2:
        return ["-" for _ in quantiles]
    ordered = sorted(seconds)
    places = (min(int(quantile * len(ordered)), len(ordered) - 1) for quantile in quantiles)
    return [f"{ordered[place] * 1e3:.1f}" for place in places]


if __name__ == "__main__":
    serve()
