"""Registered versions by stage, without a server that lets them serve."""

from gql_platform.deployments.plans import plan_of, use_of
from gql_platform.errors import ModelNotFoundError, UnknownVersionError
from gql_platform.model_changes.ports import RegistryWriter
from gql_platform.model_changes.stages import ALIASES, archived, unmarked
from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import CHAMPION, ModelVersion, Stage, VersionRef


class Versions:
    """Register versions, and find them.

    Args:
        registry: What reads the registry, and points aliases.
        writer: What writes to it.
    """

    def __init__(self, registry: RegistryStore, writer: RegistryWriter) -> None:
        self._registry = registry
        self._writer = writer

    async def register(self, model: str, *, run_id: str, path: str, stage: Stage) -> ModelVersion:
        """Register the files at a path of a run as the next version of a model, in a stage.

        Raises:
            InvalidModelError: If the registry refuses it.
            ModelFilesNotFoundError: If the run has no model there.
            RegistryUnavailableError: If the registry does not answer.
        """
        registry, writer = self._registry, self._writer
        if stage is not Stage.PRODUCTION:
            await self._keep_champion(model)
        number = await writer.create_version(
            model, run_id=run_id, path=path, description=None, tags={}
        )
        ref = VersionRef(model, number)
        if stage in ALIASES:
            await registry.point_alias(ref, ALIASES[stage])
        await writer.write_on_version(ref, archived(stage))
        versions = (await registry.versions([model]))[model]
        return next(version for version in versions if version.ref == ref)

    async def _keep_champion(self, name: str) -> None:
        """Make the newest version the champion where it serves without being that."""
        registry = self._registry
        model = (await registry.models_named([name])).get(name)
        if model is not None:
            versions = (await registry.versions([name])).get(name, ())
            newest = unmarked(use_of(plan_of(model), versions, None))
            if newest is not None:
                await registry.point_alias(newest.ref, CHAMPION)

    async def version(self, name: str, stage: Stage) -> ModelVersion:
        """Return the newest version of a model that stands in a stage.

        Raises:
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If none of its versions stands there.
        """
        versions = (await self._registry.versions([name])).get(name)
        if versions is None:
            known = [model.name for model in await self._registry.models(after=None, limit=20)]
            raise ModelNotFoundError(name=name, served=known)
        found = next((version for version in versions if version.stage is stage), None)
        if found is None:
            named = f"version in the stage {stage.name}"
            numbers = [version.version for version in versions]
            raise UnknownVersionError(model=name, named=named, versions=numbers)
        return found
