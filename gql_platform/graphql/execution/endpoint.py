"""GraphQL over HTTP, as the GraphQL-over-HTTP specification has it (draft of 2025).

POST takes JSON; GET takes queries in the URL's parameters, and shows a page to browsers.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.types import ExecutionResult

from gql_platform.graphql.execution.departure import WhileConnected
from gql_platform.graphql.execution.negotiation import (
    GRAPHQL_RESPONSE,
    JSON,
    accepted_type,
    wants_page,
)
from gql_platform.graphql.execution.request import (
    OperationRequest,
    RequestError,
    from_body,
    from_url,
)
from gql_platform.graphql.execution.schema import CompiledSchema, OperationTypeError, Refusal

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
            media_type = accepted_type(accept)
            result = await self._answered(scope, receive, headers)
        except RequestError as error:
            await _send(send, error.status, media_type, self._body_of(error, scope), error.headers)
            return
        if result is not None:
            await _send(send, _status_of(result, media_type), media_type, body_of(result))

    async def _answered(
        self, scope: Scope, receive: Receive, headers: Mapping[bytes, bytes]
    ) -> ExecutionResult | None:
        """Run what a request asks for; None when its client went away meanwhile."""
        method = scope["method"]
        if method == "POST":
            allowed = _READING_AND_WRITING
            body = await _body(receive)
            request = from_body(_text(headers.get(b"content-type")), body)
        elif method == "GET":
            allowed = _READING
            request = from_url(scope["query_string"])
        else:
            raise RequestError(
                405, "GraphQL takes POST, and GET for queries.",
                code="METHOD_NOT_ALLOWED", headers={"allow": "GET, POST"},
            )  # fmt: skip
        context = self._context_of(scope)
        with WhileConnected(receive):
            return await _run(self._schema_of(context), request, context, allowed)
        return None

    def _body_of(self, error: RequestError, scope: Scope) -> bytes:
        extensions = {"code": error.code, "requestId": self._request_id_of(scope)}
        return orjson.dumps({"errors": [{"message": str(error), "extensions": extensions}]})


async def _run(
    schema: CompiledSchema,
    request: OperationRequest,
    context: Any,
    allowed: frozenset[OperationType],
) -> ExecutionResult:
    try:
        return await schema.run(request, context, allowed=allowed)
    except OperationTypeError as error:
        if error.operation_type is OperationType.SUBSCRIPTION:
            raise RequestError(
                400,
                "Subscriptions do not run over a single request; open a WebSocket at the same "
                "path with the subprotocol graphql-transport-ws.",
                code="SUBSCRIPTION_OVER_HTTP",
            ) from error
        raise RequestError(
            405, "Only queries run over GET; send mutations by POST.",
            code="METHOD_NOT_ALLOWED", headers={"allow": "POST"},
        ) from error  # fmt: skip


def body_of(result: ExecutionResult) -> bytes:
    """Write a result as JSON; one that did not run has no ``data``."""
    body: dict[str, object] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if not isinstance(result, Refusal):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return orjson.dumps(body)


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
