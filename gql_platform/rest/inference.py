"""Requests and answers of the Open Inference Protocol V2, as they go over HTTP.

The objects are those of "Open Inference Protocol, HTTP/REST"; what follows the JSON in a body is
laid out by NVIDIA's "Binary Tensor Data Extension".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from starlette.responses import Response

from gql_platform.errors import InvalidBodyError
from gql_platform.registry.records import Column
from gql_platform.rest.body import json_of
from gql_platform.rest.lazy_rows import LazyRows
from gql_platform.rest.tensors import (
    Datatype,
    Tensor,
    rows_of,
    tensor_from_bytes,
    tensor_from_json,
)

HEADER_LENGTH = "Inference-Header-Content-Length"
"""How many bytes of a body are JSON, where tensors in binary form follow."""

BINARY_MEDIA_TYPE = "application/octet-stream"

EXAMPLE: dict[str, Any] = {
    "id": "42",
    "inputs": [
        {"name": "alcohol", "shape": [2], "datatype": "FP64", "data": [14.23, 12.37]},
        {"name": "malic_acid", "shape": [2], "datatype": "FP64", "data": [1.71, 0.94]},
    ],
    "outputs": [{"name": "label"}],
}
_EXPECTED = f"an inference request such as {orjson.dumps(EXAMPLE).decode()}"
_Size = Annotated[int, Field(ge=0)]


class _Parsed(BaseModel):
    """What a client sends; members that are not ours are let pass, as the protocol has it."""

    model_config = ConfigDict(strict=True)


class InputParameters(_Parsed):
    """How the elements of an input are sent."""

    binary_data_size: _Size | None = Field(
        default=None, description="How many bytes after the JSON are this tensor's."
    )
    shared_memory_region: Any = Field(default=None, description="Shared memory is not read.")


class RequestInput(_Parsed):
    """An input tensor."""

    name: str = Field(
        max_length=1000, description="The name of a column; any name for a tensor of all columns."
    )
    shape: list[_Size] = Field(description="`[n]` or `[n, 1]`; `[n, k]` for all k columns.")
    datatype: Datatype = Field(description="The type of its elements.")
    parameters: InputParameters = Field(
        default=InputParameters(), description="How its elements are sent."
    )
    data: list[Any] | None = Field(
        default=None,
        description="Its elements in row-major order, flat or nested, unless they are binary.",
    )


class OutputParameters(_Parsed):
    """How an output is to be sent."""

    binary_data: bool | None = Field(
        default=None, description="Whether in binary form; by default what the request says."
    )
    classification: Any = Field(default=None, description="Not supported: there are labels.")
    shared_memory_region: Any = Field(default=None, description="Shared memory is not written.")


class RequestOutput(_Parsed):
    """An output that is asked for."""

    name: str = Field(
        max_length=1000,
        description="`label` or `probabilities` of a classifier; else `value`, and of a "
        "forecaster `lower` and `upper`.",
    )
    parameters: OutputParameters = Field(
        default=OutputParameters(), description="How it is to be sent."
    )


class RequestParameters(_Parsed):
    """Parameters of the whole request; those that are not ours have no effect."""

    binary_data_output: bool = Field(
        default=False, description="Whether outputs are sent in binary form by default."
    )


class InferenceRequest(_Parsed):
    """A request of the Open Inference Protocol V2."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str | None = Field(default=None, description="Any text; the answer carries it, too.")
    parameters: RequestParameters = Field(
        default=RequestParameters(), description="What holds for all outputs."
    )
    inputs: Annotated[list[RequestInput], FailFast()] = Field(
        min_length=1, description="A tensor for each column, or one with all columns."
    )
    outputs: list[RequestOutput] | None = Field(
        default=None, description="The outputs that are wanted; all by default."
    )


@dataclass(frozen=True, slots=True)
class AskedOutput:
    """An output that a request asks for.

    Attributes:
        name: Its name.
        is_binary: Whether in binary form.
    """

    name: str
    is_binary: bool


