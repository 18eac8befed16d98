"""The Open Inference Protocol V2 over REST, as KServe's and Triton's clients speak it."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from gql_platform import __version__
from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.errors import InvalidBodyError
from gql_platform.rest.body import off_the_loop
from gql_platform.rest.inference import (
    BINARY_MEDIA_TYPE,
    HEADER_LENGTH,
    InferenceRequest,
    inference_of,
    inference_response,
)
from gql_platform.rest.inline_schema import inline_schema
from gql_platform.rest.model_tensors import (
    OUTPUTS,
    ModelMetadata,
    loaded_parts,
    metadata_of,
    output_tensors,
)
from gql_platform.rest.permission import Allow
from gql_platform.rest.tensors import Datatype
from gql_platform.rest.v2_errors import V2_ERRORS
from gql_platform.services import Services
from gql_platform.serving.records import ServedModel

EXTENSIONS = ("binary_tensor_data",)

BYTES_PER_ROW = 256
"""What the answer to one row comes to, roughly, as an object or as text."""

router = APIRouter(tags=["open inference protocol"], responses=V2_ERRORS)

Anybody = Annotated[Services, Depends(Allow(None))]
Reading = Annotated[Services, Depends(Allow(Permission.MODEL_READ))]
Predicting = Annotated[Services, Depends(Allow(Permission.MODEL_PREDICT))]
ModelName = Annotated[str, Path(description="The name of a served model.")]
Version = Annotated[str, Path(description="The number of its version that is served.")]


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """The server, as the Open Inference Protocol V2 describes it."""

    name: Annotated[str, Doc("Always `gql_platform`.")]
    version: Annotated[str, Doc("The version of gql_platform.")]
    extensions: Annotated[tuple[str, ...], Doc("The protocol's extensions that it speaks.")]


@dataclass(frozen=True, slots=True)
class ServerLive:
    """Whether the server lives."""

    live: Annotated[bool, Doc("True.")]


@dataclass(frozen=True, slots=True)
class ServerReady:
    """Whether the server takes traffic."""

    ready: Annotated[bool, Doc("Whether every model is loaded, or failed to.")]


@dataclass(frozen=True, slots=True)
class ModelReady:
    """Whether a model predicts."""

    name: Annotated[str, Doc("The name of the model.")]
    ready: Annotated[bool, Doc("True.")]


@dataclass(frozen=True, slots=True)
class BinarySize:
    """How a binary output is sent."""

    binary_data_size: Annotated[int, Doc("How many bytes after the JSON are this tensor's.")]


@dataclass(frozen=True, slots=True)
class InferenceOutput:
    """An output tensor."""

    name: Annotated[str, Doc("`label` or `probabilities` of a classifier; else `value`.")]
    datatype: Annotated[Datatype, Doc("The type of its elements.")]
    shape: Annotated[tuple[int, ...], Doc("Its sizes.")]
    data: Annotated[
        tuple[str | float, ...] | None,
        Doc("Its elements in row-major order, unless they are sent in binary form."),
    ] = None
    parameters: Annotated[BinarySize | None, Doc("Of a binary output: how it is sent.")] = None


@dataclass(frozen=True, slots=True)
class InferenceResponse:
    """An answer of the Open Inference Protocol V2."""

    model_name: Annotated[str, Doc("The name of the model that answered.")]
    model_version: Annotated[str, Doc("The version that answered.")]
    outputs: Annotated[tuple[InferenceOutput, ...], Doc("The outputs that were asked for.")]
    id: Annotated[str | None, Doc("The id of the request, if it has one.")] = None


INFER: dict[str, Any] = {
    "response_model": InferenceResponse,
    "responses": {
        200: {"content": {BINARY_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": inline_schema(InferenceRequest)},
                BINARY_MEDIA_TYPE: {
                    "schema": {
                        "type": "string",
                        "format": "binary",
                        "description": f"JSON of {HEADER_LENGTH} bytes, then binary tensors.",
                    }
                },
            },
        }
    },
}
"""What both paths of predictions say of themselves, as they read and write bodies by hand."""


@router.get("/v2", summary="Server metadata")
async def server_metadata(services: Reading) -> ServerMetadata:
    """Tell the server's name, its version, and the extensions of the protocol that it speaks."""
    del services
    return ServerMetadata("gql_platform", __version__, EXTENSIONS)


