"""Answers as JSON."""

import orjson
from strawberry.types import ExecutionResult

from gql_platform.graphql.execution.schema import Refusal


def body_of(result: ExecutionResult) -> bytes:
    """Write a result as JSON; one that did not run has no ``data``.

    Arrays, which scalars of bulk numbers answer with, are written from their memory, and null
    stands for the floats in them that are not finite.
    """
    body: dict[str, object] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if not isinstance(result, Refusal):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
