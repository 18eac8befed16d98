"""GraphQL over WebSocket, with the subprotocol graphql-transport-ws only."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message
from strawberry.types.unset import UnsetType

CONNECTION_INIT_TIMEOUT = timedelta(seconds=10)
MAX_SUBSCRIPTIONS = 100

log = structlog.get_logger(__name__)


class _Handler(BaseGraphQLTransportWSHandler[Any, None]):
    """Take the messages of one connection, if they are messages of the protocol."""

    async def handle_message(self, message: Message) -> None:
        """Act on a message, or close the connection over one that is none."""
        problem = problem_of(message)
        if problem is not None:
            await self.handle_invalid_message(problem)
        else:
            await super().handle_message(message)

    async def handle_task_exception(self, error: Exception) -> None:
        """Log what ended an operation, unless the client just went away."""
        if not isinstance(error, WebSocketDisconnected | WebSocketDisconnect):
            log.error("websocket_operation_failed", exc_info=error)


class _Connection(GraphQL[Any, None]):
    """One WebSocket connection, which keeps the schema that it began with."""

    graphql_transport_ws_handler_class = _Handler

    def __init__(self, schema: Schema, context: Any, greet: Callable[[Any], bool]) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=CONNECTION_INIT_TIMEOUT,
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
            # Origins are checked before a request comes here.
            allowed_origins=("*",),
        )
        self._context = context
        self._greet = greet

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Any:
        """Return the one context of the connection."""
        del request, response
        return self._context

    async def on_ws_connect(self, context: Any) -> UnsetType | dict[str, object] | None:
        """Look at what the client sent to begin with."""
        if not self._greet(context):
            raise ConnectionRejectionError
        return UnsetType()

    def encode_json(self, data: object) -> str:
        """Write text: bytes would go out as binary frames, which clients do not expect."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        """Read a message."""
        message: object = orjson.loads(data)
        return message


def problem_of(message: object) -> str | None:
    """Return why something a client sent is no message of the protocol, or None.

    Args:
        message: Any JSON value.
    """
    if not isinstance(message, Mapping) or not isinstance(message.get("type"), str):
        return "A message must be an object with a type"
    if message["type"] not in ("subscribe", "complete"):
        return None
    if not isinstance(message.get("id"), str) or not message["id"]:
        return "The id must be a text that is not empty"
    return _problem_of_payload(message.get("payload")) if message["type"] == "subscribe" else None


def _problem_of_payload(payload: object) -> str | None:
    if not isinstance(payload, Mapping):
        return "The payload must be an object"
    if not isinstance(payload.get("query"), str) or not payload["query"].strip():
        return "The payload's query must be the text of a document"
    if not isinstance(payload.get("operationName"), str | None):
        return "The payload's operationName must be a text"
    if not isinstance(payload.get("variables"), dict | None):
        return "The payload's variables must be an object"
    return None


class WebSocketEndpoint:
    """Serve WebSocket connections.

    Args:
        schema: Returns the schema for a new connection.
        context_of: Makes the context of a connection from the ASGI scope; it has an attribute
            ``connection_params``, which is set to what the client sends to begin with.
        greet: Takes the context with these parameters and returns whether the client may go on.
    """

    def __init__(
        self,
        schema: Callable[[], Schema],
        *,
        context_of: Callable[[Scope], Any],
        greet: Callable[[Any], bool],
    ) -> None:
        self._schema = schema
        self._context_of = context_of
        self._greet = greet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it ends."""
        connection = _Connection(self._schema(), self._context_of(scope), self._greet)
        await connection(scope, receive, send)
