"""Errors as HTTP answers, in the form of RFC 9457 (Problem Details for HTTP APIs)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

from starlette.responses import Response

from gql_platform.doc import Doc
from gql_platform.errors import (
    AccessError,
    BodyTooLargeError,
    DownloadExpiredError,
    InvalidBodyError,
    InvalidInputError,
    InvalidKeyError,
    MethodNotAllowedError,
    ModelError,
    MonitoringDisabledError,
    NotFoundError,
    OverloadedError,
    PlatformError,
    PredictionTimeoutError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)

STATUS: Mapping[type[PlatformError], int] = {
    BodyTooLargeError: 413,
    InvalidBodyError: 400,
    MethodNotAllowedError: 405,
    UnsupportedMediaTypeError: 415,
    InvalidInputError: 422,
    MonitoringDisabledError: 404,
    NotFoundError: 404,
    InvalidKeyError: 401,
    UnauthenticatedError: 401,
    DownloadExpiredError: 410,
    AccessError: 403,
    PredictionTimeoutError: 504,
    UnavailableError: 503,
    ModelError: 500,
    PlatformError: 500,
}
"""The status of each error; the entry of the nearest class counts."""

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as RFC 9457 has it; the facts of the error stand beside these members."""

    title: Annotated[str, Doc("The kind of problem, in words.")]
    status: Annotated[int, Doc("The HTTP status.")]
    detail: Annotated[str, Doc("What was wrong, what was expected, and what to do.")]
    code: Annotated[str, Doc("The stable code of the error, such as `INVALID_ROWS`.")]
    request_id: Annotated[str, Doc("What the server's log knows the request by.")]
    type: Annotated[str, Doc("Always `about:blank`: `code` tells the kind.")] = "about:blank"


def status_of(error: type[PlatformError]) -> int:
    """Return the HTTP status of a class of errors."""
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)


def problem_response(error: PlatformError, *, request_id: str) -> Response:
    """Return the answer to a request that ended with an error.

    Args:
        error: The error; its data go along.
        request_id: What the log knows the request by.
    """
    status = status_of(type(error))
    problem = Problem(
        title=error.code.replace("_", " ").capitalize(),
        status=status,
        detail=error.for_callers,
        code=error.code,
        request_id=request_id,
    )
    body = {**error.data, **asdict(problem)}
    headers = {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        seconds = error.retry_after_seconds if isinstance(error, OverloadedError) else 1
        headers["Retry-After"] = str(seconds)
    # An error may quote what no other encoder takes, such as half of a surrogate pair.
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)
