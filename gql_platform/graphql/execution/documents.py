"""Documents on their way to being executed: measured, validated, and kept by their text."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension

from gql_platform.graphql.execution.limits.guard import Guard, MeasuredDocument, MeasuredOperation
from gql_platform.graphql.execution.limits.refusals import LimitExceededError, UnnamedOperationError

MAX_KEPT_LENGTH = 256 * 1024
"""The longest that all texts together may be; a parsed document takes up to 200 times its text."""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """What was found out about a text.

    Attributes:
        document: The document; for a text that is refused, one that does nothing.
        measured: Its measures; None when it is refused.
        errors: Why it is refused, before any variables are known.
    """

    document: DocumentNode | None
    measured: MeasuredDocument | None
    errors: list[GraphQLError]


class DocumentStore:
    """The documents that were used last, for one schema.

    Args:
        guard: What takes documents in, or refuses them.
        capacity: How long the texts of all kept documents may be together.
    """

    def __init__(self, guard: Guard, capacity: int = MAX_KEPT_LENGTH) -> None:
        self._guard = guard
        self._capacity = capacity
        self._length = 0
        self._documents: OrderedDict[str, CheckedDocument] = OrderedDict()

    def __len__(self) -> int:
        """Return how many documents are kept."""
        return len(self._documents)

    def check(self, text: str) -> CheckedDocument:
        """Return what is known of a text, and find it out the first time."""
        found = self._documents.get(text)
        if found is not None:
            self._documents.move_to_end(text)
            return found
        checked = self._checked(text)
        # What is refused is not kept: it may be large, and nobody means to send it again.
        if checked.measured is not None:
            self._documents[text] = checked
            self._length += len(text)
            while self._length > self._capacity:
                forgotten, _ = self._documents.popitem(last=False)
                self._length -= len(forgotten)
        return checked

    def _checked(self, text: str) -> CheckedDocument:
        try:
            document = self._guard.parse(text)
            measured = self._guard.measure(document)
            errors = self._guard.validate(document)
        except GraphQLError as error:
            return CheckedDocument(None, None, [error])
        return CheckedDocument(document, None if errors else measured, errors)


class DocumentCheck(SchemaExtension):
    """Give an operation its document from the store, and say what it costs.

    Args:
        store: The store of the schema that the extension belongs to.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._errors: list[GraphQLError] = []
        self._operation: MeasuredOperation | None = None
        self._requested = 0
        self._is_told = False

    def on_parse(self) -> Iterator[None]:
        """Take the document from the store."""
        context = self.execution_context
        checked = self._store.check(context.query or "")
        self._errors = checked.errors
        name = context.operation_name
        context.graphql_document = checked.document or _stand_in(name)
        if checked.measured is not None:
            self._operation = checked.measured.operation(name)
            if self._operation is None and name is None:
                self._errors = [UnnamedOperationError()]
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse the operation for what was found, or for what it would cost."""
        context = self.execution_context
        if not self._errors and self._operation is not None:
            try:
                self._requested = self._operation.requested(context.variables)
            except LimitExceededError as error:
                self._errors = [error]
        context.pre_execution_errors = self._errors
        yield

    def get_results(self) -> Mapping[str, Any]:  # type: ignore[override] # nobody changes it
        """Tell the cost of an operation that ran."""
        if self._errors or self._operation is None or self._is_told:
            return {}
        # A subscription tells it with its first event.
        self._is_told = True
        cost = {"requested": self._requested}
        data = getattr(self.execution_context.result, "data", None)
        if isinstance(data, dict):
            cost["actual"] = self._operation.actual(data, self.execution_context.variables)
        return {"cost": cost}


def _stand_in(operation_name: str | None) -> DocumentNode:
    """Return a document for a text that is refused, of which Strawberry needs the operation."""
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=NameNode(value=operation_name) if operation_name else None,
        variable_definitions=(),
        directives=(),
        selection_set=SelectionSetNode(
            selections=(FieldNode(name=NameNode(value="__typename"), arguments=(), directives=()),)
        ),
    )
    return DocumentNode(definitions=(operation,))
