"""Parsed and validated documents, kept by their text."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError
from strawberry.extensions import SchemaExtension

MAX_DOCUMENTS = 500
MAX_KEPT_LENGTH = 32_768
"""Longer texts are parsed anew each time, so that the store stays small."""
MAX_TOKENS = 10_000
"""Longer documents are refused while they are parsed; rows in bulk belong into variables."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that was parsed, and what validation found in it."""

    document: DocumentNode
    errors: list[GraphQLError]


class DocumentStore:
    """The documents that were used last, for one schema.

    Args:
        capacity: How many are kept.
    """

    def __init__(self, capacity: int = MAX_DOCUMENTS) -> None:
        self._capacity = capacity
        self._documents: OrderedDict[str, Checked] = OrderedDict()

    def get(self, text: str) -> Checked | None:
        """Return the document of that text, if it is kept."""
        found = self._documents.get(text)
        if found is not None:
            self._documents.move_to_end(text)
        return found

    def put(self, text: str, checked: Checked) -> None:
        """Keep a document, and forget the one that was not used for longest."""
        if len(text) > MAX_KEPT_LENGTH:
            return
        self._documents[text] = checked
        if len(self._documents) > self._capacity:
            self._documents.popitem(last=False)


class DocumentCache(SchemaExtension):
    """Spare an operation the parsing and validation of a document that is in the store.

    Args:
        store: The store of the schema that the extension belongs to.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._found: Checked | None = None

    def on_parse(self) -> Iterator[None]:
        """Take the document from the store, or let it be parsed within the limit."""
        context = self.execution_context
        self._found = self._store.get(context.query or "")
        if self._found is not None:
            context.graphql_document = self._found.document
        else:
            context.parse_options["max_tokens"] = MAX_TOKENS
        yield

    def on_validate(self) -> Iterator[None]:
        """Take the findings from the store, or keep what validation finds."""
        context = self.execution_context
        if self._found is not None:
            context.pre_execution_errors = self._found.errors
            yield
            return
        yield
        if context.query and context.graphql_document is not None:
            errors = list(context.pre_execution_errors or ())
            self._store.put(context.query, Checked(context.graphql_document, errors))
