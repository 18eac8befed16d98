"""MLflow's tables are read in few statements, change nothing, and are left alone if unknown."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog
from mlflow import MlflowClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.database.connection import MLflowDatabase, is_readable
from gql_platform.adapters.mlflow.database.store import DatabaseRuns
from gql_platform.adapters.mlflow.runs import MLflowRuns
from gql_platform.errors import RegistryUnavailableError
from gql_platform.run_search.records import (
    Comparator,
    MetricCondition,
    RunFilter,
    RunOrder,
    RunOrderField,
    TextCondition,
)
from gql_platform.tracking.records import MetricRef
from tests.contract.mlflow_registry import client_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BY_LOSS = RunOrder(RunOrderField.METRIC, "loss")
FILTER = RunFilter(
    metrics=(MetricCondition("loss", Comparator.GTE, 0.0),), tags=(TextCondition("by", "test"),)
)


@pytest.fixture
def database(uri: str) -> Iterator[MLflowDatabase]:
    """The reader's connection to an MLflow on SQLite."""
    database = MLflowDatabase(uri)
    yield database
    database.close()


@pytest.fixture
def runs(database: MLflowDatabase, client: Client) -> DatabaseRuns:
    """The reader."""
    return DatabaseRuns(database, MLflowRuns(client), has_registry=True)


def fill(opened: MlflowClient, count: int) -> list[str]:
    """Track runs with a param, a metric and a tag each, and return their ids."""
    found = []
    for number in range(count):
        run = opened.create_run("0", run_name=f"run {number}", tags={"by": "test"})
        opened.log_param(run.info.run_id, "number", number)
        opened.log_metric(run.info.run_id, "loss", float(number))
        found.append(str(run.info.run_id))
    return found