@dataclass(frozen=True, slots=True)
class Inference:
    """What a request asks for.

    Attributes:
        id: What the answer is to carry.
        rows: The rows to predict for.
        outputs: The outputs in the order of the request; None asks for all.
        all_binary: Whether in that case in binary form.
    """

    id: str | None
    rows: LazyRows
    outputs: tuple[AskedOutput, ...] | None
    all_binary: bool


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """An output with its elements.

    Attributes:
        name: Its name.
        datatype: The type of its elements.
        shape: Its sizes.
        data: Its elements in row-major order: plain values, or their binary form.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    data: Sequence[object] | bytes


def inference_of(
    body: bytes,
    *,
    json_length: str | None,
    columns: Sequence[Column],
    outputs: Sequence[str],
) -> Inference:
    """Read a request.

    Args:
        body: JSON, with binary tensors after it if there are any.
        json_length: The header that tells how long the JSON is, if it was sent.
        columns: The input columns of the model, in its order.
        outputs: The names of the model's outputs.

    Raises:
        InvalidBodyError: If it is no such request, or its tensors do not hold together.
    """
    header, binary = _split(body, json_length)
    request = _request_of(header)
    return Inference(
        id=request.id,
        rows=rows_of(_tensors_of(request.inputs, binary), columns),
        outputs=_asked(request, outputs),
        all_binary=request.parameters.binary_data_output,
    )


def inference_response(
    tensors: Sequence[OutputTensor], *, model: str, version: int, request_id: str | None
) -> Response:
    """Return the answer with some outputs; those whose data are bytes follow the JSON.

    Args:
        tensors: The outputs.
        model: The name of the model that computed them.
        version: Its version.
        request_id: The id of the request, if it has one.
    """
    head: dict[str, object] = {"model_name": model, "model_version": str(version)}
    if request_id is not None:
        head["id"] = request_id
    head["outputs"] = [_described(tensor) for tensor in tensors]
    text = orjson.dumps(head)
    binary = [tensor.data for tensor in tensors if isinstance(tensor.data, bytes)]
    if not binary:
        return Response(text, media_type="application/json")
    headers = {HEADER_LENGTH: str(len(text))}
    return Response(b"".join((text, *binary)), headers=headers, media_type=BINARY_MEDIA_TYPE)


def _described(tensor: OutputTensor) -> dict[str, object]:
    described: dict[str, object] = {
        "name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape,
    }  # fmt: skip
    if isinstance(tensor.data, bytes):
        return {**described, "parameters": {"binary_data_size": len(tensor.data)}}
    return {**described, "data": tensor.data}


def _split(body: bytes, json_length: str | None) -> tuple[bytes, bytes]:
    """Return the JSON of a body, and what follows it."""
    if json_length is None:
        return body, b""
    if not (json_length.isascii() and json_length.isdecimal() and len(json_length) < 20):
        raise _refused(f"The header {HEADER_LENGTH} is {json_length[:20]!r}.")
    length = int(json_length)
    if length > len(body):
        raise _refused(
            f"The header {HEADER_LENGTH} is {length}, and the body has {len(body)} bytes."
        )
    return body[:length], body[length:]


def _request_of(header: bytes) -> InferenceRequest:
    document = json_of(header, expected=_EXPECTED)
    try:
        return InferenceRequest.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _refused(f"{place or 'It'}: {first['msg']}.") from None


def _tensors_of(inputs: Sequence[RequestInput], binary: bytes) -> list[Tensor]:
    """Return the tensors, those in binary form cut from what follows the JSON, in their order."""
    tensors = []
    offset = 0
    for each in inputs:
        size = each.parameters.binary_data_size
        if each.parameters.shared_memory_region is not None:
            raise _refused(f"Input {each.name!r} lies in shared memory, which is not read.")
        if (size is None) == (each.data is None):
            which = "neither" if size is None else "both"
            raise _refused(f"Input {each.name!r} has {which} of `data` and `binary_data_size`.")
        if each.data is not None:
            tensors.append(tensor_from_json(each.name, each.datatype, each.shape, each.data))
            continue
        raw = binary[offset : offset + (size or 0)]
        offset += size or 0
        if offset > len(binary):
            raise _refused(f"The body ends within input {each.name!r}.")
        tensors.append(tensor_from_bytes(each.name, each.datatype, each.shape, raw))
    if offset != len(binary):
        raise _refused(f"{len(binary) - offset} bytes after the JSON belong to no input.")
    return tensors


def _asked(request: InferenceRequest, known: Sequence[str]) -> tuple[AskedOutput, ...] | None:
    """Return the outputs that a request asks for, or None for all."""
    if not request.outputs:
        return None
    asked: dict[str, AskedOutput] = {}
    for output in request.outputs:
        if output.name not in known:
            raise unknown_output(output.name, known)
        if output.name in asked:
            raise _refused(f"Output {output.name!r} is asked for twice.")
        wanted = output.parameters
        if wanted.classification or wanted.shared_memory_region is not None:
            raise _refused(
                f"Output {output.name!r} is asked for as a classification or in shared memory."
            )
        by_default = request.parameters.binary_data_output
        is_binary = by_default if wanted.binary_data is None else wanted.binary_data
        asked[output.name] = AskedOutput(output.name, is_binary)
    return tuple(asked.values())


def unknown_output(name: str, known: Sequence[str]) -> InvalidBodyError:
    """Return the error about an output that a model does not have."""
    listed = " or ".join(repr(each) for each in known)
    return InvalidBodyError(problem=f"There is no output {name!r}.", expected=listed)


def _refused(problem: str) -> InvalidBodyError:
    return InvalidBodyError(problem=problem, expected=_EXPECTED)
