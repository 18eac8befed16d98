"""GraphQL over WebSocket, with the subprotocol graphql-transport-ws only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

CONNECTION_INIT_TIMEOUT = timedelta(seconds=10)
MAX_SUBSCRIPTIONS = 100


class _Connection(GraphQL[Any, None]):
    """One WebSocket connection, which keeps the schema that it began with."""

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
