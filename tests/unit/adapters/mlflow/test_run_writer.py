"""What MLflow refuses is told item by item, and what it takes is sent in parts."""

from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils import validation

from gql_platform.adapters.mlflow.batches import MOST_CHARACTERS, Item, items_of, parts_of
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.run_writer import MLflowRunWriter
from gql_platform.errors import InvalidRunError, RegistryUnavailableError
from gql_platform.registry.records import Tag
from gql_platform.run_changes.records import Batch, ItemKind, MetricPoint, RefusalCode
from gql_platform.texts import key_problem
from gql_platform.tracking.records import Param
from tests.contract.mlflow_registry import client_of, new_database

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def param(index: int, value: str = "") -> Item:
    """Return a param."""
    return Item(ItemKind.PARAM, index, Param(f"p{index}", value))


class TestParts:
    def test_no_part_is_too_large(self) -> None:
        """Kinds, counts and characters are all within what MLflow's servers take."""
        batch = Batch(
            {n: Param(f"p{n}", "日" * 6_000) for n in range(130)},
            {n: MetricPoint(f"m{n}", 1.0, n, n) for n in range(2_100)},
            {n: Tag(f"t{n}", '"' * 8_000) for n in range(130)},
        )
        parts = list(parts_of(items_of(batch)))
        assert [item for part in parts for item in part] == items_of(batch)
        for part in parts:
            kinds = [item.kind for item in part]
            assert len(part) <= 1_000
            assert max(kinds.count(ItemKind.PARAM), kinds.count(ItemKind.TAG)) <= 100
            assert sum(item.size for item in part) <= MOST_CHARACTERS

    def test_few_items_are_one_part(self) -> None:
        """A call of MLflow carries all kinds together."""
        batch = Batch({0: Param("a", "")}, {0: MetricPoint("m", 1.0, 0, 0)}, {0: Tag("t", "")})
        assert [len(part) for part in parts_of(items_of(batch))] == [3]

    def test_nothing_is_no_part(self) -> None:
        """Then MLflow is not asked."""
        assert list(parts_of([])) == []


@hypothesis.given(st.text(st.characters(), max_size=8), st.text(max_size=8))
def test_what_is_let_pass_mlflow_takes(key: str, value: str) -> None:
    """Our rules are at least as strict as MLflow's own."""
    if key_problem(key) is None:
        validation._validate_metric(key, 1.0, 0, 0)
        validation._validate_param(key, value)
        validation._validate_tag(key, value)


@pytest.mark.slow
@pytest.mark.anyio
class TestRefusals:
    @pytest.fixture
    def client(self, tmp_path: Path) -> Client:
        """Our client of an empty store."""
        return client_of(new_database(tmp_path))

    @pytest.fixture
    async def run_id(self, client: Client) -> str:
        """A run in it."""
        return await MLflowRunWriter(client).create_run(
            "0", name="a", user="me", started_at=NOON, tags={}
        )

    async def test_what_mlflow_alone_refuses_is_told_item_by_item(
        self, client: Client, run_id: str
    ) -> None:
        """Names that only MLflow judges are refused with its words, and all others are logged."""
        params = {n: Param("..bad" if n == 5 else f"p{n}", "1") for n in range(10)}
        metrics = {n: MetricPoint("m%" if n == 3 else "m", float(n), n, n) for n in range(10)}
        refused = await MLflowRunWriter(client).log(run_id, Batch(params, metrics, {}))
        assert sorted((each.kind.name, each.index, each.key, each.code) for each in refused) == [
            ("METRIC", 3, "m%", RefusalCode.STORE_REFUSED),
            ("PARAM", 5, "..bad", RefusalCode.STORE_REFUSED),
        ]
        assert all("Invalid value" in each.message for each in refused)
        run = await client.call(lambda opened: opened.get_run(run_id), asks_for_runs=True)
        history = await client.call(lambda opened: opened.get_metric_history(run_id, "m"))
        assert len(run.data.params) == 9
        assert sorted(each.step for each in history) == [0, 1, 2, 4, 5, 6, 7, 8, 9]

    async def test_run_that_mlflow_refuses_is_told(self, client: Client) -> None:
        """Its words are the problem."""
        with pytest.raises(InvalidRunError) as refused:
            await MLflowRunWriter(client).create_run(
                "no number", name="a", user="me", started_at=NOON, tags={}
            )
        assert "Experiment ID must be a valid integer" in refused.value.problem

    async def test_store_that_fails_is_an_outage(
        self, client: Client, run_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An error of MLflow's own is none of the items."""

        def fail(*_: object, **__: object) -> None:
            raise MlflowException("down", error_code=2)

        opened = await client.call(lambda each: each)
        monkeypatch.setattr(opened, "log_batch", fail)
        batch = Batch({0: Param("a", "1")}, {}, {})
        with pytest.raises(RegistryUnavailableError):
            await MLflowRunWriter(client).log(run_id, batch)
        assert isinstance(opened, MlflowClient)
