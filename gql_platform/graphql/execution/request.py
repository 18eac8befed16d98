"""Requests of GraphQL over HTTP: JSON in the body, or parameters in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

MAX_URL_PARAMETERS = 16


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
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """A request to run an operation.

    Attributes:
        query: The text of the document.
        operation_name: Which of its operations to run; None if it has only one.
        variables: Their values, as they came in.
        extensions: What else the client sent.
    """

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None


def from_body(content_type: str | None, body: bytes) -> OperationRequest:
    """Read the request in a body.

    Args:
        content_type: The header of this name.
        body: All of it.

    Raises:
        RequestError: If it is not a request of GraphQL over HTTP.
    """
    if content_type != "application/json":
        _check_content_type(content_type or "")
    try:
        return request_of(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"The body is no valid JSON: {error}.") from error


def from_url(query_string: bytes) -> OperationRequest:
    """Read the request in the URL's parameters.

    Raises:
        RequestError: If it is not a request of GraphQL over HTTP.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), errors="strict", max_num_fields=MAX_URL_PARAMETERS
        )
    except ValueError as error:
        raise RequestError(
            400, f"The URL's parameters cannot be read: {error}; encode them as a form does."
        ) from error
    given: dict[str, object] = dict(pairs)
    for name in ("variables", "extensions"):
        if text := given.get(name):
            try:
                given[name] = orjson.loads(str(text))
            except orjson.JSONDecodeError as error:
                raise RequestError(400, f"The parameter `{name}` is no valid JSON.") from error
    return request_of(given)


def _check_content_type(content_type: str) -> None:
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.partition("charset=")[2].strip(' "').lower()
    if media_type.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise RequestError(
            415, "Send the request as JSON, with `Content-Type: application/json`.",
            code="UNSUPPORTED_MEDIA_TYPE",
        )  # fmt: skip


def request_of(body: object) -> OperationRequest:
    """Return the parameters of a request, if they are of their types.

    Args:
        body: Any JSON value.

    Raises:
        RequestError: If it is not a request of GraphQL.
    """
    if not isinstance(body, dict):
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
    return OperationRequest(query, operation_name, body.get("variables"), body.get("extensions"))
