"""The changes of registered models and their versions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from gql_platform.deployments.records import Deployment
from gql_platform.deployments.service import Deployments
from gql_platform.errors import (
    InvalidModelError,
    InvalidNoteError,
    ModelNotFoundError,
    ReadOnlyServerError,
    UnavailableError,
)
from gql_platform.events.records import (
    DEPLOYMENT_CHANGED,
    MODEL_REGISTERED,
    MODEL_UPDATED,
    MODEL_VERSION_DELETED,
    MODEL_VERSION_TRANSITIONED,
    MODEL_VERSION_UPDATED,
    NewEvent,
)
from gql_platform.idempotency.records import KeyedRequest, Result
from gql_platform.idempotency.service import keyed
from gql_platform.journal.records import REQUEST_TAG, Entry
from gql_platform.journal.service import Journal
from gql_platform.model_changes.checks import model_problem, notes_problem
from gql_platform.model_changes.ports import RegistryWriter
from gql_platform.model_changes.records import Notes
from gql_platform.model_changes.stages import (
    ALIASES,
    archived,
    found,
    in_use,
    leaving,
    unknown,
    unmarked,
)
from gql_platform.registry.records import (
    CHAMPION,
    Model,
    ModelVersion,
    Stage,
    Tag,
    VersionRef,
)
from gql_platform.registry.service import Registry
from gql_platform.texts import MAX_NOTE_LENGTH, is_note

DELETING_TAG = "gql_platform.deleting."
"""The beginning of a model's tag that says which request deletes a version, until it is done."""

log = structlog.get_logger(__name__)


