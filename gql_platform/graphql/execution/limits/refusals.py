"""What is raised when a document is refused before it runs, or its operation is ended.

DocumentRefusedError               the document is not taken
├── LimitExceededError             it is too large, or would be too costly
├── IntrospectionDisabledError     it asks for the schema, which is not shown
├── FragmentCycleError             a fragment spreads itself
├── UnnamedOperationError          it has several operations, and the request names none
├── UnknownOperationError          it does not have the operation that the request names
├── PersistedDocumentNotFoundError no document has that id, or only trusted ones run
├── PersistedQueryNotFoundError    no document has that hash; the client is to send its text
├── PersistedQueryNotSupportedError  clients may not store documents here
├── DocumentHashError              the hash beside a text is not its own
└── DeadlineExceededError          its operation took too long
"""

from typing import ClassVar

from graphql import GraphQLError


class DocumentRefusedError(GraphQLError):
    """The document is not taken.

    Attributes:
        code: The stable code of the error.
        is_bad_request: Whether the request is at fault, rather than what the document says.
        facts: What the error tells beside its message, by the names that clients see. Its
            ``extensions`` hold both.
    """

    code: ClassVar[str] = "DOCUMENT_REFUSED"
    is_bad_request: ClassVar[bool] = False

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message, extensions={"code": self.code, **facts})
        self.facts = facts


class LimitExceededError(DocumentRefusedError):
    """The document is too large, or would be too costly.

    Args:
        limit: The name of the limit.
        value: What was measured.
        maximum: What is taken.
        at_least: Whether measuring ended at that value, and the true one may be larger.
    """

    code = "LIMIT_EXCEEDED"

    def __init__(self, limit: str, value: int, maximum: int, *, at_least: bool = False) -> None:
        words = limit.replace("_", " ")
        shown = f">= {value}" if at_least else f"{value}"
        super().__init__(
            f"The document has {words}: {shown}; at most {maximum} are taken. "
            "Ask for less at once, or in several requests.",
            limit=_camel(limit),
            value=value,
            maximum=maximum,
            atLeast=at_least,
        )
        self.limit = limit
        self.value = value
        self.maximum = maximum
        self.at_least = at_least


class IntrospectionDisabledError(DocumentRefusedError):
    """The document asks for the schema, which this server does not show."""

    code = "INTROSPECTION_DISABLED"

    def __init__(self, field: str) -> None:
        super().__init__(f"This server does not show its schema; leave out `{field}`.", field=field)


class FragmentCycleError(DocumentRefusedError):
    """A fragment spreads itself, at once or through others.

    The code is that of validation, which would find the same, but later.
    """

    code = "GRAPHQL_VALIDATION_FAILED"

    def __init__(self, fragment: str) -> None:
        super().__init__(f"Cannot spread fragment '{fragment}' within itself.")


class UnnamedOperationError(DocumentRefusedError):
    """The document has several operations, and the request does not say which one to run."""

    code = "UNKNOWN_OPERATION"
    is_bad_request = True

    def __init__(self) -> None:
        super().__init__(
            "The document has several operations; `operationName` must name the one to run."
        )


class UnknownOperationError(DocumentRefusedError):
    """The document does not have the operation that the request names."""

    code = "UNKNOWN_OPERATION"
    is_bad_request = True

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The document has no operation {name!r}; `operationName` must name one that it has."
        )


class PersistedDocumentNotFoundError(DocumentRefusedError):
    """No document that may run has this id."""

    code = "PERSISTED_DOCUMENT_NOT_FOUND"
    is_bad_request = True

    def __init__(self, document_id: str) -> None:
        super().__init__(
            f"There is no document {document_id!r} here that may run; send one that the server "
            "knows, or have its operator add it to the trusted documents.",
            documentId=document_id,
        )


class PersistedQueryNotFoundError(DocumentRefusedError):
    """No document has this hash.

    Apollo's clients know this very message, and send the text then.
    """

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupportedError(DocumentRefusedError):
    """Clients may not store documents, for only trusted ones run.

    Apollo's clients know this very message, and send texts from then on.
    """

    code = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


class DocumentHashError(DocumentRefusedError):
    """The hash that came with a text is not its own."""

    code = "PERSISTED_QUERY_HASH_MISMATCH"
    is_bad_request = True

    def __init__(self) -> None:
        super().__init__(
            "`sha256Hash` is not the SHA-256 of the document's text; send the hash of the very "
            "text that stands in `query`."
        )


class DeadlineExceededError(DocumentRefusedError):
    """The operation took longer than one may, and was ended."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The operation was ended after {seconds:g} seconds, the longest that one may take. "
            "Ask for less at once, or try again later.",
            seconds=seconds,
        )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
