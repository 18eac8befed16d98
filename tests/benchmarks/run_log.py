"""Logging to a run: a thousand metrics in one mutation, beside MLflow's client."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from mlflow import MlflowClient
from mlflow.entities import Metric

from gql_platform.bootstrap import open_services
from gql_platform.settings import Settings
from gql_platform.testing import GraphQLClient
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table

METRICS = 1_000
KEYS = 10
ROUNDS = 30

CREATE = """
    mutation { runCreate(input: {experiment: {name: "Default"}}) {
      ... on RunChange { run { runId } }
    } }
"""
LOG = """
    mutation ($input: RunLogInput!) { runLog(input: $input) {
      ... on RunLogged { metricCount refused { index code } }
      ... on UserError { message }
    } }
"""

Log = Callable[[int], Awaitable[None]]
"""Logs the metrics of one round."""


def _values(number: int) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of each metric of a round."""
    for index in range(METRICS):
        step = number * METRICS // KEYS + index // KEYS
        yield f"metric_{index % KEYS}", (index * 7919 % 9973) / 9973, step


def by_client(client: MlflowClient, run_id: str) -> Log:
    """Log by MLflow's client."""

    async def log(number: int) -> None:
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, step) for key, value, step in _values(number)]
        client.log_batch(run_id, metrics=metrics)

    return log


def by_mutation(client: GraphQLClient, run_id: str, *, has_key: bool, has_time: bool) -> Log:
    """Log by a mutation, its JSON included."""

    async def log(number: int) -> None:
        timed = {"time": "2026-01-31T12:00:00Z"} if has_time else {}
        metrics = [{"key": k, "value": v, "step": s, **timed} for k, v, s in _values(number)]
        given: dict[str, Any] = {"run": {"runId": run_id}, "metrics": metrics}
        if has_key:
            given["idempotencyKey"] = str(uuid.uuid4())
        sent = orjson.dumps({"input": given})
        answer = await client.execute(LOG, orjson.loads(sent))
        assert answer == {"data": {"runLog": {"metricCount": METRICS, "refused": []}}}, answer

    return log


async def _rows(data_dir: Path, rounds: int) -> list[list[str]]:
    services = open_services(Settings(data_dir=data_dir))
    await services.store.prepare()
    client = GraphQLClient(services)

    async def new_run() -> str:
        answer = await client.execute(CREATE)
        return str(answer["data"]["runCreate"]["run"]["runId"])

    uri = f"sqlite:///{data_dir / 'mlflow.db'}"
    first = await new_run()
    theirs = MlflowClient(tracking_uri=uri, registry_uri=uri)
    assert theirs.get_run(first).info.run_id == first
    ways: dict[str, Log] = {
        "MLflow's client: `log_batch`": by_client(theirs, first),
        "GraphQL: `runLog`": by_mutation(client, await new_run(), has_key=False, has_time=False),
        "GraphQL: `runLog` with a key": by_mutation(
            client, await new_run(), has_key=True, has_time=False
        ),
        "GraphQL: `runLog` with a key and times": by_mutation(
            client, await new_run(), has_key=True, has_time=True
        ),
    }
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    # Each way has its turn in each round, so that none has the machine's better minutes.
    for number in range(rounds + 1):
        for name, log in ways.items():
            walled, used = time.perf_counter(), time.process_time()
            await log(number)
            wall[name].append(1000 * (time.perf_counter() - walled))
            cpu[name].append(1000 * (time.process_time() - used))
    await services.close()
    # The first round opens connections and compiles the document.
    measured = [(name, wall[name][1:], cpu[name][1:]) for name in ways]
    least = statistics.median(measured[0][1])
    return [
        [
            name,
            f"{statistics.median(walls):.1f}",
            f"{max(walls):.1f}",
            f"{statistics.median(cpus):.1f}",
            f"{statistics.median(walls) / least:.2f}",
        ]
        for name, walls, cpus in measured
    ]


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Measure on an embedded store, with the platform's own database beside it."""
    is_whole = plan.starts > 0
    with TemporaryDirectory() as folder:
        rows = asyncio.run(_rows(Path(folder), ROUNDS if is_whole else 1))
    yield Table(
        f"Logging {METRICS:,} metrics in one call",
        ["logging", "median ms", "slowest ms", "CPU ms", "times MLflow's client"],
        rows,
        [
            f"The values are of {KEYS} metrics; each way logs to a run of its own.",
            "GraphQL runs in this process, the variables' JSON and the event included.",
        ],
    )
