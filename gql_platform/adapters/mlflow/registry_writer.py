"""Registered models and their versions, as MLflow's client writes them."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.listing import all_pages
from gql_platform.adapters.mlflow.outage import described, is_refusal
from gql_platform.adapters.mlflow.quiet import quiet
from gql_platform.adapters.mlflow.runs import is_run_id
from gql_platform.errors import InvalidModelError, ModelFilesNotFoundError, RunNotFoundError
from gql_platform.model_changes.ports import RegistryWriter
from gql_platform.model_changes.records import Notes
from gql_platform.registry.records import VersionRef

MODEL_FILE = "MLmodel"
"""The file that says what a model is, in the folder of its files."""

_LOGGED_NAME = re.compile(r"""[^/:.%"']+""")
"""What MLflow takes for the name of a logged model."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the files of a model are, and the logged model that they belong to, if any."""

    uri: str
    model_id: str | None


class MLflowRegistryWriter(RegistryWriter):
    """Write to the registry by MLflow's client, over its REST API or into its store.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create_version(
        self,
        name: str,
        *,
        run_id: str,
        path: str,
        description: str | None,
        tags: Mapping[str, str],
    ) -> int:
        """Register the files at a path of a run as the next version of a model."""
        files = await self._client.call(
            lambda client: _files(client, run_id, path), asks_for_runs=True
        )

        def create(client: MlflowClient) -> int:
            _create_model(client, name)
            # Over a server of MLflow, its client says that it waits, though there is no need.
            with quiet():
                made = client.create_model_version(
                    name,
                    files.uri,
                    run_id=run_id,
                    # A server of MLflow wants to know whose files these are.
                    model_id=files.model_id,
                    description=description,
                    tags=dict(tags),
                )
            return int(made.version)

        return await self._written(name, create)

    async def delete_version(self, ref: VersionRef) -> None:
        """Delete a version that exists, and the aliases that point to it."""
        await self._written(
            ref.model, lambda client: client.delete_model_version(ref.model, str(ref.version))
        )

    async def remove_alias(self, name: str, alias: str) -> None:
        """Take an alias from a model that exists, if it has it."""
        await self._written(name, lambda client: client.delete_registered_model_alias(name, alias))

    async def write_on_model(self, name: str, notes: Notes) -> None:
        """Describe and tag a model that exists."""

        def write(client: MlflowClient) -> None:
            if notes.description is not None:
                client.update_registered_model(name, notes.description)
            for tag in notes.tags:
                client.set_registered_model_tag(name, tag.key, tag.value)
            for key in notes.removed:
                with _missing_is_fine():
                    client.delete_registered_model_tag(name, key)

        await self._written(name, write)

    async def write_on_version(self, ref: VersionRef, notes: Notes) -> None:
        """Describe and tag a version that exists."""
        name, number = ref.model, str(ref.version)

        def write(client: MlflowClient) -> None:
            if notes.description is not None:
                client.update_model_version(name, number, notes.description)
            for tag in notes.tags:
                client.set_model_version_tag(name, number, tag.key, tag.value)
            for key in notes.removed:
                with _missing_is_fine():
                    client.delete_model_version_tag(name, number, key)

        await self._written(name, write)

    async def _written(self, name: str, write: Callable[[MlflowClient], T]) -> T:
        """Return what a call that writes returns; what MLflow refuses is an error of the model."""

        def call(client: MlflowClient) -> T:
            try:
                return write(client)
            except MlflowException as error:
                if is_refusal(error):
                    raise InvalidModelError(name=name, problem=described(error)) from error
                raise

        return await self._client.call(call)


@contextmanager
def _missing_is_fine() -> Iterator[None]:
    """Let what is taken away be missing: servers differ in whether that is an error."""
    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _create_model(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _files(client: MlflowClient, run_id: str, path: str) -> _Files:
    """Return where a run has the files of a model: a logged model, or a folder of its own."""
    if not is_run_id(run_id):
        raise RunNotFoundError(run_id=run_id)
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if is_refusal(error):
            raise RunNotFoundError(run_id=run_id) from error
        raise
    files = _logged(client, str(run.info.experiment_id), run_id, path)
    files = files or _Files(f"{str(run.info.artifact_uri).rstrip('/')}/{path}", None)
    repository = get_artifact_repository(files.uri, tracking_uri=client.tracking_uri)
    names = {posixpath.basename(file.path) for file in repository.list_artifacts()}
    if MODEL_FILE not in names:
        raise ModelFilesNotFoundError(run_id=run_id, artifact_path=path)
    return files


def _logged(client: MlflowClient, experiment_id: str, run_id: str, name: str) -> _Files | None:
    """Return the newest logged model of a run with that name, or None."""
    if not _LOGGED_NAME.fullmatch(name):
        return None
    text = f"source_run_id = '{run_id}' AND name = '{name}'"
    found = all_pages(
        client.search_logged_models,
        experiment_ids=[experiment_id],
        filter_string=text,
        max_results=100,
    )
    newest = max(found, key=lambda model: model.creation_timestamp, default=None)
    return _Files(str(newest.artifact_location), str(newest.model_id)) if newest else None
