# ruff: noqa: S608 - the statements are made of this module's own words
"""Runs: a page out of many, and a long series cut down, beside SQL by hand and MLflow's client."""

import asyncio
import resource
import sqlite3
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from mlflow import MlflowClient
from mlflow.entities import ViewType
from sqlalchemy import event

from gql_platform.adapters.mlflow import embedded
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.database.connection import MLflowDatabase
from gql_platform.adapters.mlflow.database.store import DatabaseRuns
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.adapters.mlflow.store import MLflowStore
from gql_platform.adapters.sql import sqlite_file
from gql_platform.registry.service import Registry
from gql_platform.run_search.records import RunFilter, RunOrder, RunOrderField
from gql_platform.startup import settle_memory
from gql_platform.testing import GraphQLClient, InMemoryLoader, InMemoryStore, in_memory_services
from gql_platform.tracking.records import HistoryRequest, MetricRef
from gql_platform.tracking.service import Tracking
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table

PAGE = 100
REPEATS = 20
MAX_POINTS = 1_000

QUERY = """
    query ($order: RunOrderInput) { runs(first: 100, orderBy: $order) { nodes {
      runId name state timing { startedAt finishedAt }
      params { key value } metrics { key value step } tags { key value }
      modelVersions { version aliases }
    } } }
"""

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"


@dataclass(frozen=True)
class Size:
    """How large the store is."""

    runs: int
    metrics: int
    steps: int
    params: int
    points: int


WHOLE = Size(runs=10_000, metrics=20, steps=100, params=20, points=1_000_000)
PART = Size(runs=200, metrics=4, steps=5, params=4, points=20_000)


def store_of(size: Size, folder: Path) -> str:
    """Make a store of that size in a folder, and return its address."""
    file = folder / "mlflow.db"
    uri = f"sqlite:///{file}"
    sqlite_file.prepare(uri, data_dir=folder)
    embedded.create_tables(uri, artifact_root=(folder / "artifacts").as_uri())
    with closing(sqlite3.connect(file)) as connection:
        _fill(connection, size)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return uri


def _fill(connection: sqlite3.Connection, size: Size) -> None:
    """Make the rows inside the database, which is quicker than to send them."""
    c = connection
    indexes = c.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('metrics', 'params', 'latest_metrics', 'tags')"
    ).fetchall()
    for name, _ in indexes:
        c.execute(f"DROP INDEX {name}")
    runs = NUMBERS.format(count=size.runs)
    c.execute(
        f"{runs} INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage,"
        " experiment_id, source_type, source_name, user_id, artifact_uri)"
        " SELECT printf('%032x', i), 'run ' || i, 'FINISHED',"
        " 1767225600000 + i * 1000, 1767225600000 + i * 1000 + 500, 'active', 0, 'LOCAL', '',"
        " 'bench', '' FROM n"
    )
    ids = "SELECT run_uuid, CAST(substr(name, 5) AS INTEGER) AS r FROM runs"
    for number in range(size.params):
        c.execute(
            f"INSERT INTO params (key, value, run_uuid)"
            f" SELECT 'param_{number:02}', r % 7, run_uuid FROM ({ids})"
        )
    c.execute(f"INSERT INTO tags (key, value, run_uuid) SELECT 'team', 'x', run_uuid FROM ({ids})")
    steps = NUMBERS.format(count=size.steps)
    for number in range(size.metrics):
        key, value = f"metric_{number:02}", f"((r * 7919 + i * 104729 + {number}) % 9973) / 9973.0"
        c.execute(
            f"{steps} INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
            f" SELECT '{key}', {value}, 1767225600000 + i, run_uuid, i, 0 FROM ({ids}), n"
        )
        c.execute(
            f"INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
            f" SELECT key, value, timestamp, step, is_nan, run_uuid FROM metrics"
            f" WHERE key = '{key}' AND step = {size.steps - 1}"
        )
    points = NUMBERS.format(count=size.points)
    c.execute(
        f"{points} INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
        f" SELECT 'long', (i * 7919 % 9973) / 9973.0, i, printf('%032x', 0), i, 0 FROM n"
    )
    c.execute("INSERT INTO registered_models (name) VALUES ('model')")
    c.execute(
        "INSERT INTO model_versions (name, version, creation_time, current_stage, run_id, status)"
        f" SELECT 'model', r + 1, 1767225600000, 'None', run_uuid, 'READY' FROM ({ids})"
        f" WHERE r >= {size.runs} - {PAGE}"
    )
    for _, sql in indexes:
        c.execute(sql)
    c.commit()