@contextmanager
def statements(database: MLflowDatabase) -> Iterator[list[str]]:
    """Collect the statements that are executed meanwhile."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield found
    event.remove(database.engine, "before_cursor_execute", note)


class TestStatements:
    @pytest.mark.parametrize("order", [RunOrder(), BY_LOSS])
    async def test_a_page_takes_the_same_number_whatever_its_size(
        self, runs: DatabaseRuns, database: MLflowDatabase, opened: MlflowClient, order: RunOrder
    ) -> None:
        """The revision, the runs, and one each for params, metrics, tags and data sets."""
        fill(opened, 12)
        for limit in (1, 10):
            with statements(database) as found:
                page = await runs.run_page(FILTER, order=order, after=None, limit=limit)
            assert len(page) == limit
            # The beginning of the transaction counts as a statement, too.
            assert len([each for each in found if each.startswith("SELECT")]) == 6

    async def test_a_count_takes_one(
        self, runs: DatabaseRuns, database: MLflowDatabase, opened: MlflowClient
    ) -> None:
        """Behind the revision, which each read looks at."""
        fill(opened, 3)
        for count, expected in ((runs.run_count(FILTER), 3), (runs.experiment_count(), 1)):
            with statements(database) as found:
                assert await count == expected
            assert len([each for each in found if each.startswith("SELECT")]) == 2

    async def test_versions_take_three(
        self, runs: DatabaseRuns, database: MLflowDatabase, opened: MlflowClient
    ) -> None:
        """The revision, the versions, their tags and their aliases, however many runs there are."""
        ids = fill(opened, 5)
        with statements(database) as found:
            assert await runs.versions_of_runs(ids) == {}
        assert len([each for each in found if each.startswith("SELECT")]) == 4

    async def test_a_metric_that_orders_is_looked_up_by_its_primary_key(
        self, runs: DatabaseRuns, database: MLflowDatabase, opened: MlflowClient
    ) -> None:
        """Without statistics, too, no plan walks through all metrics of a run."""
        fill(opened, 2)
        with statements(database) as found:
            await runs.run_page(RunFilter(), order=BY_LOSS, after=None, limit=5)
        (query,) = [each for each in found if "FROM runs LEFT" in each]
        with database.engine.connect() as connection:
            filled = query.replace("?", "1")
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {filled}")).all()
        steps = " / ".join(str(row[3]) for row in plan)
        assert (
            "SEARCH ordered USING INDEX sqlite_autoindex_latest_metrics_1 (key=? AND run" in steps
        )

    async def test_histories_take_one_for_each_name(
        self, runs: DatabaseRuns, database: MLflowDatabase, opened: MlflowClient
    ) -> None:
        """Many runs with the same metric are read at once, by the index for it."""
        ids = fill(opened, 5)
        with statements(database) as found:
            histories = await runs.metric_histories([MetricRef(each, "loss") for each in ids])
        assert len(histories) == 5
        assert len([each for each in found if each.startswith("SELECT")]) == 2


class TestGuard:
    async def test_unknown_revision_is_left_to_the_client(
        self, runs: DatabaseRuns, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """The answers are the same, and the log says so once."""
        ids = fill(opened, 3)
        known = await runs.run_page(FILTER, order=BY_LOSS, after=None, limit=2)
        with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
        with structlog.testing.capture_logs() as lines:
            assert await runs.run_page(FILTER, order=BY_LOSS, after=None, limit=2) == known
            assert list(await runs.runs(ids[:1])) == ids[:1]
        (line,) = [each for each in lines if each["event"] == "mlflow_tables_not_read"]
        assert (line["log_level"], line["revision"]) == ("warning", "of tomorrow")

    async def test_tables_of_another_version_end_typed_where_nobody_can_read_them(
        self, database: MLflowDatabase, uri: str, tmp_path: Path
    ) -> None:
        """MLflow itself refuses tables that it does not know, and that is told as an outage."""
        with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
        runs = DatabaseRuns(database, MLflowRuns(client_of(uri)), has_registry=True)
        with pytest.raises(RegistryUnavailableError):
            await runs.run_page(RunFilter(), order=RunOrder(), after=None, limit=1)

    async def test_nothing_can_be_written(self, database: MLflowDatabase) -> None:
        """The connection refuses every change."""
        with database.engine.connect() as connection, pytest.raises(OperationalError):
            connection.execute(text("DELETE FROM runs"))

    @pytest.mark.parametrize(
        ("uri", "expected"),
        [
            ("sqlite:////srv/mlflow.db", True),
            ("postgresql+psycopg://me@host/name", True),
            ("sqlite://", False),
            ("mysql+pymysql://me@host/name", False),
            ("https://mlflow.example.com", False),
            ("databricks", False),
        ],
    )
    def test_kinds_of_stores(self, uri: str, *, expected: bool) -> None:
        """Other databases and servers are left to MLflow's client."""
        assert is_readable(uri) is expected


class TestOutages:
    async def test_locked_store_is_told_in_time_and_comes_back(
        self, runs: DatabaseRuns, opened: MlflowClient, tmp_path: Path
    ) -> None:
        """While another program has the whole file, readers are refused, and not for long."""
        fill(opened, 1)
        opened._tracking_client.store.engine.dispose()
        with closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            with pytest.raises(RegistryUnavailableError, match="locked"):
                await runs.run_page(RunFilter(), order=RunOrder(), after=None, limit=1)
            assert time.monotonic() - began < 4
            other.execute("ROLLBACK")
        assert len(await runs.run_page(RunFilter(), order=RunOrder(), after=None, limit=5)) == 1

    async def test_absent_server_is_told_without_its_password(self) -> None:
        """Nobody listens there."""
        uri = "postgresql+psycopg://me:secret@127.0.0.1:9/name"
        database = MLflowDatabase(uri)
        runs = DatabaseRuns(database, MLflowRuns(client_of(uri)), has_registry=True)
        with pytest.raises(RegistryUnavailableError) as refused:
            await runs.experiments(after=None, limit=1)
        assert "secret" not in str(refused.value)
        database.close()
