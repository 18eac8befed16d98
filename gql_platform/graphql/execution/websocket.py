"""GraphQL over WebSocket, with the subprotocol graphql-transport-ws only.

The protocol is that of https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
A connection holds no queue: an operation goes on when its last message was taken, so that a client
that reads slowly slows down what it reads, and nobody else.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from starlette.types import Message, Receive, Scope, Send

from gql_platform.graphql.execution.request import (
    OperationRequest,
    RequestError,
    request_of,
)
from gql_platform.graphql.execution.response import body_of
from gql_platform.graphql.execution.schema import CompiledSchema, Refusal

PROTOCOL = "graphql-transport-ws"
CONNECTION_INIT_SECONDS = 10.0
"""How long a client may take for its first message."""
MAX_SUBSCRIPTIONS = 100
"""How many operations of a connection run at once."""
STALL_SECONDS = 20.0
"""How long a client may leave a message unread that the network holds for it."""
LONGEST_REASON = 123
"""How many bytes of reason a WebSocket's closing frame holds."""

log = structlog.get_logger("gql_platform.websocket")


class _ClosingError(Exception):
    """The connection is closed, by us.

    Args:
        code: The code of the closing frame.
        reason: Why, for the client.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _GoneError(Exception):
    """The client has closed the connection.

    Args:
        code: The code of its closing frame.
    """

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class WebSocketEndpoint:
    """Serve WebSocket connections.

    Args:
        schema_of: Returns the schema for whoever has a context; an operation ends with the schema
            that it began with.
        context_of: Makes the context of an operation from the ASGI scope of its connection.
        greet: Takes the ASGI scope and what the client sent to begin with, notes in the scope what
            the context needs of it, and returns whether the client may go on.
        stall_seconds: How long a client may leave a message unread.
    """

    def __init__(
        self,
        schema_of: Callable[[Any], CompiledSchema],
        *,
        context_of: Callable[[Scope], Any],
        greet: Callable[[Scope, Mapping[str, Any]], bool],
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self.schema_of = schema_of
        self.context_of = context_of
        self.greet = greet
        self.stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it ends."""
        connection = _Connection(self, scope, receive, send)
        started = time.perf_counter()
        code = await connection.serve()
        log.info(
            "websocket",
            path=scope["path"],
            code=code,
            operations=connection.count,
            duration_ms=round((time.perf_counter() - started) * 1e3, 3),
        )


