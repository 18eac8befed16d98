"""Requests of GraphQL over HTTP: JSON in the body, or parameters in the URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

MAX_URL_PARAMETERS = 16
_DIGEST = re.compile("[0-9a-f]{64}")


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
        query: The text of the document; None where it is named by an id or a hash.
        operation_name: Which of its operations to run; None if it has only one.
        variables: Their values, as they came in.
        document_id: The id of the document, in place of its text.
        persisted_hash: The hash of the document, as Apollo's automatic persisted queries send it,
            with its text or without.
    """

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    document_id: str | None = None
    persisted_hash: str | None = None


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
    operation_name = body.get("operationName")
    if not isinstance(operation_name, str | None):
        raise RequestError(400, "The parameter `operationName` must be a string.")
    for name in ("variables", "extensions"):
        if not isinstance(body.get(name), dict | None):
            raise RequestError(400, f"The parameter `{name}` must be an object.")
    document_id, persisted_hash = body.get("documentId"), _persisted_hash(body.get("extensions"))
    query = _query(body.get("query"), document_id, persisted_hash)
    return OperationRequest(
        query, operation_name, body.get("variables"), document_id, persisted_hash
    )


def _query(query: object, document_id: object, persisted_hash: str | None) -> str | None:
    """Return the text of the document, which may be left out where an id or a hash names it."""
    if document_id is not None:
        if not isinstance(document_id, str) or not document_id:
            raise RequestError(400, "The parameter `documentId` must be a string.")
        if query is not None or persisted_hash is not None:
            raise RequestError(400, "Name the document by its text or by `documentId`, not both.")
        return None
    if query is None and persisted_hash is not None:
        return None
    if not isinstance(query, str) or not query.strip():
        raise RequestError(
            400, "The parameter `query` must be the text of a GraphQL document, or `documentId` "
            "the id of one.",
        )  # fmt: skip
    return query


def _persisted_hash(extensions: Mapping[str, Any] | None) -> str | None:
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise RequestError(
            400, "`extensions.persistedQuery` must be an object with the `version` 1 and "
            "`sha256Hash`, 64 lower-case hexadecimal digits.",
        )  # fmt: skip
    if persisted.get("version") != 1:
        raise RequestError(400, "The only `version` of `persistedQuery` is 1.")
    return digest
