"""What the platform does with every operation: its errors translated, its figures counted."""

from collections.abc import Sequence

from graphql import GraphQLError

from gql_platform.access.records import Permission
from gql_platform.contract import operation_names
from gql_platform.errors import AccessError
from gql_platform.graphql.context import Context
from gql_platform.graphql.errors import translated

OTHER = "other"
"""The label of operations that we did not name, which could be any number."""


class PlatformHooks:
    """Give every error a code and the request's id, and count operations for Prometheus."""

    def translated(
        self, errors: Sequence[GraphQLError], context: Context, *, in_document: bool
    ) -> list[GraphQLError]:
        """Return errors as the caller shall see them.

        A document that is not valid for somebody who may not read models could well be valid for
        others, whose schema has more: the first error says so.
        """
        if in_document:
            errors = [*_access_error(context), *errors]
        return [
            translated(error, request_id=context.request_id, in_document=in_document)
            for error in errors
        ]

    def ended(
        self,
        context: Context,
        *,
        name: str | None,
        operation_type: str,
        seconds: float,
        errors: Sequence[GraphQLError],
    ) -> None:
        """Count an operation under its name, if that is one of ours."""
        metrics = context.services.metrics
        if metrics is None:
            return
        metrics.operation_finished(
            name=name if name in operation_names() else OTHER,
            operation_type=operation_type,
            seconds=seconds,
            error_codes=[str((error.extensions or {}).get("code", "")) for error in errors],
        )


def _access_error(context: Context) -> list[GraphQLError]:
    try:
        context.viewer.require(Permission.MODEL_READ)
    except AccessError as error:
        return [GraphQLError(str(error), original_error=error)]
    return []
