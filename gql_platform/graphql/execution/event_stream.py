"""GraphQL over server-sent events, in the protocol's mode of distinct connections.

The protocol is that of https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: one
request, one operation, one stream. Lines end with LF, which every client reads.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress

import structlog
from starlette.types import Send
from strawberry.types import ExecutionResult

from gql_platform.graphql.execution.response import body_of

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 12.0
"""How long a stream is silent; proxies close connections that are silent for long."""
STALL_SECONDS = 20.0
"""How long a client may leave an event unread that the network holds for it."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"vary", b"Accept"),
    # Otherwise nginx would collect events before it passes them on.
    (b"x-accel-buffering", b"no"),
]
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"

log = structlog.get_logger("gql_platform.event_stream")


async def send_events(
    results: AsyncGenerator[ExecutionResult, None],
    send: Send,
    *,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    stall_seconds: float = STALL_SECONDS,
) -> None:
    """Send the answers of an operation as they come, and the word that it is complete.

    Args:
        results: The answers; closed in the end.
        send: The ASGI callable of the request.
        heartbeat_seconds: After how long a silent stream gets a comment.
        stall_seconds: How long a client may leave an event unread; then the stream ends.
    """

    async def write(data: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(stall_seconds):
            await send({"type": "http.response.body", "body": data, "more_body": more})

    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    try:
        await write(_COMMENT)
        async with aclosing(results), aclosing(_events(results, heartbeat_seconds)) as events:
            async for event in events:
                await write(event)
        await write(_COMPLETE, more=False)
    except TimeoutError:
        log.info("client_reads_too_slowly")


async def _events(
    results: AsyncIterator[ExecutionResult], heartbeat_seconds: float
) -> AsyncGenerator[bytes, None]:
    """Yield each answer as an event, and a comment whenever there was none for a while."""
    while True:
        coming = asyncio.ensure_future(anext(results))
        try:
            while not (await asyncio.wait((coming,), timeout=heartbeat_seconds))[0]:
                yield _COMMENT
        finally:
            if not coming.done():
                coming.cancel()
                with suppress(asyncio.CancelledError):
                    await coming
        try:
            result = coming.result()
        except StopAsyncIteration:
            return
        yield b"event: next\ndata: " + body_of(result) + b"\n\n"
