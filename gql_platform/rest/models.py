"""Served models over REST."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.registry.records import Model, ModelVersion
from gql_platform.rest.permission import Allow
from gql_platform.services import Services
from gql_platform.serving.records import ServedModel

router = APIRouter(tags=["models"])

Reading = Annotated[Services, Depends(Allow(Permission.MODEL_READ))]


@dataclass(frozen=True, slots=True)
class ServedModels:
    """The models that this server serves."""

    models: Annotated[tuple[ServedModel, ...], Doc("All of them, sorted by name.")]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A served model, with what the registry knows of it."""

    served: Annotated[ServedModel, Doc("How it is served.")]
    registered: Annotated[Model | None, Doc("Its entry in the registry.")]
    versions: Annotated[tuple[ModelVersion, ...], Doc("Its versions, newest first.")]


@router.get("/models", summary="List the served models")
async def models(services: Reading) -> ServedModels:
    """List the served models."""
    return ServedModels(services.serving.models())


@router.get("/models/{name}/info", summary="Show a served model")
async def model_info(
    name: Annotated[str, Path(description="The name of a served model.")], services: Reading
) -> ModelInfo:
    """Show a served model: its state and signature, its aliases and versions."""
    served = services.serving.model(name)
    versions = await services.registry.versions([name])
    return ModelInfo(served, await services.registry.model(name), versions.get(name, ()))
