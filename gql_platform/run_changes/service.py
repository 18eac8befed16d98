"""The changes of experiments and runs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from gql_platform.errors import (
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidExperimentError,
    InvalidRunError,
    ReadOnlyServerError,
    RunDeletedError,
    RunFinishedError,
    RunNotFoundError,
    TooManyItemsError,
)
from gql_platform.events.records import (
    EXPERIMENT_CREATED,
    RUN_CREATED,
    RUN_DELETED,
    RUN_FINISHED,
    RUN_LOGGED,
    RUN_RESTORED,
    NewEvent,
)
from gql_platform.idempotency.records import KeyedRequest
from gql_platform.idempotency.service import KEPT, keyed
from gql_platform.journal.records import REQUEST_TAG, Entry
from gql_platform.journal.service import Journal
from gql_platform.registry.records import Tag
from gql_platform.run_changes.answers import counts_of, kept, logged, told_again
from gql_platform.run_changes.items import checked
from gql_platform.run_changes.naming import end_problem, experiment_problem, run_problem, tags_of
from gql_platform.run_changes.ports import RunWriter
from gql_platform.run_changes.records import (
    MOMENT_TAG,
    Batch,
    Items,
    RunEnd,
    RunLogged,
    milliseconds_of,
)
from gql_platform.run_search.records import RunFilter, TextCondition
from gql_platform.tracking.records import Experiment, Run
from gql_platform.tracking.service import Tracking

MAX_ITEMS = 10_000
"""How many items one call logs."""

FEW_ITEMS = 1_000
"""Up to so many items are judged at once."""

LEEWAY = timedelta(minutes=10)
"""By how much the clocks of two servers may differ."""

_OVER = {each.value for each in RunEnd}


class RunChanges:
    """Change experiments and runs on behalf of somebody.

    Each change that has a key is made once, however often it is sent, and each is written down.
    Beside what its docstring names, a method raises `IdempotencyKeyReusedError` if the key came
    with another request, `RegistryUnavailableError` if MLflow does not answer,
    `StoreUnavailableError` if the platform's database does not, and `ReadOnlyServerError` where no
    runs are kept.

    Args:
        writer: What writes them; None where none are kept.
        tracking: What reads them.
        journal: What makes each change once.
        now: Tells the time.
    """

    def __init__(
        self,
        writer: RunWriter | None,
        tracking: Tracking,
        journal: Journal,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._kept = writer
        self._tracking = tracking
        self._journal = journal
        self._now = now

    async def create_experiment(
        self, name: str, *, by: str, tags: Sequence[Tag] = (), key: str | None = None
    ) -> Experiment:
        """Make an experiment.

        Args:
            name: Its name, which no other one has, deleted or not.
            by: Who wants that.
            tags: Its tags.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidExperimentError: If the name or a tag cannot be used.
            ExperimentExistsError: If there is one of that name.
        """
        writer = self._writer
        problem = experiment_problem(name, tags)
        if problem is not None:
            raise InvalidExperimentError(name=name, problem=problem)
        arguments = {"name": name, "tags": tags}
        request = keyed(key, caller=by, operation="experiment.create", arguments=arguments)

        async def change() -> Entry:
            found = await self._tracking.experiment_named(name)
            if found is None:
                marked = {**tags_of(tags), **_mark_tag(request)}
                experiment_id = await writer.create_experiment(name, tags=marked)
            elif request is not None and _value(found.tags, REQUEST_TAG) == request.digest:
                experiment_id = found.experiment_id
            else:
                raise ExperimentExistsError(name=name)
            event = NewEvent(EXPERIMENT_CREATED, "Experiment", experiment_id, by, {"name": name})
            return Entry({"experimentId": experiment_id}, [event])

        done = await self._journal.make(request, change)
        return await self._experiment(str(done["experimentId"]), None)

    async def create(
        self,
        *,
        by: str,
        experiment_id: str | None = None,
        experiment_name: str | None = None,
        name: str | None = None,
        started_at: datetime | None = None,
        tags: Sequence[Tag] = (),
        key: str | None = None,
    ) -> Run:
        """Make a run that is at work.

        Args:
            by: Who wants that.
            experiment_id: The experiment, by its id.
            experiment_name: Or by its name.
            name: Its name; MLflow makes one up for None.
            started_at: When it began; now by default.
            tags: Its tags.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidRunError: If the name, the time or a tag cannot be used.
            ExperimentNotFoundError: If there is no such experiment.
            ExperimentDeletedError: If it is deleted.
        """
        writer = self._writer
        problem = run_problem(name, started_at, tags)
        if problem is not None:
            raise InvalidRunError(problem=problem)
        arguments = {
            "experiment": [experiment_id, experiment_name],
            "name": name,
            "started_at": started_at,
            "tags": tags,
        }
        request = keyed(key, caller=by, operation="run.create", arguments=arguments)

        async def change() -> Entry:
            experiment = await self._experiment(experiment_id, experiment_name)
            run_id = await self._made_before(experiment, request, started_at)
            if run_id is None:
                if experiment.is_deleted:
                    raise ExperimentDeletedError(name=experiment.name)
                run_id = await writer.create_run(
                    experiment.experiment_id,
                    name=name,
                    user=by,
                    started_at=started_at or self._now(),
                    tags={**tags_of(tags), **_mark_tag(request)},
                )
            data = {"experimentId": experiment.experiment_id, "name": name}
            return Entry({"runId": run_id}, [NewEvent(RUN_CREATED, "Run", run_id, by, data)])

        done = await self._journal.make(request, change)
        return await self._run(str(done["runId"]))

    async def log(self, run_id: str, items: Items, *, by: str, key: str | None = None) -> RunLogged:
        """Log params, metrics and tags to a run, over or not; each that can be logged is.

        Args:
            run_id: The run.
            items: What is logged.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            TooManyItemsError: If there are more than `MAX_ITEMS`.
            RunNotFoundError: If there is no such run.
            RunDeletedError: If it is deleted.
        """
        writer = self._writer
        if len(items) > MAX_ITEMS:
            raise TooManyItemsError(count=len(items), maximum=MAX_ITEMS)
        request = _keyed(key, by, "run.log", run_id, items=items)
        timed = request if any(each.time is None for each in items.metrics) else None

        async def change() -> Entry:
            run = await self._active(run_id)
            moment = await self._moment(run, timed)
            params = {param.key: param.value for param in run.params}
            judge = partial(checked, items, known=params, moment_ms=moment)
            # To judge thousands of items takes a while, in which others have their turn.
            found = await asyncio.to_thread(judge) if len(items) > FEW_ITEMS else judge()
            by_store = await writer.log(run_id, found.batch)
            answer = logged(run_id, items, [*found.refused, *by_store])
            event = NewEvent(RUN_LOGGED, "Run", run_id, by, counts_of(answer))
            is_logged = len(answer.refused) < len(items)
            return Entry(kept(answer), [event] if is_logged else [])

        async def tidy() -> None:
            if timed is not None:
                await writer.remove_tag(run_id, _moment_tag(timed))

        return told_again(await self._journal.make(request, change, tidy=tidy), items)

    async def finish(
        self,
        run_id: str,
        end: RunEnd,
        *,
        by: str,
        finished_at: datetime | None = None,
        key: str | None = None,
    ) -> Run:
        """Say how a run ended; one that ended like that before stays as it is.

        Args:
            run_id: The run.
            end: How it ended.
            by: Who wants that.
            finished_at: When; now by default.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidRunError: If it would have ended before it began.
            RunNotFoundError: If there is no such run.
            RunDeletedError: If it is deleted.
            RunFinishedError: If it ended otherwise.
        """
        writer = self._writer
        request = _keyed(key, by, "run.finish", run_id, end=end, finished_at=finished_at)

        async def change() -> Entry:
            run = await self._active(run_id)
            is_over = run.state.value in _OVER
            if is_over and run.state.value != end.value:
                raise RunFinishedError(run_id=run_id, state=run.state.value)
            moment = finished_at or self._now()
            problem = end_problem(run.started_at, moment)
            if problem is not None and not is_over:
                raise InvalidRunError(problem=problem)
            if not is_over:
                await writer.finish(run_id, end, finished_at=moment)
            event = NewEvent(RUN_FINISHED, "Run", run_id, by, {"state": end.value})
            return _entry(run_id, event, request, is_changed=not is_over)

        await self._journal.make(request, change)
        return await self._run(run_id)

    async def delete(self, run_id: str, *, by: str, key: str | None = None) -> Run:
        """Delete a run, so that no list shows it; it can be restored.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        writer = self._writer
        request = _keyed(key, by, "run.delete", run_id)
        event = NewEvent(RUN_DELETED, "Run", run_id, by)

        async def change() -> Entry:
            run = await self._run(run_id)
            if not run.is_deleted:
                await writer.delete(run_id)
            return _entry(run_id, event, request, is_changed=not run.is_deleted)

        await self._journal.make(request, change)
        return await self._run(run_id)

    async def restore(self, run_id: str, *, by: str, key: str | None = None) -> Run:
        """Restore a run that was deleted.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        writer = self._writer
        request = _keyed(key, by, "run.restore", run_id)
        event = NewEvent(RUN_RESTORED, "Run", run_id, by)

        async def change() -> Entry:
            run = await self._run(run_id)
            if run.is_deleted:
                await writer.restore(run_id)
            return _entry(run_id, event, request, is_changed=run.is_deleted)

        await self._journal.make(request, change)
        return await self._run(run_id)

    @property
    def _writer(self) -> RunWriter:
        if self._kept is None:
            raise ReadOnlyServerError
        return self._kept

    async def _made_before(
        self, experiment: Experiment, request: KeyedRequest | None, started_at: datetime | None
    ) -> str | None:
        """Return the run that a request made before its server died.

        It began when the request said, or since the key may have come first, which spares a look
        at all older runs.
        """
        if request is None:
            return None
        chosen = RunFilter(
            experiments=(experiment.experiment_id,),
            tags=(TextCondition(REQUEST_TAG, request.digest),),
            started_from=(started_at or self._now() - KEPT) - LEEWAY,
            started_before=(started_at or self._now()) + LEEWAY,
        )
        found = (await self._tracking.run_page(chosen, first=1)).items
        return found[0].run_id if found else None

    async def _moment(self, run: Run, request: KeyedRequest | None) -> int:
        """Return the time of metrics that have none, the same one whenever a request is repeated.

        MLflow takes equal metrics for one; so those of a server that died are not logged again.
        """
        moment = milliseconds_of(self._now())
        if request is None:
            return moment
        key = _moment_tag(request)
        noted = _value(run.tags, key)
        if noted is not None:
            return int(noted)
        await self._writer.log(run.run_id, Batch({}, {}, {0: Tag(key, str(moment))}))
        return moment

    async def _experiment(self, experiment_id: str | None, name: str | None) -> Experiment:
        if experiment_id is not None:
            found = (await self._tracking.experiments_by_id([experiment_id])).get(experiment_id)
        else:
            found = await self._tracking.experiment_named(name or "")
        if found is None:
            raise ExperimentNotFoundError(named=experiment_id or name or "")
        return found

    async def _run(self, run_id: str) -> Run:
        found = (await self._tracking.runs([run_id])).get(run_id)
        if found is None:
            raise RunNotFoundError(run_id=run_id)
        return found

    async def _active(self, run_id: str) -> Run:
        run = await self._run(run_id)
        if run.is_deleted:
            raise RunDeletedError(run_id=run_id)
        return run


def _keyed(
    key: str | None, by: str, operation: str, run_id: str, **arguments: Any
) -> KeyedRequest | None:
    return keyed(key, caller=by, operation=operation, arguments={"run": run_id, **arguments})


def _entry(
    run_id: str, event: NewEvent, request: KeyedRequest | None, *, is_changed: bool
) -> Entry:
    """Return what is written down of a change that finds itself made, or makes itself.

    What is found as it shall be may be the work of a server that died before it wrote that down, if
    the request has a key.
    """
    return Entry({"runId": run_id}, [event] if is_changed or request is not None else [])


def _mark_tag(request: KeyedRequest | None) -> Mapping[str, str]:
    return {} if request is None else {REQUEST_TAG: request.digest}


def _moment_tag(request: KeyedRequest) -> str:
    return MOMENT_TAG + request.digest


def _value(tags: Sequence[Tag], key: str) -> str | None:
    return next((tag.value for tag in tags if tag.key == key), None)
