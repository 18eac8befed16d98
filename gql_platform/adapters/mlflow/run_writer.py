"""Experiments and runs, as MLflow's client writes them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from mlflow.entities import Param as MlflowParam
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.batches import Item, items_of, parts_of
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.entities import run_of
from gql_platform.adapters.mlflow.outage import described, is_refusal
from gql_platform.adapters.mlflow.runs import is_run_id
from gql_platform.errors import (
    ExperimentExistsError,
    InvalidExperimentError,
    InvalidRunError,
    PlatformError,
    RunDeletedError,
    RunNotFoundError,
)
from gql_platform.registry.records import Tag
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.records import (
    Batch,
    ItemKind,
    MetricPoint,
    Refusal,
    RefusalCode,
    RunEnd,
    milliseconds_of,
)
from gql_platform.tracking.records import Param, Run

USER_TAG = "mlflow.user"
"""The tag that MLflow's own pages show as who made a run."""


class MLflowRunWriter(RunWriter):
    """Write runs by MLflow's client, over its REST API or into its store.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create_experiment(self, name: str, *, tags: Mapping[str, str]) -> str:
        """Make an experiment, with its tags in one step, and return its id."""

        def create(client: MlflowClient) -> str:
            try:
                files = self._client.new_files()
                made = client.create_experiment(name, artifact_location=files, tags=dict(tags))
                return str(made)
            except MlflowException as error:
                if error.error_code == "RESOURCE_ALREADY_EXISTS":
                    raise ExperimentExistsError(name=name) from error
                if is_refusal(error):
                    problem = described(error)
                    raise InvalidExperimentError(name=name, problem=problem) from error
                raise

        return await self._client.call(create, asks_for_runs=True)

    async def create_run(
        self,
        experiment_id: str,
        *,
        name: str | None,
        user: str,
        started_at: datetime,
        tags: Mapping[str, str],
    ) -> str:
        """Make a run that is at work, with its tags in one step, and return its id."""

        def create(client: MlflowClient) -> str:
            with _refused(lambda error: InvalidRunError(problem=described(error))):
                made = client.create_run(
                    experiment_id,
                    start_time=milliseconds_of(started_at),
                    tags={USER_TAG: user, **tags},
                    run_name=name,
                )
            return str(made.info.run_id)

        return await self._client.call(create, asks_for_runs=True)

    async def log(self, run_id: str, batch: Batch) -> Sequence[Refusal]:
        """Log items to a run, and return those that MLflow refused."""

        def log(client: MlflowClient) -> list[Refusal]:
            parts = parts_of(items_of(batch))
            return [refusal for part in parts for refusal in _log(client, run_id, part)]

        return await self._client.call(log, asks_for_runs=True)

    async def remove_tag(self, run_id: str, key: str) -> None:
        """Take a tag from a run that is not deleted, if it has it."""

        def remove(client: MlflowClient) -> None:
            try:
                client.delete_tag(run_id, key)
            except MlflowException as error:
                if not is_refusal(error):
                    raise

        await self._client.call(remove, asks_for_runs=True)

    async def finish(self, run_id: str, end: RunEnd, *, finished_at: datetime) -> None:
        """Say how a run ended, and when."""

        def finish(client: MlflowClient) -> None:
            with _refused(lambda error: _of_run(client, run_id, error)):
                client.set_terminated(run_id, end.name, milliseconds_of(finished_at))

        await self._client.call(finish, asks_for_runs=True)

    async def delete(self, run_id: str) -> None:
        """Delete a run; it can be restored."""

        def delete(client: MlflowClient) -> None:
            with _refused(lambda _: RunNotFoundError(run_id=run_id)):
                client.delete_run(run_id)

        await self._client.call(delete, asks_for_runs=True)

    async def restore(self, run_id: str) -> None:
        """Restore a run that was deleted."""

        def restore(client: MlflowClient) -> None:
            with _refused(lambda _: RunNotFoundError(run_id=run_id)):
                client.restore_run(run_id)

        await self._client.call(restore, asks_for_runs=True)


@contextmanager
def _refused(raised: Callable[[MlflowException], PlatformError]) -> Iterator[None]:
    """Raise an error of ours where MLflow says that what it was asked for is wrong."""
    try:
        yield
    except MlflowException as error:
        if is_refusal(error):
            raise raised(error) from error
        raise


def _of_run(client: MlflowClient, run_id: str, error: MlflowException) -> PlatformError:
    """Return what a refusal to write to a run means."""
    try:
        _active(client, run_id)
    except PlatformError as found:
        return found
    return InvalidRunError(problem=described(error))


def _active(client: MlflowClient, run_id: str) -> Run:
    """Return a run that can be written to."""
    if not is_run_id(run_id):
        raise RunNotFoundError(run_id=run_id)
    with _refused(lambda _: RunNotFoundError(run_id=run_id)):
        run = run_of(client.get_run(run_id))
    if run.is_deleted:
        raise RunDeletedError(run_id=run_id)
    return run


def _log(client: MlflowClient, run_id: str, part: Sequence[Item]) -> list[Refusal]:
    """Log items, and return those that are refused.

    MLflow refuses a request whole, and says in words what was wrong with it. So it is sent again
    without the params that the run has with other values, or else in halves; whatever was logged
    of it before is not logged twice.
    """
    if not part:
        return []
    try:
        _send(client, run_id, part)
    except MlflowException as error:
        if not is_refusal(error):
            raise
        known = {param.key: param.value for param in _active(client, run_id).params}
        changed = [item for item in part if _is_changed(item, known)]
        if changed:
            rest = [item for item in part if item not in changed]
            return [_changed(item, known) for item in changed] + _log(client, run_id, rest)
        if len(part) == 1:
            return _sent_again(client, run_id, part[0])
        middle = len(part) // 2
        return _log(client, run_id, part[:middle]) + _log(client, run_id, part[middle:])
    return []


def _sent_again(client: MlflowClient, run_id: str, item: Item) -> list[Refusal]:
    """Log an item that was refused: if another request logged it just then, it is there now."""
    try:
        _send(client, run_id, [item])
    except MlflowException as error:
        if not is_refusal(error):
            raise
        message = described(error)
        return [Refusal(item.kind, item.index, item.value.key, RefusalCode.STORE_REFUSED, message)]
    return []


def _send(client: MlflowClient, run_id: str, part: Sequence[Item]) -> None:
    values = [item.value for item in part]
    client.log_batch(
        run_id,
        metrics=[
            Metric(each.key, each.value, each.time_ms, each.step)
            for each in values
            if isinstance(each, MetricPoint)
        ],
        params=[MlflowParam(each.key, each.value) for each in values if isinstance(each, Param)],
        tags=[RunTag(each.key, each.value) for each in values if isinstance(each, Tag)],
        synchronous=True,
    )


def _is_changed(item: Item, known: Mapping[str, str]) -> bool:
    value = item.value
    return isinstance(value, Param) and known.get(value.key, value.value) != value.value


def _changed(item: Item, known: Mapping[str, str]) -> Refusal:
    message = f"The param is {known[item.value.key][:100]!r} already, and stays that."
    key = item.value.key
    return Refusal(ItemKind.PARAM, item.index, key, RefusalCode.PARAM_CHANGED, message)
