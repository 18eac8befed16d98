"""GraphQL over HTTP, as the GraphQL-over-HTTP specification has it (draft of 2025).

POST takes JSON; GET takes queries in the URL's parameters, and shows a page to browsers. Whoever
prefers ``text/event-stream`` gets the answers as server-sent events.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.types import ExecutionResult

from gql_platform.graphql.execution.departure import WhileConnected
from gql_platform.graphql.execution.event_stream import send_events
from gql_platform.graphql.execution.negotiation import (
    GRAPHQL_RESPONSE,
    JSON,
    accepted_type,
    wants_events,
    wants_page,
)
from gql_platform.graphql.execution.request import (
    OperationRequest,
    RequestError,
    from_body,
    from_url,
)
from gql_platform.graphql.execution.response import body_of
from gql_platform.graphql.execution.schema import CompiledSchema, OperationTypeError, Refusal, Types

_READING = frozenset({OperationType.QUERY})
_READING_AND_WRITING = frozenset({OperationType.QUERY, OperationType.MUTATION})


class GraphQLEndpoint:
    """The ASGI application behind one path.

    Args:
        schema_of: Returns the schema for whoever has a context; operations at work end with the
            schema that they began with.
        context_of: Makes the context of an operation from the ASGI scope.
        request_id_of: Returns the id of a request, for errors that no operation reports.
        page: What browsers get to see; None shows nothing.
        websocket: What serves WebSocket connections; None refuses them.
    """

    def __init__(
        self,
        schema_of: Callable[[Any], CompiledSchema],
        *,
        context_of: Callable[[Scope], Any],
        request_id_of: Callable[[Scope], str],
        page: ASGIApp | None = None,
        websocket: ASGIApp | None = None,
    ) -> None:
        self._schema_of = schema_of
        self._context_of = context_of
        self._request_id_of = request_id_of
        self._page = page
        self._websocket = websocket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one connection."""
        if scope["type"] == "websocket":
            if self._websocket is None:
                await send({"type": "websocket.close", "code": 1008, "reason": ""})
            else:
                await self._websocket(scope, receive, send)
            return
        headers = dict(scope["headers"])
        accept = _text(headers.get(b"accept"))
        if self._page is not None and wants_page(scope["method"], accept):
            await self._page(scope, receive, send)
            return
        media_type = JSON
        try:
            streams = wants_events(accept)
            media_type = JSON if streams else accepted_type(accept)
            request, allowed = await _read(scope, receive, headers)
            if streams:
                await self._stream(request, allowed, scope, receive, send)
                return
            result = await self._answered(request, allowed, scope, receive)
        except RequestError as error:
            await _send(send, error.status, media_type, self._body_of(error, scope), error.headers)
            return
        if result is not None:
            await _send(send, _status_of(result, media_type), media_type, body_of(result))

    async def _answered(
        self, request: OperationRequest, allowed: Types, scope: Scope, receive: Receive
    ) -> ExecutionResult | None:
        """Run an operation; None when its client went away meanwhile."""
        context = self._context_of(scope)
        with WhileConnected(receive):
            try:
                return await self._schema_of(context).run(request, context, allowed=allowed)
            except OperationTypeError as error:
                raise _not_allowed(error.operation_type) from error
        return None

    async def _stream(
        self,
        request: OperationRequest,
        allowed: Types,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Run an operation, and send its answers as events until its client goes away."""
        context = self._context_of(scope)
        allowed = {*allowed, OperationType.SUBSCRIPTION}
        with WhileConnected(receive):
            try:
                schema = self._schema_of(context)
                results = await schema.results(request, context, allowed=allowed)
            except OperationTypeError as error:
                raise _not_allowed(error.operation_type) from error
            await send_events(results, send)

    def _body_of(self, error: RequestError, scope: Scope) -> bytes:
        extensions = {"code": error.code, "requestId": self._request_id_of(scope)}
        return orjson.dumps({"errors": [{"message": str(error), "extensions": extensions}]})


async def _read(
    scope: Scope, receive: Receive, headers: Mapping[bytes, bytes]
) -> tuple[OperationRequest, Types]:
    """Return the request, and the types of operation that its method may run."""
    if scope["method"] == "POST":
        body = await _body(receive)
        return from_body(_text(headers.get(b"content-type")), body), _READING_AND_WRITING
    if scope["method"] == "GET":
        return from_url(scope["query_string"]), _READING
    raise RequestError(
        405, "GraphQL takes POST, and GET for queries.",
        code="METHOD_NOT_ALLOWED", headers={"allow": "GET, POST"},
    )  # fmt: skip


def _not_allowed(operation_type: OperationType) -> RequestError:
    if operation_type is OperationType.SUBSCRIPTION:
        return RequestError(
            400,
            "Subscriptions have more answers than one: ask for a stream of events with "
            "`Accept: text/event-stream`, or open a WebSocket at the same path with the "
            "subprotocol graphql-transport-ws.",
            code="SUBSCRIPTION_OVER_HTTP",
        )
    return RequestError(
        405, "Only queries run over GET; send mutations by POST.",
        code="METHOD_NOT_ALLOWED", headers={"allow": "POST"},
    )  # fmt: skip


def _status_of(result: ExecutionResult, media_type: str) -> int:
    """Return 400 for what did not run; with ``application/json`` only for a bad request."""
    if not isinstance(result, Refusal):
        return 200
    return 400 if result.is_bad_request or media_type == GRAPHQL_RESPONSE else 200


async def _body(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


async def _send(
    send: Send,
    status: int,
    media_type: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> None:
    sent = [
        (b"content-type", media_type.encode("ascii")),
        (b"content-length", b"%d" % len(body)),
        # What a cache keeps for one media type is no answer for the other.
        (b"vary", b"Accept"),
    ]
    sent += [
        (name.encode("latin-1"), text.encode("latin-1")) for name, text in (headers or {}).items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
