"""Experiments and runs are made once, whoever dies meanwhile, and that is written down."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from gql_platform.errors import (
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    IdempotencyKeyReusedError,
    InvalidExperimentError,
    InvalidRunError,
)
from gql_platform.registry.records import Tag
from gql_platform.tracking.records import Run, RunState
from tests.unit.run_changes.server import NOON, Server

pytestmark = pytest.mark.anyio


class TestExperiments:
    async def test_experiment_is_made_and_told(self, server: Server) -> None:
        """The answer is the experiment, and the event names it."""
        made = await server.changes.create_experiment("new", by="me", tags=[Tag("a", "b")])
        assert (made.experiment_id, made.name, made.tags) == ("1", "new", (Tag("a", "b"),))
        assert server.told() == [("experiment.created", "Experiment:1", "me", {"name": "new"})]

    async def test_key_makes_it_once(self, server: Server) -> None:
        """The same request has the same answer, and another one with the key is refused."""
        for _ in range(2):
            made = await server.changes.create_experiment("new", by="me", key="k")
            assert made.experiment_id == "1"
        with pytest.raises(IdempotencyKeyReusedError):
            await server.changes.create_experiment("other", by="me", key="k")
        assert len(server.told()) == 1

    async def test_what_a_dead_server_made_is_noticed(self, server: Server) -> None:
        """The name is taken by the request itself, and the event is written in the end."""
        await server.dies_in(lambda: server.changes.create_experiment("new", by="me", key="k"))
        assert server.told() == []
        made = await server.changes.create_experiment("new", by="me", key="k")
        assert made.experiment_id == "1"
        assert len(server.told()) == 1

    async def test_taken_name_is_refused(self, server: Server) -> None:
        """Whoever made it, with a key or not, a second one of the name is not made."""
        await server.changes.create_experiment("new", by="me", key="k")
        for key in (None, "other"):
            with pytest.raises(ExperimentExistsError):
                await server.changes.create_experiment("new", by="me", key=key)
        assert len(server.told()) == 1

    @pytest.mark.parametrize(
        ("name", "tags", "problem"),
        [
            (" ", (), "its name is empty"),
            ("x" * 257, (), "its name cannot be kept: the value has 257 characters"),
            ("a\x00", (), "its name cannot be kept: the value has a NUL"),
            ("a", [Tag("a", "x" * 5_001)], "the tag 'a' cannot be set: the value has 5001"),
            ("a", [Tag("gql_platform.x", "")], "the tag 'gql_platform.x' cannot be set: tags"),
            ("a", [Tag(f"t{n}", "") for n in range(101)], "it has more than the 100 tags"),
        ],
    )
    async def test_what_cannot_be_kept_is_refused(
        self, server: Server, name: str, tags: Sequence[Tag], problem: str
    ) -> None:
        """The error says what is wrong, and nothing was made."""
        with pytest.raises(InvalidExperimentError) as refused:
            await server.changes.create_experiment(name, by="me", tags=tags)
        assert refused.value.problem.startswith(problem)
        assert server.store.calls["create_experiment"] == 0


class TestCreate:
    async def test_run_is_made_and_told(self, server: Server) -> None:
        """It is at work since now, and the event names its experiment."""
        run = await server.changes.create(
            by="me", experiment_name="Default", name="first", tags=[Tag("a", "b")]
        )
        assert (run.name, run.state, run.started_at) == ("first", RunState.RUNNING, NOON)
        assert [tag.key for tag in run.tags] == ["a", "mlflow.runName", "mlflow.user"]
        data = {"experimentId": "0", "name": "first"}
        assert server.told() == [("run.created", f"Run:{run.run_id}", "me", data)]

    async def test_key_makes_it_once(self, server: Server) -> None:
        """Whichever server it is sent to, before or after the first one died."""

        async def create() -> Run:
            return await server.changes.create(by="me", experiment_id="0", key="k")

        await server.dies_in(create)
        runs = [await create() for _ in range(2)]
        assert runs[0].run_id == runs[1].run_id
        assert server.store.calls["create_run"] == 1
        assert len(server.told()) == 1

    async def test_runs_without_a_key_are_different(self, server: Server) -> None:
        """Two requests make two runs, and so do those of two callers with the same key."""
        made = [
            await server.changes.create(by=by, experiment_id="0", key=key)
            for by, key in (("me", None), ("me", None), ("me", "k"), ("you", "k"))
        ]
        assert len({run.run_id for run in made}) == 4

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"name": ""}, "its name is empty"),
            ({"name": "x" * 251}, "its name cannot be kept: the value has 251 characters"),
            ({"started_at": datetime(1970, 1, 1, tzinfo=UTC)}, "it would have begun at 1970"),
            ({"started_at": datetime(9999, 1, 1, tzinfo=UTC)}, "it would have begun at 9999"),
            ({"tags": [Tag("", "")]}, "the tag '' cannot be set: a name has letters"),
            (
                {"name": "a", "tags": [Tag("mlflow.runName", "b")]},
                "the tag `mlflow.runName` is another name than 'a'",
            ),
        ],
    )
    async def test_what_cannot_be_kept_is_refused(
        self, server: Server, given: Mapping[str, Any], problem: str
    ) -> None:
        """The error says what is wrong, and nothing was made."""
        with pytest.raises(InvalidRunError) as refused:
            await server.changes.create(by="me", experiment_id="0", **given)
        assert refused.value.problem.startswith(problem)
        assert server.store.calls["create_run"] == 0

    async def test_experiment_must_be_there(self, server: Server) -> None:
        """An unknown one and a deleted one are told apart."""
        server.store.add_experiment("gone", is_deleted=True)
        for named in ({"experiment_id": "7"}, {"experiment_name": "none"}, {}):
            with pytest.raises(ExperimentNotFoundError):
                await server.changes.create(by="me", **named)  # type: ignore[arg-type]
        with pytest.raises(ExperimentDeletedError):
            await server.changes.create(by="me", experiment_name="gone")
        assert server.store.calls["create_run"] == 0
