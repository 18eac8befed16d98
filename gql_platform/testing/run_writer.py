"""What writes experiments and runs, in memory."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from gql_platform.errors import ExperimentExistsError, RunDeletedError, RunNotFoundError
from gql_platform.registry.records import Tag
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.records import Batch, ItemKind, Refusal, RefusalCode, RunEnd
from gql_platform.testing.store import InMemoryStore
from gql_platform.texts import RUN_NAME_TAG
from gql_platform.tracking.records import Param, Run, RunState


class InMemoryRunWriter(RunWriter):
    """Write to the experiments and runs of an in-memory store.

    Args:
        store: Whose.
    """

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def create_experiment(self, name: str, *, tags: Mapping[str, str]) -> str:
        """Make an experiment."""
        self._store.called("create_experiment")
        if await self._store.experiment_named(name) is not None:
            raise ExperimentExistsError(name=name)
        return self._store.add_experiment(name, tags=tags).experiment_id

    async def create_run(
        self,
        experiment_id: str,
        *,
        name: str | None,
        user: str,
        started_at: datetime,
        tags: Mapping[str, str],
    ) -> str:
        """Make a run; one without a name is called ``unnamed``."""
        self._store.called("create_run")
        run_id = uuid.uuid4().hex
        shown = name or tags.get(RUN_NAME_TAG, "unnamed")
        self._store.add_run(
            run_id,
            name=shown,
            state=RunState.RUNNING,
            tags={"mlflow.user": user, **tags, RUN_NAME_TAG: shown},
            experiment_id=experiment_id,
        )
        self._store.change_run(run_id, started_at=started_at)
        return run_id

    async def log(self, run_id: str, batch: Batch) -> Sequence[Refusal]:
        """Log items to a run."""
        run = self._active(run_id, "log")
        refused = []
        params = {param.key: param for param in run.params}
        for index, param in batch.params.items():
            if params.setdefault(param.key, param) != param:
                refused.append(_changed(index, param))
        self._store.change_run(run_id, params=tuple(params[key] for key in sorted(params)))
        points: dict[str, list[tuple[int, int, float]]] = {}
        for point in batch.metrics.values():
            points.setdefault(point.key, []).append((point.step, point.time_ms, point.value))
        for key, logged in points.items():
            self._store.log_points(run_id, key, logged)
        tags = {tag.key: tag for tag in (*run.tags, *batch.tags.values())}
        name = tags[RUN_NAME_TAG].value if RUN_NAME_TAG in tags else run.name
        self._store.change_run(run_id, name=name, tags=tuple(tags[key] for key in sorted(tags)))
        return refused

    async def remove_tag(self, run_id: str, key: str) -> None:
        """Take a tag from a run."""
        self._store.called("remove_tag")
        run = self._store.run(run_id)
        if run is not None and not run.is_deleted:
            tags: Sequence[Tag] = [tag for tag in run.tags if tag.key != key]
            self._store.change_run(run_id, tags=tuple(tags))

    async def finish(self, run_id: str, end: RunEnd, *, finished_at: datetime) -> None:
        """Say how a run ended."""
        self._active(run_id, "finish")
        self._store.change_run(run_id, state=RunState[end.name], finished_at=finished_at)

    async def delete(self, run_id: str) -> None:
        """Delete a run."""
        self._found(run_id, "delete")
        self._store.change_run(run_id, is_deleted=True)

    async def restore(self, run_id: str) -> None:
        """Restore a run."""
        self._found(run_id, "restore")
        self._store.change_run(run_id, is_deleted=False)

    def _found(self, run_id: str, method: str) -> Run:
        self._store.called(method)
        run = self._store.run(run_id)
        if run is None:
            raise RunNotFoundError(run_id=run_id)
        return run

    def _active(self, run_id: str, method: str) -> Run:
        run = self._found(run_id, method)
        if run.is_deleted:
            raise RunDeletedError(run_id=run_id)
        return run


def _changed(index: int, param: Param) -> Refusal:
    message = "The param has another value already."
    return Refusal(ItemKind.PARAM, index, param.key, RefusalCode.PARAM_CHANGED, message)
