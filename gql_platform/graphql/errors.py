"""Errors on their way out: typed for what was foreseen, masked for what was not."""

from collections.abc import Mapping, Sequence

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.utils.str_converters import to_camel_case

from gql_platform.errors import PlatformError
from gql_platform.graphql.execution.limits.refusals import DocumentRefusedError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"

log = structlog.get_logger(__name__)


def translated(error: GraphQLError, *, request_id: str, in_document: bool) -> GraphQLError:
    """Return an error as the caller shall see it.

    Args:
        error: As graphql-core raised it.
        request_id: What the log knows the request by.
        in_document: Whether it was found by parsing or validating the document.
    """
    cause = _cause_of(error)
    if isinstance(cause, PlatformError):
        facts = {to_camel_case(name): _camel(value) for name, value in cause.data.items()}
        return _with(
            error, cause.for_callers, {"code": cause.code, "requestId": request_id, **facts}
        )
    if isinstance(cause, DocumentRefusedError):
        return _with(error, error.message, {**(cause.extensions or {}), "requestId": request_id})
    code = _document_code(error, cause, in_document=in_document)
    if code is not None:
        return _with(error, error.message, {"code": code, "requestId": request_id})
    log.error("graphql_field_failed", path=error.path, exc_info=cause)
    message = f"Something went wrong on our side; the log has the details under {request_id}."
    return _with(error, message, {"code": PlatformError.code, "requestId": request_id})


def _cause_of(error: GraphQLError) -> BaseException:
    """Return what was raised first, below all that graphql-core wrapped around it."""
    while isinstance(error.original_error, GraphQLError):
        error = error.original_error
    return error.original_error or error


def _document_code(error: GraphQLError, cause: BaseException, *, in_document: bool) -> str | None:
    """Return the code when the caller's document or variables are at fault, else None."""
    if isinstance(cause, GraphQLSyntaxError):
        return PARSE_FAILED
    if in_document:
        return VALIDATION_FAILED
    about_the_document = isinstance(cause, GraphQLError) and bool(cause.nodes)
    return BAD_USER_INPUT if about_the_document or error.path is None else None


def _with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _camel(value: object) -> object:
    if isinstance(value, Mapping):
        return {to_camel_case(str(key)): _camel(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_camel(item) for item in value]
    return value
