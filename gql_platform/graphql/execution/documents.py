"""Documents on their way to being executed: measured, validated, and kept by their text."""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLError

from gql_platform.graphql.execution.limits.guard import Guard, MeasuredDocument
from gql_platform.graphql.execution.plans import OperationPlan

MAX_KEPT_LENGTH = 256 * 1024
"""The longest that all texts together may be; a parsed document takes up to 200 times its text."""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """What was found out about a text.

    Attributes:
        document: The document; for a text that is refused, one that does nothing.
        measured: Its measures; None when it is refused.
        errors: Why it is refused, before any variables are known.
        plans: The plans of its operations, made when these first run.
    """

    document: DocumentNode | None
    measured: MeasuredDocument | None
    errors: list[GraphQLError]
    plans: dict[str | None, OperationPlan] = field(default_factory=dict)


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
