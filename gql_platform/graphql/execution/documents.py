"""Documents on their way to being executed: found, measured, validated, and kept."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLError

from gql_platform.graphql.execution.limits.guard import Guard, MeasuredDocument
from gql_platform.graphql.execution.limits.refusals import (
    DocumentHashError,
    PersistedDocumentNotFoundError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
)
from gql_platform.graphql.execution.plans import OperationPlan
from gql_platform.graphql.execution.request import OperationRequest
from gql_platform.graphql.execution.trusted import TrustedDocument

MAX_KEPT_LENGTH = 256 * 1024
"""The longest that all texts together may be; a parsed document takes up to 200 times its text."""

_INTAKE = ThreadPoolExecutor(1, thread_name_prefix="documents")
"""Where texts are parsed and validated that are not known yet.

A hostile text takes up to 200 ms, which the event loop must not be kept for. One thread serves all
stores: with more of them the loop would have to share the interpreter with each.
"""

SHA256 = "sha256:"
"""What the id of a document begins with that is the hash of its text."""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """What was found out about a text.

    Attributes:
        document: The document; None for a text that is refused.
        measured: Its measures; None when it is refused.
        errors: Why it is refused, before any variables are known.
        plans: The plans of its operations, made when these first run.
    """

    document: DocumentNode | None
    measured: MeasuredDocument | None
    errors: list[GraphQLError]
    plans: dict[str | None, OperationPlan] = field(default_factory=dict)


class DocumentStore:
    """The documents of one schema: those that are trusted, and those that were used last.

    Args:
        guard: What takes documents in, or refuses them.
        trusted: Documents that are kept for good.
        only_trusted: Whether no others run.
        capacity: How long the texts of all other kept documents may be together.

    Attributes:
        problems: What is wrong with trusted documents that do not go with the schema, by their
            ids. Nobody can run these.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        trusted: Iterable[TrustedDocument] = (),
        only_trusted: bool = False,
        capacity: int = MAX_KEPT_LENGTH,
    ) -> None:
        self._guard = guard
        self._only_trusted = only_trusted
        self._capacity = capacity
        self._length = 0
        self._documents: OrderedDict[str, CheckedDocument] = OrderedDict()
        self._texts: dict[str, str] = {}
        self._trusted: dict[str, CheckedDocument] = {}
        self._trusted_texts: dict[str, CheckedDocument] = {}
        self.problems: dict[str, list[GraphQLError]] = {}
        for document in trusted:
            self._trust(document)

    def __len__(self) -> int:
        """Return how many documents are kept that are not trusted."""
        return len(self._documents)

    async def find(self, request: OperationRequest) -> CheckedDocument:
        """Return the document that a request is about, by its text or by an id."""
        try:
            found = self._named(request)
        except GraphQLError as error:
            return CheckedDocument(None, None, [error])
        return found if isinstance(found, CheckedDocument) else await self.check(found)

    async def check(self, text: str) -> CheckedDocument:
        """Return what is known of a text, and find it out the first time."""
        known = self._known(text)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        checked = await loop.run_in_executor(_INTAKE, self._checked, text)
        # What is refused is not kept: it may be large, and nobody means to send it again.
        if checked.measured is not None and text not in self._documents:
            self._keep(text, checked)
        return checked

    def _named(self, request: OperationRequest) -> CheckedDocument | str:
        """Return the document that a request is about, or its text if that is all there is."""
        text, persisted = request.query, request.persisted_hash
        if request.document_id is not None:
            return self._by_id(request.document_id)
        if persisted is not None and self._only_trusted:
            raise PersistedQueryNotSupportedError
        if text is None:
            found = self._by_hash(persisted or "")
            if found is None:
                raise PersistedQueryNotFoundError
            return found
        if persisted is not None and hash_of(text) != persisted:
            raise DocumentHashError
        if not self._only_trusted:
            return self._known(text) or text
        trusted = self._trusted_texts.get(text)
        if trusted is None:
            raise PersistedDocumentNotFoundError(f"{SHA256}{hash_of(text)}")
        return trusted

    def _by_id(self, document_id: str) -> CheckedDocument:
        found = self._trusted.get(document_id)
        if found is None and document_id.startswith(SHA256) and not self._only_trusted:
            found = self._by_hash(document_id.removeprefix(SHA256))
        if found is None:
            raise PersistedDocumentNotFoundError(document_id)
        return found

    def _by_hash(self, persisted: str) -> CheckedDocument | None:
        trusted = self._trusted.get(f"{SHA256}{persisted}")
        if trusted is not None:
            return trusted
        text = self._texts.get(persisted)
        return self._known(text) if text is not None else None

    def _known(self, text: str) -> CheckedDocument | None:
        found = self._trusted_texts.get(text)
        if found is None:
            found = self._documents.get(text)
            if found is not None:
                self._documents.move_to_end(text)
        return found

    def _trust(self, document: TrustedDocument) -> None:
        checked = self._checked(document.text)
        if checked.errors:
            self.problems[document.id] = checked.errors
            return
        self._trusted[document.id] = checked
        self._trusted[f"{SHA256}{hash_of(document.text)}"] = checked
        self._trusted_texts[document.text] = checked

    def _keep(self, text: str, checked: CheckedDocument) -> None:
        self._documents[text] = checked
        self._texts[hash_of(text)] = text
        self._length += len(text)
        while self._length > self._capacity:
            forgotten, _ = self._documents.popitem(last=False)
            self._texts.pop(hash_of(forgotten), None)
            self._length -= len(forgotten)

    def _checked(self, text: str) -> CheckedDocument:
        try:
            document = self._guard.parse(text)
            measured = self._guard.measure(document)
            errors = self._guard.validate(document)
        except GraphQLError as error:
            _forget_frames(error)
            return CheckedDocument(None, None, [error])
        return CheckedDocument(document, None if errors else measured, errors)


def _forget_frames(error: BaseException | None) -> None:
    """Let go of the frames that an error was raised in.

    They hold all of a refused document, and refer to the error in turn.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def hash_of(text: str) -> str:
    """Return the SHA-256 of a document's text, in lower-case hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
