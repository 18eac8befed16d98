"""One operation, from its start to its end: fresh loaders, and a figure for Prometheus."""

from collections.abc import Iterator
from typing import Any, cast

from strawberry.extensions import SchemaExtension

from gql_platform.contract import operation_names
from gql_platform.graphql.context import Context, Loaders
from gql_platform.observability import Stopwatch

OTHER = "other"
"""The label of operations that we did not name, which could be any number."""


class Observation(SchemaExtension):
    """Count and time operations under their names, as far as these are ours."""

    def __init__(self) -> None:
        self._streamed_codes: list[str] = []

    def on_operation(self) -> Iterator[None]:
        """Time the whole operation; a subscription lasts until it ends."""
        context = cast(Context, self.execution_context.context)
        context.loaders = Loaders(context.services)
        watch = Stopwatch()
        try:
            yield
        finally:
            # A subscription mostly ends because its client does.
            self._count(context, watch)

    def _count(self, context: Context, watch: Stopwatch) -> None:
        metrics = context.services.metrics
        if metrics is None:
            return
        codes = self._streamed_codes or _codes(self.execution_context.result)
        metrics.operation_finished(
            name=self._name(),
            operation_type=self._operation_type(),
            seconds=watch.seconds,
            error_codes=codes,
        )

    def on_stream_result(self, result: object) -> Iterator[None]:
        """Remember the errors of a subscription's event."""
        yield
        self._streamed_codes += _codes(result)

    def _name(self) -> str:
        name = self.execution_context.operation_name
        return name if name in operation_names() else OTHER

    def _operation_type(self) -> str:
        if self.execution_context.graphql_document is None:
            return "unknown"
        try:
            return self.execution_context.operation_type.value
        except RuntimeError:
            return "unknown"


def _codes(result: Any) -> list[str]:
    errors = getattr(result, "errors", None) or ()
    return [str((error.extensions or {}).get("code", "")) for error in errors]
