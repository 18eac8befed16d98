"""Each request gets an id, a log line and a figure."""

import asyncio
from collections.abc import Collection, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_platform.edge.problem import problem_response
from gql_platform.edge.state import remember
from gql_platform.errors import PlatformError, ServerStoppingError
from gql_platform.observability import Metrics, Stopwatch, request_id_of

REQUEST_ID_HEADER = "X-Request-ID"

UNMATCHED = "unmatched"

CLIENT_WENT_AWAY = 499
"""The status, known from nginx, of a request that nobody waits for an answer to any more."""

log = structlog.get_logger("gql_platform.request")


class RequestLog:
    """Follow each request from its start to its end.

    Args:
        app: What answers the requests.
        metrics: What counts them; None counts nothing.
        secret_prefixes: What the paths begin with whose rest is a secret, and is not logged.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics | None, secret_prefixes: Collection[str] = ()
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._secret_prefixes = tuple(secret_prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give a request or connection its id, and note how it ended."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope).get(REQUEST_ID_HEADER))
        remember(scope, request_id=request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._follow(scope, receive, send, request_id)

    async def _follow(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        watch = Stopwatch()
        status = CLIENT_WENT_AWAY

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            # The server stops, and its patience with requests at work is over.
            if status == CLIENT_WENT_AWAY:
                answer = problem_response(ServerStoppingError(), request_id=request_id)
                await answer(scope, receive, noting)
        except Exception:
            # The one place where what nobody foresaw is logged, while the request is known.
            log.exception("request_failed", path=self._shown(scope["path"]))
            if status == CLIENT_WENT_AWAY:
                answer = problem_response(PlatformError(), request_id=request_id)
                await answer(scope, receive, noting)
        finally:
            self._note(scope, status, watch.seconds)

    def _shown(self, path: str) -> str:
        """Return a path as the log may know it."""
        if not path.startswith(self._secret_prefixes):
            return path
        prefix = next(each for each in self._secret_prefixes if path.startswith(each))
        return f"{prefix}***"

    def _note(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = str(scope["method"])
        level = log.error if status == 500 else log.info
        level(
            "request",
            method=method,
            path=self._shown(scope["path"]),
            status=status,
            duration_ms=round(seconds * 1e3, 3),
        )
        if self._metrics is not None:
            self._metrics.request_finished(
                method=method, route=route, status=status, seconds=seconds
            )
