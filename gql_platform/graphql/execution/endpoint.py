"""GraphQL over HTTP, as the GraphQL-over-HTTP specification has it (draft of 2025).

POST takes JSON; GET takes queries in the URL's parameters, and shows a page to browsers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a GraphQL request."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None


class RequestError(Exception):
    """A request that is not one of GraphQL over HTTP.

    Args:
        status: The HTTP status to answer with.
        message: What is wrong, what was expected, and what to do.
        code: The stable code of the error.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "INVALID_BODY",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


class GraphQLEndpoint:
    """The ASGI application behind one path.

    Args:
        schema: The schema to begin with; assign another to `schema` to swap it in one step.
            Operations at work end with the schema that they began with.
        context_of: Makes the context of an operation from the ASGI scope.
        request_id_of: Returns the id of a request, for errors that no operation reports.
        page: What browsers get to see; None shows nothing.
        websocket: What serves WebSocket connections; None refuses them.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        context_of: Callable[[Scope], Any],
        request_id_of: Callable[[Scope], str],
        page: ASGIApp | None = None,
        websocket: ASGIApp | None = None,
    ) -> None:
        self.schema = schema
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
        if self._page is not None and wants_page(scope["method"], Headers(scope=scope)):
            await self._page(scope, receive, send)
            return
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        media_type = JSON
        try:
            media_type = accepted_type(request.headers.get("accept"))
            parameters = await read_request(request)
            result = await self._execute(request, parameters)
        except RequestError as error:
            extensions = {"code": error.code, "requestId": self._request_id_of(request.scope)}
            body = {"errors": [{"message": str(error), "extensions": extensions}]}
            return Response(orjson.dumps(body), error.status, dict(error.headers or {}), media_type)
        return answer_of(result, media_type)

    async def _execute(self, request: Request, parameters: GraphQLRequest) -> ExecutionResult:
        allowed = {OperationType.QUERY}
        if request.method == "POST":
            allowed.add(OperationType.MUTATION)
        try:
            return await self.schema.execute(
                parameters.query,
                variable_values=parameters.variables,
                operation_name=parameters.operation_name,
                operation_extensions=parameters.extensions,
                context_value=self._context_of(request.scope),
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError as error:
            raise RequestError(
                400,
                f"{error.as_http_error_reason()}; `operationName` must name an operation of the "
                "document.",
                code="UNKNOWN_OPERATION",
            ) from error
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise RequestError(
                    400,
                    "Subscriptions do not run over a single request; open a WebSocket at the same "
                    "path with the subprotocol graphql-transport-ws.",
                    code="SUBSCRIPTION_OVER_HTTP",
                ) from error
            raise RequestError(
                405, "Only queries run over GET; send mutations by POST.",
                code="METHOD_NOT_ALLOWED", headers={"Allow": "POST"},
            ) from error  # fmt: skip


def answer_of(result: ExecutionResult, media_type: str) -> Response:
    """Write a result as a response.

    A request error, found before anything ran, has no ``data``; with the media type
    ``application/graphql-response+json`` its status is 400, with ``application/json`` 200.
    """
    body: dict[str, object] = {}
    errors = result.errors
    if errors:
        body["errors"] = [error.formatted for error in errors]
    is_request_error = bool(errors) and result.data is None and _before_execution(errors)
    if not is_request_error:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    status = 400 if is_request_error and media_type == GRAPHQL_RESPONSE else 200
    return Response(orjson.dumps(body), status, media_type=media_type)


def _before_execution(errors: list[GraphQLError] | None) -> bool:
    return all(error.path is None for error in errors or ())


def wants_page(method: str, headers: Headers) -> bool:
    """Return whether a browser asks for a page to look at."""
    return method == "GET" and "text/html" in headers.get("accept", "")


def accepted_type(accept: str | None) -> str:
    """Choose the media type of the answer.

    Args:
        accept: The ``Accept`` header; a caller without one gets ``application/json``.

    Raises:
        RequestError: If the caller takes neither of the two.
    """
    if not accept:
        return JSON
    for part in _by_preference(accept):
        if part == GRAPHQL_RESPONSE:
            return GRAPHQL_RESPONSE
        if part in (JSON, "*/*", "application/*"):
            return JSON
    raise RequestError(
        406,
        f"Answers come as {GRAPHQL_RESPONSE} or {JSON}; name one of them in `Accept`.",
        code="NOT_ACCEPTABLE",
    )


def _by_preference(accept: str) -> list[str]:
    parsed = []
    for position, part in enumerate(accept.split(",")):
        name, *parameters = [piece.strip() for piece in part.lower().split(";")]
        weights = [p[2:] for p in parameters if p.startswith("q=")]
        try:
            weight = float(weights[0]) if weights else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0:
            parsed.append((-weight, position, name))
    return [name for _, _, name in sorted(parsed)]


async def read_request(request: Request) -> GraphQLRequest:
    """Read the parameters of a request.

    Raises:
        RequestError: If it is not a request of GraphQL over HTTP.
    """
    if request.method == "GET":
        return parameters_of(_from_url(request.query_params))
    if request.method != "POST":
        raise RequestError(
            405, "GraphQL takes POST, and GET for queries.",
            code="METHOD_NOT_ALLOWED", headers={"Allow": "GET, POST"},
        )  # fmt: skip
    content_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.partition("charset=")[2].strip(' "').lower()
    if content_type.strip().lower() != JSON or charset not in ("", "utf-8", "utf8"):
        raise RequestError(
            415, "Send the request as JSON, with `Content-Type: application/json`.",
            code="UNSUPPORTED_MEDIA_TYPE",
        )  # fmt: skip
    try:
        return parameters_of(orjson.loads(await request.body()))
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"The body is no valid JSON: {error}.") from error


def parameters_of(body: object) -> GraphQLRequest:
    """Check the parameters of a request.

    Raises:
        RequestError: If one is missing or of a wrong type.
    """
    if not isinstance(body, Mapping):
        raise RequestError(
            400, 'The body must be one JSON object such as {"query": "{ server { version } }"}; '
            "batches are not taken.",
        )  # fmt: skip
    query = body.get("query")
    if not isinstance(query, str) or not query.strip():
        raise RequestError(400, "The parameter `query` must be the text of a GraphQL document.")
    operation_name = body.get("operationName")
    if not isinstance(operation_name, str | None):
        raise RequestError(400, "The parameter `operationName` must be a string.")
    for name in ("variables", "extensions"):
        if not isinstance(body.get(name), dict | None):
            raise RequestError(400, f"The parameter `{name}` must be an object.")
    return GraphQLRequest(query, operation_name, body.get("variables"), body.get("extensions"))


def _from_url(parameters: QueryParams) -> dict[str, object]:
    body: dict[str, object] = dict(parameters)
    for name in ("variables", "extensions"):
        if text := parameters.get(name):
            try:
                body[name] = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise RequestError(400, f"The parameter `{name}` is no valid JSON.") from error
    return body
