"""Predictions over REST."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from gql_platform.access.records import Permission
from gql_platform.rest.permission import Allow
from gql_platform.services import Services
from gql_platform.serving.records import Predictions

router = APIRouter(tags=["predictions"])

Predicting = Annotated[Services, Depends(Allow(Permission.MODEL_PREDICT))]


class PredictRequest(BaseModel):
    """Rows to predict for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"inputs": [{"alcohol": 14.23, "malic_acid": 1.71}]}]},
    )

    inputs: list[Any] = Field(
        description="Rows: objects by column name, or arrays in the order of the signature.",
        json_schema_extra={"items": {"anyOf": [{"type": "object"}, {"type": "array"}]}},
    )


@router.post("/predict/{model}", summary="Predict with a model")
async def predict(
    model: Annotated[str, Path(description="The name of a served model.")],
    request: PredictRequest,
    services: Predicting,
) -> Predictions:
    """Predict for each row: `{"inputs": [row, ...]}`, a row being an object or an array."""
    return await services.serving.predict(model, request.inputs)