class _Connection:
    """One connection.

    Attributes:
        count: How many operations it has begun.
    """

    def __init__(
        self, endpoint: WebSocketEndpoint, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self._receive = receive
        self._send = send
        self._sending = asyncio.Lock()
        self._sending_since: float | None = None
        self._loop = asyncio.get_running_loop()
        self._watching: asyncio.TimerHandle | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._is_greeted = False
        self._failure: _ClosingError | None = None
        self._reader: asyncio.Task[Any] | None = None
        self.count = 0

    async def serve(self) -> int:
        """Take messages until the connection ends, and return the code that it ended with."""
        self._reader = asyncio.current_task()
        self._watch()
        try:
            await self._accept()
            await self._take_greeting()
            while True:
                await self._act(await self._message())
        except _GoneError as gone:
            return gone.code
        except _ClosingError as closing:
            return await self._close(closing)
        except asyncio.CancelledError:
            if self._failure is None or self._reader is None or self._reader.uncancel() > 0:
                raise
            return await self._close(self._failure)
        finally:
            if self._watching is not None:
                self._watching.cancel()
            await self._end_operations()

    async def _accept(self) -> None:
        await self._receive()
        if PROTOCOL not in self._scope.get("subprotocols", ()):
            await self._send({"type": "websocket.accept"})
            raise _ClosingError(4406, f"The subprotocol must be {PROTOCOL}")
        await self._send({"type": "websocket.accept", "subprotocol": PROTOCOL})

    async def _take_greeting(self) -> None:
        try:
            async with asyncio.timeout(CONNECTION_INIT_SECONDS):
                while not self._is_greeted:
                    await self._act(await self._message())
        except TimeoutError as error:
            raise _ClosingError(4408, "Connection initialisation timeout") from error

    async def _message(self) -> Mapping[str, Any]:
        """Return the next message.

        Raises:
            _ClosingError: If it is none of the protocol.
            _GoneError: If the client is gone.
        """
        event: Message = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise _GoneError(event.get("code", 1005))
        try:
            message = orjson.loads(event.get("text") or event.get("bytes") or b"")
        except orjson.JSONDecodeError as error:
            raise _ClosingError(4400, "A message must be JSON") from error
        if not isinstance(message, Mapping) or not isinstance(message.get("type"), str):
            raise _ClosingError(4400, "A message must be an object with a type")
        return message

    async def _act(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._greet(message.get("payload"))
            case "ping":
                await self._transmit('{"type":"pong"}')
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message)
            case "complete":
                operation = self._operations.pop(_id_of(message), None)
                if operation is not None:
                    operation.cancel()
            case other:
                raise _ClosingError(4400, f"There is no message of type {other!r}")

    async def _greet(self, payload: object) -> None:
        if self._is_greeted:
            raise _ClosingError(4429, "Too many initialisation requests")
        if not isinstance(payload, Mapping | None):
            raise _ClosingError(4400, "The payload of connection_init must be an object")
        if not self._endpoint.greet(self._scope, payload or {}):
            raise _ClosingError(4403, "Forbidden")
        self._is_greeted = True
        await self._transmit('{"type":"connection_ack"}')

    def _subscribe(self, message: Mapping[str, Any]) -> None:
        if not self._is_greeted:
            raise _ClosingError(4401, "Unauthorized")
        name = _id_of(message)
        if name in self._operations:
            raise _ClosingError(4409, f"Subscriber for {name} already exists")
        if len(self._operations) >= MAX_SUBSCRIPTIONS:
            raise _ClosingError(4429, f"At most {MAX_SUBSCRIPTIONS} operations run at once")
        try:
            request = request_of(message.get("payload"))
        except RequestError as error:
            raise _ClosingError(4400, str(error)) from error
        self.count += 1
        self._operations[name] = asyncio.create_task(self._run(name, request))

    async def _run(self, name: str, request: OperationRequest) -> None:
        """Run an operation, and tell what comes of it."""
        try:
            await self._tell(name, request)
        except _ClosingError as closing:
            self._fail(closing)
        except OSError:
            # The client is gone, which the reader will see at once.
            pass
        except Exception:
            log.exception("websocket_operation_failed")
            self._fail(_ClosingError(4500, "Internal server error"))

    async def _tell(self, name: str, request: OperationRequest) -> None:
        shown = orjson.dumps(name).decode()
        context = self._endpoint.context_of(self._scope)
        results = await self._endpoint.schema_of(context).results(request, context)
        async with aclosing(results):
            async for result in results:
                if isinstance(result, Refusal):
                    self._operations.pop(name, None)
                    errors = orjson.dumps([each.formatted for each in result.errors or ()])
                    await self._transmit(_message_of(shown, "error", errors.decode()))
                    return
                await self._transmit(_message_of(shown, "next", body_of(result).decode()))
        self._operations.pop(name, None)
        await self._transmit(f'{{"id":{shown},"type":"complete"}}')

    async def _transmit(self, text: str) -> None:
        """Send a message, and wait until the client takes it, or the watch ends that."""
        async with self._sending:
            self._sending_since = self._loop.time()
            try:
                await self._send({"type": "websocket.send", "text": text})
            finally:
                # An operation that its client has ended waits no more.
                self._sending_since = None

    def _watch(self) -> None:
        """Look from time to time whether a message is not taken; a timer for each would cost."""
        since, patience = self._sending_since, self._endpoint.stall_seconds
        if since is not None and self._loop.time() - since >= patience:
            self._fail(_ClosingError(1013, "The client reads too slowly"))
        else:
            self._watching = self._loop.call_later(patience / 4, self._watch)

    def _fail(self, closing: _ClosingError) -> None:
        """End the connection from within an operation."""
        if self._failure is None and self._reader is not None:
            self._failure = closing
            self._reader.cancel()

    async def _close(self, closing: _ClosingError) -> int:
        reason = closing.reason.encode()[:LONGEST_REASON].decode(errors="ignore")
        try:
            async with asyncio.timeout(1.0):
                await self._send(
                    {"type": "websocket.close", "code": closing.code, "reason": reason}
                )
        except (OSError, TimeoutError):
            # It is gone, or does not even read that.
            log.debug("websocket_close_not_taken", code=closing.code)
        return closing.code

    async def _end_operations(self) -> None:
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _id_of(message: Mapping[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not name:
        raise _ClosingError(4400, "The id must be a text that is not empty")
    return name


def _message_of(shown_id: str, kind: str, payload: str) -> str:
    return f'{{"id":{shown_id},"type":"{kind}","payload":{payload}}}'