class ModelChanges:
    """Change models and versions on behalf of somebody.

    Each change that has a key is made once, however often it is sent, and each is written down.
    After each, this server looks at the registry.
    Beside what its docstring names, a method raises `IdempotencyKeyReusedError` if the key came
    with another request, `RegistryUnavailableError` if MLflow does not answer,
    `StoreUnavailableError` if the platform's database does not, and `ReadOnlyServerError` where
    models are files.

    Args:
        writer: What writes to the registry; None where models are files.
        registry: What reads it.
        deployments: What lets versions serve.
        journal: What makes each change once.
    """

    def __init__(
        self,
        writer: RegistryWriter | None,
        registry: Registry,
        deployments: Deployments,
        journal: Journal,
    ) -> None:
        self._kept = writer
        self._registry = registry
        self._deployments = deployments
        self._journal = journal
        self._looking: set[asyncio.Task[None]] = set()

    async def register(
        self,
        model: str,
        *,
        by: str,
        run_id: str,
        path: str,
        notes: Notes | None = None,
        key: str | None = None,
    ) -> ModelVersion:
        """Register the model at a path of a run as the next version of a model.

        A registration alone lets nothing else serve: where a model has no champion, so that its
        newest version serves, that one is made the champion first.

        Args:
            model: The name of the model, which is made if it is missing.
            by: Who wants that.
            run_id: The run.
            path: Where the run has the files of the model.
            notes: Description and tags of the version.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidModelError: If the name, the path, the description or a tag cannot be used.
            RunNotFoundError: If there is no such run.
            ModelFilesNotFoundError: If it has no model there.
        """
        writer, notes = self._writer, notes or Notes()
        _refuse(model, model_problem(model, path) or notes_problem(notes))
        arguments = {"model": model, "run": run_id, "path": path, "notes": notes}
        request = keyed(key, caller=by, operation="model.register", arguments=arguments)

        async def change() -> Entry:
            number, data = await self._made_before(model, request), {"runId": run_id, "path": path}
            if number is None:
                mark = {} if request is None else {REQUEST_TAG: request.digest}
                await self._keep_champion(model)
                number = await writer.create_version(
                    model,
                    run_id=run_id,
                    path=path,
                    description=notes.description,
                    tags={**{tag.key: tag.value for tag in notes.tags}, **mark},
                )
            ref = VersionRef(model, number)
            return Entry({"version": number}, [_event(MODEL_REGISTERED, ref, by, **data)])

        done = await self._make(request, change)
        return await self._version(VersionRef(model, int(done["version"])))

    async def transition(
        self,
        ref: VersionRef,
        stage: Stage,
        *,
        by: str,
        allow_breaking: bool = False,
        note: str | None = None,
        key: str | None = None,
    ) -> ModelVersion:
        """Move a version to a stage: point or take away aliases, and archive it or not.

        Args:
            ref: The version.
            stage: The stage.
            by: Who wants that.
            allow_breaking: Whether the version may break the typed contract.
            note: Why; it is written down with the change.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidNoteError: If the note is too long.
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If the model has no such version.
            ModelVersionInUseError: If it serves, and would not any more.
            BreakingChangeError: If it breaks the typed contract.
            ModelError: If it does not load.
        """
        writer = self._writer
        if not is_note(note):
            raise InvalidNoteError(maximum=MAX_NOTE_LENGTH)
        arguments = {
            "ref": [ref.model, ref.version],
            "stage": stage,
            "allow_breaking": allow_breaking,
            "note": note,
        }
        request = keyed(key, caller=by, operation="model_version.transition", arguments=arguments)

        noted = {} if note is None else {"note": note}

        async def change() -> Entry:
            before, deployment = await self._move(writer, ref, stage, allow_breaking=allow_breaking)
            if before is stage and request is None:
                return Entry({"stage": stage.value})
            moved = {"from": before.value, "to": stage.value, **noted}
            events = [_event(MODEL_VERSION_TRANSITIONED, ref, by, **moved)]
            if deployment is not None:
                events.append(_promoted(deployment, ref, ALIASES[stage], by, noted))
            return Entry({"stage": stage.value}, events)

        await self._make(request, change)
        return await self._version(ref)

    async def delete_version(self, ref: VersionRef, *, by: str, key: str | None = None) -> Model:
        """Delete a version that does not serve; its files stay where they are.

        Args:
            ref: The version.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Returns:
            The model without it.

        Raises:
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If the model has no such version.
            ModelVersionInUseError: If it serves.
        """
        writer, arguments = self._writer, {"ref": [ref.model, ref.version]}
        request = keyed(key, caller=by, operation="model_version.delete", arguments=arguments)
        noted = None if request is None else DELETING_TAG + request.digest

        async def change() -> Entry:
            model = await self._model(ref.model)
            async with self._deployments.held(ref.model) as use:
                is_there = any(each.ref == ref for each in use.versions)
                if not is_there and not any(tag.key == noted for tag in model.tags):
                    raise unknown(ref, use.versions)
                if is_there:
                    if use.variants_of(ref.version):
                        raise in_use(ref, use)
                    if noted is not None:
                        await self._registry.tag_model(ref.model, noted, str(ref.version))
                    await writer.delete_version(ref)
            event = _event(MODEL_VERSION_DELETED, ref, by)
            return Entry({"version": ref.version}, [event])

        async def tidy() -> None:
            if noted is not None:
                await writer.write_on_model(ref.model, Notes(removed=[noted]))

        await self._journal.make(request, change, tidy=tidy)
        self._look()
        return await self._model(ref.model)

    async def update(self, model: str, notes: Notes, *, by: str, key: str | None = None) -> Model:
        """Describe and tag a model.

        Args:
            model: The name of the model.
            notes: What is written on it.
            by: Who wants that.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            InvalidModelError: If the description or a tag cannot be used.
            ModelNotFoundError: If no such model is registered.
        """
        writer = self._writer
        _refuse(model, notes_problem(notes))
        arguments = {"model": model, "notes": notes}
        request = keyed(key, caller=by, operation="model.update", arguments=arguments)

        async def change() -> Entry:
            await self._model(model)
            await writer.write_on_model(model, notes)
            event = NewEvent(MODEL_UPDATED, "Model", model, by, _written(notes))
            return Entry({"model": model}, [event])

        await self._make(request, change)
        return await self._model(model)

    async def update_version(
        self, ref: VersionRef, notes: Notes, *, by: str, key: str | None = None
    ) -> ModelVersion:
        """Describe and tag a version; otherwise as `update`.

        Raises:
            InvalidModelError: If the description or a tag cannot be used.
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If the model has no such version.
        """
        writer = self._writer
        _refuse(ref.model, notes_problem(notes))
        arguments = {"ref": [ref.model, ref.version], "notes": notes}
        request = keyed(key, caller=by, operation="model_version.update", arguments=arguments)

        async def change() -> Entry:
            await self._version(ref)
            await writer.write_on_version(ref, notes)
            event = _event(MODEL_VERSION_UPDATED, ref, by, **_written(notes))
            return Entry({"version": ref.version}, [event])

        await self._make(request, change)
        return await self._version(ref)

    @property
    def _writer(self) -> RegistryWriter:
        if self._kept is None:
            raise ReadOnlyServerError
        return self._kept

    async def _move(
        self, writer: RegistryWriter, ref: VersionRef, stage: Stage, *, allow_breaking: bool
    ) -> tuple[Stage, Deployment | None]:
        """Move a version; return where it stood, and what serves if an alias was pointed to it."""
        async with self._deployments.held(ref.model) as use:
            before = found(ref, use.versions).stage
            leaving(ref, stage, use)
        deployment = None
        if stage in ALIASES:
            deployment = await self._deployments.promote(
                ref, alias=ALIASES[stage], allow_breaking=allow_breaking
            )
        async with self._deployments.held(ref.model) as use:
            for alias in leaving(ref, stage, use):
                await writer.remove_alias(ref.model, alias)
            await writer.write_on_version(ref, archived(stage))
        return before, deployment

    async def _make(
        self, request: KeyedRequest | None, change: Callable[[], Awaitable[Entry]]
    ) -> Result:
        """Make a change once, and let this server look at it."""
        result = await self._journal.make(request, change)
        self._look()
        return result

    def _look(self) -> None:
        """Begin to look at the registry: to load what is new there may take long."""
        task = asyncio.create_task(self._follow_once())
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _follow_once(self) -> None:
        try:
            await self._deployments.follow_once()
        except UnavailableError as error:
            # The next look, which comes by itself, sees the change too.
            log.warning("registry_not_followed", reason=str(error))

    async def _made_before(self, model: str, request: KeyedRequest | None) -> int | None:
        """Return the version that a request registered before its server died."""
        if request is None:
            return None
        mark = Tag(REQUEST_TAG, request.digest)
        versions = (await self._registry.versions([model])).get(model, ())
        return next((each.version for each in versions if mark in each.tags), None)

    async def _keep_champion(self, model: str) -> None:
        """Make the newest version the champion where it serves without being that."""
        if await self._registry.model(model) is None:
            return
        async with self._deployments.held(model) as use:
            newest = unmarked(use)
            if newest is not None:
                await self._registry.point_alias(newest.ref, CHAMPION)

    async def _model(self, name: str) -> Model:
        model = await self._registry.model(name)
        if model is None:
            raise ModelNotFoundError(name=name, served=await self._registry.names())
        return model

    async def _version(self, ref: VersionRef) -> ModelVersion:
        await self._model(ref.model)
        return found(ref, (await self._registry.versions([ref.model])).get(ref.model, ()))


def _refuse(model: str, problem: str | None) -> None:
    if problem is not None:
        raise InvalidModelError(name=model, problem=problem)


def _event(kind: str, ref: VersionRef, by: str, **data: str) -> NewEvent:
    subject = f"{ref.model}/{ref.version}"
    known = {"model": ref.model, "version": ref.version}
    return NewEvent(kind, "ModelVersion", subject, by, {**known, **data})


def _promoted(
    deployment: Deployment, ref: VersionRef, alias: str, by: str, noted: Mapping[str, str]
) -> NewEvent:
    """Return the event that tells other servers of an alias that was pointed."""
    data = {"action": "PROMOTE", "version": ref.version, "alias": alias}
    revision = {"revision": deployment.revision}
    return NewEvent(DEPLOYMENT_CHANGED, "Deployment", ref.model, by, {**data, **noted, **revision})


def _written(notes: Notes) -> Mapping[str, Any]:
    """Return what an event tells of notes: not their texts, which are read where they are."""
    return {
        "description": notes.description is not None,
        "tags": sorted(tag.key for tag in notes.tags),
        "removedTags": sorted(notes.removed),
    }
