"""Errors on their way out of REST."""

import structlog
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
)

log = structlog.get_logger(__name__)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app in the one form."""
    app.add_exception_handler(PlatformError, _platform_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen_error)


def _answer(error: PlatformError, request: Request) -> Response:
    return problem_response(error, request_id=request_id_of(request.scope))


def _platform_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlatformError)  # noqa: S101 - registered for it alone
    return _answer(error, request)


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    problem = f"{place}: {first['msg']}."
    return _answer(InvalidBodyError(problem=problem, expected=_expected(request)), request)


def _expected(request: Request) -> str:
    route = request.scope.get("route")
    return getattr(route, "description", "") or "what /docs shows for this path."


def _http_error(request: Request, error: Exception) -> Response:
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


def _unforeseen_error(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return _answer(PlatformError(), request)
