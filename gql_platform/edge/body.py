"""A limit on request bodies, counted as they come in."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_platform.edge.problem import problem_response
from gql_platform.edge.state import request_id_of
from gql_platform.errors import BodyTooLargeError

_END_OF_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}


class BodyLimit:
    """Read bodies up to a limit, and hand on requests whose body is whole.

    Args:
        app: What answers the requests.
        limit_bytes: The largest body that is taken.
    """

    def __init__(self, app: ASGIApp, *, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body of a request, then pass the request on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except BodyTooLargeError as error:
            response = problem_response(error, request_id=request_id_of(scope))
            # What is still on its way is not read, so the connection is of no further use.
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the whole body, or None when the client has gone away meanwhile."""
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._limit_bytes:
            raise BodyTooLargeError(limit_bytes=self._limit_bytes)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > self._limit_bytes:
                raise BodyTooLargeError(limit_bytes=self._limit_bytes)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages = [{**_END_OF_BODY, "body": body}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