def page_by_hand(connection: sqlite3.Connection, *, metric: str | None) -> bytes:
    """Return the same page by five statements and loops, as JSON."""
    join = "LEFT JOIN latest_metrics o ON o.key = ? AND o.run_uuid = r.run_uuid " if metric else ""
    order = "o.is_nan, o.value DESC, " if metric else ""
    rows = connection.execute(
        f"SELECT r.run_uuid, r.name, r.status, r.start_time, r.end_time FROM runs r {join}"
        f"WHERE lifecycle_stage = 'active' ORDER BY {order}start_time DESC, r.run_uuid"
        f" LIMIT {PAGE}",
        [metric] if metric else [],
    ).fetchall()
    nodes: dict[str, dict[str, Any]] = {
        row[0]: {
            "runId": row[0], "name": row[1], "state": row[2], "startedAt": row[3],
            "finishedAt": row[4], "params": [], "metrics": [], "tags": [], "modelVersions": [],
        }
        for row in rows
    }  # fmt: skip
    marks, ids = ",".join("?" * len(nodes)), list(nodes)
    for table, field in (("params", "params"), ("tags", "tags")):
        found = connection.execute(
            f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN ({marks}) ORDER BY key",
            ids,
        )
        for run_id, key, value in found:
            nodes[run_id][field].append({"key": key, "value": value})
    for run_id, key, value, step in connection.execute(
        "SELECT run_uuid, key, value, step FROM latest_metrics"
        f" WHERE run_uuid IN ({marks}) ORDER BY key",
        ids,
    ):
        nodes[run_id]["metrics"].append({"key": key, "value": value, "step": step})
    for run_id, version in connection.execute(
        f"SELECT run_id, version FROM model_versions WHERE run_id IN ({marks})", ids
    ):
        nodes[run_id]["modelVersions"].append({"version": version, "aliases": []})
    return orjson.dumps({"data": {"runs": {"nodes": list(nodes.values())}}})


def page_by_client(client: MlflowClient, *, metric: str | None) -> object:
    """Return the same page by MLflow's client, with its versions."""
    order = [f"metrics.{metric} DESC"] if metric else ["attributes.start_time DESC"]
    found = client.search_runs(
        ["0"], run_view_type=ViewType.ACTIVE_ONLY, max_results=PAGE, order_by=order
    )
    ids = ",".join(f"'{run.info.run_id}'" for run in found)
    return found, client.search_model_versions(f"run_id IN ({ids})")


class OverGraphQL:
    """The page over GraphQL, in process, and what it does in the database."""

    def __init__(self, uri: str) -> None:
        self.database = MLflowDatabase(uri)
        client = Client(tracking_uri=uri, registry_uri=uri)
        runs = DatabaseRuns(self.database, MLflowRuns(client), has_registry=True)
        self.tracking = Tracking(runs, Registry(MLflowStore(client)))
        services = in_memory_services(InMemoryStore(), InMemoryLoader({}))
        object.__setattr__(services, "tracking", self.tracking)
        self.client = GraphQLClient(services)
        self.statements = 0
        event.listen(self.database.engine, "before_cursor_execute", self._count)

    async def page(self, *, metric: str | None) -> bytes:
        """Return a page as JSON, as the server would send it."""
        order = {"field": "METRIC", "metric": metric} if metric else None
        answer = await self.client.schema.execute(
            QUERY, variable_values={"order": order}, context_value=self.client.context()
        )
        assert answer.data is not None
        assert len(answer.data["runs"]["nodes"]) == PAGE
        return orjson.dumps({"data": answer.data}, option=orjson.OPT_SERIALIZE_NUMPY)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.statements += statement.startswith("SELECT")