@router.head("/v2/health/live", include_in_schema=False)
@router.get("/v2/health/live", summary="Server liveness")
async def server_live(services: Anybody) -> ServerLive:
    """Answer as long as the process lives."""
    del services
    return ServerLive(live=True)


@router.head("/v2/health/ready", include_in_schema=False)
@router.get(
    "/v2/health/ready",
    summary="Server readiness",
    responses={503: {"description": "It is still loading models.", "model": ServerReady}},
)
async def server_ready(services: Anybody, response: Response) -> ServerReady:
    """Answer 200 when the server takes traffic, 503 while it loads its models."""
    is_ready = services.serving.is_ready
    response.status_code = 200 if is_ready else 503
    return ServerReady(ready=is_ready)


@router.get("/v2/models/{model}", summary="Model metadata")
async def model_metadata(model: ModelName, services: Reading) -> ModelMetadata:
    """Tell the tensors that a model takes and gives."""
    return metadata_of(services.serving.model(model), services.serving.versions(model))


@router.get("/v2/models/{model}/versions/{version}", summary="Metadata of a version")
async def version_metadata(model: ModelName, version: Version, services: Reading) -> ModelMetadata:
    """Tell the tensors that the served version of a model takes and gives."""
    return metadata_of(services.serving.version(model, version), services.serving.versions(model))


@router.get("/v2/models/{model}/ready", summary="Model readiness")
async def model_ready(model: ModelName, services: Reading) -> ModelReady:
    """Answer 200 when a model predicts, 503 while it is loaded or when it could not be."""
    loaded_parts(services.serving.model(model))
    return ModelReady(model, ready=True)


@router.get("/v2/models/{model}/versions/{version}/ready", summary="Readiness of a version")
async def version_ready(model: ModelName, version: Version, services: Reading) -> ModelReady:
    """Answer 200 when the served version of a model predicts."""
    loaded_parts(services.serving.version(model, version))
    return ModelReady(model, ready=True)


@router.post("/v2/models/{model}/infer", summary="Predict with tensors", **INFER)
async def infer(model: ModelName, request: Request, services: Predicting) -> Response:
    """Predict for the rows that tensors hold: one for each column, or one with all columns.

    Tensors may follow the JSON in binary form, and be asked for in it, as Triton's "Binary
    Tensor Data Extension" has it.
    """
    return await _answer(services, services.serving.model(model), request, version=None)


@router.post(
    "/v2/models/{model}/versions/{version}/infer", summary="Predict with a version", **INFER
)
async def infer_with_version(
    model: ModelName, version: Version, request: Request, services: Predicting
) -> Response:
    """Predict with the served version of a model, for the rows that tensors hold."""
    return await _answer(
        services, services.serving.version(model, version), request, version=version
    )


async def _answer(
    services: Services, served: ServedModel, request: Request, *, version: str | None
) -> Response:
    """Predict for the rows of a request, and answer with the outputs that it asks for."""
    signature, task = loaded_parts(served)
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        problem = f"Its Content-Encoding is {encoding!r}."
        raise InvalidBodyError(problem=problem, expected="a body that is not compressed")
    body = await request.body()
    read = partial(
        inference_of,
        body,
        json_length=request.headers.get(HEADER_LENGTH),
        columns=signature.inputs,
        outputs=OUTPUTS[task],
    )
    asked = await off_the_loop(read, size_bytes=len(body))
    answer = await services.serving.predict(served.model, asked.rows, version=version)

    def written() -> Response:
        tensors = output_tensors(answer.predictions, asked.outputs, all_binary=asked.all_binary)
        return inference_response(
            tensors, model=answer.model, version=answer.version, request_id=asked.id
        )

    return await off_the_loop(written, size_bytes=len(asked.rows) * BYTES_PER_ROW)
