"""Errors in the form of the Open Inference Protocol V2."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from starlette.responses import Response

from gql_platform.doc import Doc
from gql_platform.edge.problem import problem_response
from gql_platform.errors import PlatformError

PREFIX = "/v2"


@dataclass(frozen=True, slots=True)
class InferenceError:
    """An error of the Open Inference Protocol V2."""

    error: Annotated[str, Doc("What was wrong, what was expected, and what to do.")]


_DESCRIBED: dict[str, Any] = {
    "description": "What was wrong, what was expected, and what to do.",
    "model": InferenceError,
}
V2_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": _DESCRIBED, "5XX": _DESCRIBED}
"""The answer to a request that failed, in the description of each of the protocol's routes."""


def is_v2(path: str) -> bool:
    """Return whether a path is one of the protocol's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def v2_error_response(error: PlatformError, *, request_id: str) -> Response:
    """Return the answer to a request that ended with an error: a problem in the protocol's words.

    The protocol knows one status for a request that cannot be used, 400.

    Args:
        error: The error.
        request_id: What the log knows the request by.
    """
    problem = problem_response(error, request_id=request_id)
    headers = {
        name: value
        for name, value in problem.headers.items()
        if name not in ("content-type", "content-length")
    }
    status = 400 if problem.status_code == 422 else problem.status_code
    body = json.dumps({"error": error.for_callers})
    return Response(body, status, headers, "application/json")
