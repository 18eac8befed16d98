"""Requests of the Open Inference Protocol for the example models."""

import json
from typing import Any

import numpy as np

from gql_platform.rest.inference import HEADER_LENGTH

AREA, ROOMS, GARDEN = "living area (m2)", "number of rooms", "has a garden"
HOUSE = "/v2/models/house_price/infer"
IRIS = "/v2/models/iris_species/infer"
FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


def tensor(name: str, datatype: str, data: list[Any], shape: list[int] | None = None) -> Any:
    """Return an input with its elements in JSON, by default of shape [n]."""
    return {"name": name, "shape": shape or [len(data)], "datatype": datatype, "data": data}


def house(**changes: Any) -> list[Any]:
    """Return the three inputs of two houses, with changes of the first."""
    area = {**tensor(AREA, "FP64", [100, 50.5]), **changes}
    return [area, tensor(ROOMS, "INT64", [4, 2]), tensor(GARDEN, "BOOL", [True, False])]


def binary(request: dict[str, Any], *parts: bytes) -> dict[str, Any]:
    """Return a request with tensors after its JSON, as arguments of a call."""
    text = json.dumps(request).encode()
    return {"content": text + b"".join(parts), "headers": {HEADER_LENGTH: str(len(text))}}


def flowers(datatype: str = "FP64", dtype: str = "<f8", **request: Any) -> dict[str, Any]:
    """Return a request for both flowers as one binary tensor, as arguments of a call."""
    raw = np.array(FLOWERS, dtype).tobytes()
    described = {
        "name": "all", "shape": [2, 4], "datatype": datatype,
        "parameters": {"binary_data_size": len(raw)},
    }  # fmt: skip
    return binary({"inputs": [described], **request}, raw)
