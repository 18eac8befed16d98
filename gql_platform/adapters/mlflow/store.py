"""Registered models, as MLflow keeps them."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

import structlog
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.artifacts import Artifacts, location_of
from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.entities import model_of, version_of
from gql_platform.adapters.mlflow.listing import all_pages
from gql_platform.adapters.mlflow.locations import ClientLocations
from gql_platform.adapters.mlflow.outage import described, is_unreachable
from gql_platform.adapters.mlflow.package import package_of
from gql_platform.registry.records import Model, ModelPackage, ModelVersion, VersionRef

FEW_NAMES = 10
"""Up to so many models are asked for one by one; beyond, listing all of them is cheaper."""

CACHED_PACKAGES = 1024
"""How many packages are kept in memory; one takes some kilobytes."""

log = structlog.get_logger(__name__)


class MLflowStore:
    """Read models from MLflow; a `RegistryStore`.

    A version's files never change, so what they say is remembered, until a version of the same
    number is seen that was made at another time: then the model was deleted and registered anew.

    Args:
        client: The client of MLflow.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._packages: OrderedDict[VersionRef, ModelPackage] = OrderedDict()
        self._made: dict[VersionRef, datetime] = {}

    async def models(self, *, after: str | None, limit: int) -> Sequence[Model]:
        """Return up to ``limit`` models by ascending name, behind ``after``.

        MLflow pages by offset and in the order of the database's collation, so that all models
        are listed and the page is cut here.
        """
        found = await self.client.call(_all_models)
        names = sorted(name for name in found if after is None or name > after)
        return [model_of(found[name]) for name in names[:limit]]

    async def model_count(self) -> int:
        """Return the number of registered models."""
        return len(await self.client.call(_all_models))

    async def models_named(self, names: Sequence[str]) -> Mapping[str, Model]:
        """Return the models of these names that exist, by name."""
        found = await self.client.call(lambda client: _models_named(client, names))
        return {name: model_of(model) for name, model in found.items()}

    async def versions(self, names: Sequence[str]) -> Mapping[str, tuple[ModelVersion, ...]]:
        """Return all versions of each of these models, newest first."""
        found = await self.client.call(lambda client: _versions(client, names))
        self.see(found)
        return found

    def see(self, versions: Mapping[str, tuple[ModelVersion, ...]]) -> None:
        """Forget what the files of a version said that is another one of the same number."""
        for version in chain.from_iterable(versions.values()):
            if self._made.get(version.ref) != version.created_at:
                self._made[version.ref] = version.created_at
                self._packages.pop(version.ref, None)

    def location(self, ref: VersionRef) -> str:
        """Return where the files of a version are; it blocks."""
        return self.client.here(lambda client: location_of(ClientLocations(client), ref))

    def artifacts(self, ref: VersionRef) -> Artifacts:
        """Return the files of a version; it blocks."""
        return Artifacts(self.location(ref), tracking_uri=self.client.tracking_uri)

    async def packages(self, refs: Sequence[VersionRef]) -> Mapping[VersionRef, ModelPackage]:
        """Return what the files of these versions say, without loading the models."""
        wanted = list(dict.fromkeys(refs))
        found = await asyncio.gather(*(self._package(ref) for ref in wanted))
        return {ref: package for ref, package in zip(wanted, found, strict=True) if package}

    async def point_alias(self, ref: VersionRef, alias: str) -> None:
        """Point an alias to a version that exists, away from the one it pointed to before."""
        await self.client.call(
            lambda client: client.set_registered_model_alias(ref.model, alias, str(ref.version))
        )

    async def tag_model(self, name: str, key: str, value: str) -> None:
        """Give a model that exists a tag, in the place of one with the same key."""
        await self.client.call(lambda client: client.set_registered_model_tag(name, key, value))

    async def _package(self, ref: VersionRef) -> ModelPackage | None:
        if ref in self._packages:
            self._packages.move_to_end(ref)
            return self._packages[ref]
        package = await self.client.beside(lambda: self._read_package(ref))
        if package is not None:
            self._packages[ref] = package
            if len(self._packages) > CACHED_PACKAGES:
                self._packages.popitem(last=False)
        return package

    def _read_package(self, ref: VersionRef) -> ModelPackage | None:
        try:
            return package_of(self.artifacts(ref).read)
        except Exception as error:
            # Stores of artifacts and files of models fail in as many ways as there are; one model
            # that cannot be read must not hide the others.
            if is_unreachable(error):
                raise
            log.warning(
                "package_not_read",
                model=ref.model,
                version=ref.version,
                error=described(error),
            )
            return None


def _all_models(client: MlflowClient) -> dict[str, RegisteredModel]:
    listed = all_pages(client.search_registered_models, order_by=["name ASC"])
    return {model.name: model for model in listed}


def _models_named(client: MlflowClient, names: Sequence[str]) -> dict[str, RegisteredModel]:
    if len(names) > FEW_NAMES:
        known = _all_models(client)
        return {name: known[name] for name in names if name in known}
    asked = ((name, _model_named(client, name)) for name in names)
    return {name: model for name, model in asked if model is not None}


def _model_named(client: MlflowClient, name: str) -> RegisteredModel | None:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        # The other code stands for text that can be no model's name.
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def _versions(client: MlflowClient, names: Sequence[str]) -> dict[str, tuple[ModelVersion, ...]]:
    models = _models_named(client, names)
    by_name: dict[str, list[ModelVersion]] = defaultdict(list)
    for version in _found_versions(client, models):
        if version.name in models:
            by_name[version.name].append(version_of(version, models[version.name]))
    return {
        name: tuple(sorted(by_name[name], key=lambda version: -version.version)) for name in models
    }


def _found_versions(client: MlflowClient, names: Iterable[str]) -> list[MlflowVersion]:
    """Return at least all versions of these models."""
    wanted = list(names)
    # A filter cannot hold a name that has both kinds of quotes.
    if len(wanted) > FEW_NAMES or any("'" in name and '"' in name for name in wanted):
        return all_pages(client.search_model_versions)
    filters = [f'name="{name}"' if "'" in name else f"name='{name}'" for name in wanted]
    return [
        version
        for text in filters
        for version in all_pages(client.search_model_versions, filter_string=text)
    ]
