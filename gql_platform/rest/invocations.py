"""Predictions as `mlflow models serve` gives them, for clients of MLflow's scoring protocol."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.errors import UnsupportedMediaTypeError
from gql_platform.rest.body import off_the_loop
from gql_platform.rest.errors import JSON_MEDIA_TYPE, media_type_of
from gql_platform.rest.model_tensors import loaded_parts
from gql_platform.rest.permission import Allow
from gql_platform.rest.scoring import answers_of, rows_of_csv, rows_of_json
from gql_platform.services import Services

CSV_MEDIA_TYPE = "text/csv"

router = APIRouter(tags=["mlflow scoring"])

Predicting = Annotated[Services, Depends(Allow(Permission.MODEL_PREDICT))]


@dataclass(frozen=True, slots=True)
class Scores:
    """An answer of MLflow's scoring protocol."""

    predictions: Annotated[
        tuple[str | int | float | bool, ...],
        Doc("One answer per row: a classifier's label, in its own type, or a regressor's number."),
    ]


BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "description": "Rows in exactly one of the formats.",
                "properties": {
                    "dataframe_split": {
                        "type": "object",
                        "description": "`columns`, `data` and maybe `index`, as pandas has it.",
                    },
                    "dataframe_records": {
                        "type": "array",
                        "items": {"type": "object"},
                        "description": "Rows as objects by column name.",
                    },
                    "instances": {
                        "type": ["array", "object"],
                        "description": "Rows, or columns by name.",
                    },
                    "inputs": {
                        "type": ["object", "array"],
                        "description": "Columns by name, or rows.",
                    },
                    "params": {
                        "type": "object",
                        "maxProperties": 0,
                        "description": "Models take none here.",
                    },
                },
                "examples": [{"dataframe_split": {"columns": ["age", "bmi"], "data": [[51, 29]]}}],
            }
        },
        CSV_MEDIA_TYPE: {
            "schema": {"type": "string", "description": "Rows below a line of column names."}
        },
    },
}


@router.post(
    "/models/{name}/invocations",
    summary="Predict as MLflow's server does",
    response_model=Scores,
    openapi_extra={"requestBody": BODY},
)
async def invocations(
    name: Annotated[str, Path(description="The name of a served model.")],
    request: Request,
    services: Predicting,
) -> Response:
    """Predict for rows in any format of MLflow's scoring protocol, and answer as it does.

    Columns that the model does not have are let pass. Values must be of the types of the
    signature.
    """
    served = services.serving.model(name)
    signature, _ = loaded_parts(served)
    media_type = media_type_of(request)
    if media_type != CSV_MEDIA_TYPE and not JSON_MEDIA_TYPE.fullmatch(media_type):
        raise UnsupportedMediaTypeError(media_type=media_type or "none")
    read = rows_of_csv if media_type == CSV_MEDIA_TYPE else rows_of_json
    body = await request.body()
    rows = await off_the_loop(partial(read, body, signature.inputs), size_bytes=len(body))
    answer = await services.serving.predict(name, rows)
    answers = answers_of(answer.predictions, served.labels, signature)
    return Response(orjson.dumps({"predictions": answers}), media_type="application/json")
