"""Errors on their way out of REST."""

import json
import re

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gql_platform.edge.problem import problem_response
from gql_platform.edge.state import request_id_of
from gql_platform.errors import (
    InvalidBodyError,
    MethodNotAllowedError,
    PathNotFoundError,
    PlatformError,
    UnsupportedMediaTypeError,
)
from gql_platform.rest.v2_errors import is_v2, v2_error_response

JSON_MEDIA_TYPE = re.compile(r"application/([a-z0-9.+-]+\+)?json")


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app in the form of its path.

    The handlers are coroutines, for Starlette calls plain functions in a thread.
    """
    app.add_exception_handler(PlatformError, _platform_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


def media_type_of(request: Request) -> str:
    """Return the media type of a request's body without its parameters, "" if it has none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _answer(error: PlatformError, request: Request) -> Response:
    form = v2_error_response if is_v2(request.url.path) else problem_response
    return form(error, request_id=request_id_of(request.scope))


async def _platform_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlatformError)  # noqa: S101 - registered for it alone
    return _answer(error, request)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    media_type = media_type_of(request)
    if request.method == "POST" and not JSON_MEDIA_TYPE.fullmatch(media_type):
        return _answer(UnsupportedMediaTypeError(media_type=media_type or "none"), request)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    problem = f"{place}: {first['msg']}."
    return _answer(InvalidBodyError(problem=problem, expected=_expected(request)), request)


def _expected(request: Request) -> str:
    """Return what the path reads, by the example of its body's model."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(field, "field_info", None), "annotation", None)
    extra = getattr(model, "model_config", {}).get("json_schema_extra", {})
    examples = extra.get("examples", ())
    return f"a JSON object such as {json.dumps(examples[0])}" if examples else "what /docs shows"


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: unknown paths, other methods."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    path = request.url.path
    if error.status_code == 404:
        return _answer(PathNotFoundError(path=path), request)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "other methods")
        return _answer(
            MethodNotAllowedError(method=request.method, path=path, allowed=allowed), request
        )
    problem = f"{error.detail}."
    return _answer(InvalidBodyError(problem=problem, expected=_expected(request)), request)