async def _timed(call: Callable[[], Awaitable[object]], repeats: int) -> float:
    """Return the CPU milliseconds of a call, once it has been tried."""
    await call()
    begun = time.process_time()
    for _ in range(repeats):
        await call()
    return 1000 * (time.process_time() - begun) / repeats


async def _pages(uri: str, repeats: int) -> list[list[str]]:
    ours, theirs = OverGraphQL(uri), MlflowClient(tracking_uri=uri, registry_uri=uri)
    # As a server does: a round over all that was imported would count for whoever sets it off.
    settle_memory()
    rows = []
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as connection:
        for name, metric in (("newest", None), ("by a metric", "metric_00")):

            async def by_hand(metric: str | None = metric) -> object:
                return page_by_hand(connection, metric=metric)

            async def by_client(metric: str | None = metric) -> object:
                return page_by_client(theirs, metric=metric)

            hand = await _timed(by_hand, repeats)
            ours.statements = 0
            graphql = await _timed(lambda metric=metric: ours.page(metric=metric), repeats)  # type: ignore[misc]
            count = ours.statements // (repeats + 1)
            client = await _timed(by_client, 1)
            rows += [
                [f"{name}: SQL by hand", "5", f"{hand:.1f}", "1.0"],
                [f"{name}: GraphQL", str(count), f"{graphql:.1f}", f"{graphql / hand:.1f}"],
                [f"{name}: MLflow's client", "", f"{client:.1f}", f"{client / hand:.1f}"],
            ]
    chosen, order = RunFilter(), RunOrder(RunOrderField.METRIC, "metric_00")
    page = await _timed(lambda: ours.tracking.run_page(chosen, order=order, first=PAGE), repeats)
    rows.append(["by a metric: the service alone", "", f"{page:.1f}", ""])
    ours.database.close()
    return rows


async def _series(uri: str, points: int) -> list[str]:
    ours = OverGraphQL(uri)
    request = HistoryRequest(MetricRef(f"{0:032x}", "long"), MAX_POINTS)
    cpu, wall = time.process_time(), time.perf_counter()
    found = (await ours.tracking.metric_histories([request]))[request]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert found.total_points == points
    tracemalloc.start()
    await ours.tracking.metric_histories([request])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    ours.database.close()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cells = [f"{len(found.steps):,}", f"{cpu:.2f}", f"{wall:.2f}", f"{peak / 1e6:.0f}"]
    return [f"{points:,} points", *cells, f"{resident:.0f}"]


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Measure on a store on SQLite."""
    is_whole = plan.starts > 0
    size = WHOLE if is_whole else PART
    with TemporaryDirectory() as folder:
        yield from _tables(store_of(size, Path(folder)), size, is_whole=is_whole)


def _tables(uri: str, size: Size, *, is_whole: bool) -> Iterator[Table]:
    yield Table(
        f"A page of {PAGE} runs out of {size.runs:,}, with params, metrics, tags and versions",
        ["page", "statements", "CPU ms", "times the SQL by hand"],
        asyncio.run(_pages(uri, REPEATS if is_whole else 1)),
        [
            f"Each run has {size.params} params and {size.metrics} metrics of {size.steps} steps.",
            "No `ANALYZE` was run. GraphQL runs in this process, its answer's JSON included.",
        ],
    )
    yield Table(
        f"A series cut down to {MAX_POINTS:,} points",
        ["series", "kept", "CPU s", "seconds", "peak MB of Python", "resident MB of all"],
        [asyncio.run(_series(uri, size.points))],
    )
