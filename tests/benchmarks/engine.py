"""The CPU time of a prediction, beside that of other servers with the same models.

``python -m tests.benchmarks.engine`` measures only this. Peers that are not installed are listed
with the reason.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import psutil

from tests.benchmarks.load import Load, Reading, UnexpectedAnswerError, drive, post
from tests.benchmarks.peers.install import PEERS, version_of, why_missing
from tests.benchmarks.peers.models import TITLES, Case, read_case
from tests.benchmarks.peers.servers import (
    NotRunningError,
    Row,
    all_servers,
    as_json,
    running,
    tensors,
)
from tests.benchmarks.plan import ROOT, Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.e2e.server import running_server

CONNECTIONS = (1, 32)
COMPILE_SECONDS = 120

STATE = "{ server { models { model state compilation { engine compileMs } } } }"
FIELDS = "query ($type: String!) { __type(name: $type) { inputFields { name } } }"

NOTES = (
    "CPU µs of all processes of a server per request of one row; answers were compared first.",
    "`x` divides by GraphQL at the same connections; a figure below 1 is cheaper than ours.",
    "OMP_NUM_THREADS is 1 for all; batches are of at most 32 rows.",
    "Target: below every peer; a forest at 32 connections at most 1/10 of the best that batches.",
)


@dataclass(frozen=True, slots=True)
class Way:
    """A request to a running server: its title, process, port, and what to send and expect."""

    title: str
    pid: int
    port: int
    request: Callable[[Row], bytes]
    answer: str


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Fit the models, serve each with every server in turn, and yield a table per model."""
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as generator,
    ):
        files, data_dir = Path(folder) / "models", Path(folder) / "data"
        files.mkdir()
        data_dir.mkdir()
        module = "tests.benchmarks.peers.models"
        command = [sys.executable, "-m", module, str(files), str(data_dir)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        with running_server(data_dir, environ={"OMP_NUM_THREADS": "1"}) as server:
            engines = _engines(server.url)
            for name in TITLES if plan.starts else ("forest",):
                case = read_case(files, name)
                ours = _ours(server.process.pid, server.url, case)
                yield _table(plan, generator, case, files, ours, engines[name])


def _engines(url: str) -> dict[str, str]:
    """Return the engine of each model, once all have been compiled as well as they can be."""
    ends_at = time.perf_counter() + COMPILE_SECONDS
    while True:
        models = _asked(url, {"query": STATE})["server"]["models"]
        found = {each["model"]: each["compilation"] for each in models}
        if len(found) == len(TITLES) and all(c and c["compileMs"] > 0 for c in found.values()):
            return {model: str(each["engine"]) for model, each in found.items()}
        assert time.perf_counter() < ends_at, models
        time.sleep(0.2)


def _ours(pid: int, url: str, case: Case) -> list[Way]:
    name, port = case.name, int(url.rpartition(":")[2])
    row_type = f"{name.capitalize()}Row"
    found = _asked(url, {"query": FIELDS, "variables": {"type": row_type}})["__type"]
    fields = [each["name"] for each in found["inputFields"]]
    query = (
        f"query ($rows: [{row_type}!]!) {{ predict {{ {name}(rows: $rows) "
        "{ predictions { label probability } } } }"
    )

    def typed(row: Row) -> bytes:
        rows = [dict(zip(fields, row.values(), strict=True))]
        return post("/graphql", as_json({"query": query, "variables": {"rows": rows}}))

    return [
        Way("ours, GraphQL typed field", pid, port, typed, '"label":"%s"'),
        Way("ours, REST `/predict`", pid, port,
            lambda row: post(f"/predict/{name}", as_json({"inputs": [row]})),
            '"predictions":[{"label":"%s"'),
        Way("ours, Open Inference REST", pid, port,
            lambda row: post(f"/v2/models/{name}/infer", tensors(row)), '"data":["%s"]'),
    ]  # fmt: skip


def _asked(url: str, body: dict[str, Any]) -> Any:
    answer = httpx2.post(f"{url}/graphql", json=body, timeout=30).json()
    assert "errors" not in answer, answer
    return answer["data"]


def _table(
    plan: Plan,
    generator: ProcessPoolExecutor,
    case: Case,
    files: Path,
    ours: list[Way],
    engine: str,
) -> Table:
    rows, failed = [], []
    figures = [(way.title, _figures(plan, generator, case, way)) for way in ours]
    for server in all_servers():
        reason = why_missing(server.peer) if server.peer else None
        if reason is None:
            try:
                with (
                    TemporaryDirectory() as folder,
                    running(server, files / f"{case.name}.joblib", Path(folder)) as (pid, port),
                ):
                    ask, name = server.request, case.name
                    way = Way(server.title, pid, port, lambda r: ask(name, r), server.answer)  # noqa: B023
                    figures.append((server.title, _figures(plan, generator, case, way)))
                    continue
            except (NotRunningError, UnexpectedAnswerError, ConnectionError, OSError) as error:
                reason = str(error).strip().splitlines()[-1] if str(error) else repr(error)
        figures.append((server.title, []))
        failed.append(f"{server.title}: {reason}")
    base = [reading.server_us for reading in figures[0][1]]
    for title, readings in figures:
        cells = [_cells(reading, us) for reading, us in zip(readings, base, strict=False)]
        rows.append([title, *(cells[0] + cells[1] if cells else ["-"] * 6)])
    versions = ", ".join(f"{peer} {version_of(peer)}" for peer in PEERS)
    return Table(
        title=f"{TITLES[case.name]} ({engine}): CPU per request beside {versions}",
        header=["server", *(f"{what}, {count}" for count in CONNECTIONS for what in
                            ("CPU µs", "per s", "x"))],
        rows=rows,
        notes=(*NOTES, *failed),
    )  # fmt: skip


def _figures(plan: Plan, generator: ProcessPoolExecutor, case: Case, way: Way) -> list[Reading]:
    """Compare the answers, and return the median reading for each number of connections."""
    others = tuple(each.pid for each in psutil.Process(way.pid).children(recursive=True))

    def read(row: Row, label: str, connections: int, count: int) -> Reading:
        expected = (way.answer % label).encode()
        load = Load(way.pid, way.port, way.request(row), expected, connections, count, others)
        return generator.submit(drive, load).result(timeout=120)

    for row, label in zip(case.rows, case.labels, strict=True):
        read(row, label, 1, 1)
    medians = []
    for connections in CONNECTIONS:
        read(case.rows[0], case.labels[0], connections, max(plan.warm_up // 3, connections))
        rounds = [
            read(case.rows[0], case.labels[0], connections, max(plan.requests // 4, connections))
            for _ in range(min(plan.rounds, 3))
        ]
        medians.append(_median(rounds))
    return medians


def _median(readings: list[Reading]) -> Reading:
    return sorted(readings, key=lambda reading: reading.server_us)[len(readings) // 2]


def _cells(reading: Reading, ours_us: float) -> list[str]:
    per_second = reading.busy / reading.server_us * 1e6
    return [
        f"{reading.server_us:,.0f}", f"{per_second:,.0f}", f"{reading.server_us / ours_us:.2f}",
    ]  # fmt: skip


def main() -> None:
    """Measure this alone, and print the tables."""
    for table in measure(Plan(Path()), Product(0, 0, None)):  # type: ignore[arg-type]
        print(table.text(), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
