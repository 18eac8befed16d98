"""The trusted documents of an operator, beside our own operations."""

from pathlib import Path

from graphql import GraphQLSchema, build_schema

from gql_platform.errors import TrustedDocumentsError
from gql_platform.graphql.execution.documents import DocumentStore
from gql_platform.graphql.execution.limits.guard import Guard
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.trusted import (
    DocumentFileError,
    TrustedDocument,
    read_documents,
)


def trusted_documents(path: Path | None) -> tuple[TrustedDocument, ...]:
    """Read the documents of a folder or manifest; none where no path is given.

    Raises:
        TrustedDocumentsError: If a file cannot be used.
    """
    try:
        return () if path is None else tuple(read_documents(path))
    except DocumentFileError as error:
        raise TrustedDocumentsError(problems=[f"{error}."]) from error


def check_documents(schema: CompiledSchema, documents: tuple[TrustedDocument, ...]) -> None:
    """Refuse documents that a schema has found to be wrong.

    Raises:
        TrustedDocumentsError: If there are any; it has a line for each.
    """
    problems = _problems(schema.documents, documents)
    if problems:
        raise TrustedDocumentsError(problems=problems)


def problems_with(sdl: str, documents: tuple[TrustedDocument, ...]) -> list[str]:
    """Return what is wrong with documents, for a schema in GraphQL's definition language.

    Raises:
        GraphQLSyntaxError: If it is none.
    """
    schema: GraphQLSchema = build_schema(sdl)
    return _problems(DocumentStore(Guard(schema), trusted=documents), documents)


def _problems(store: DocumentStore, documents: tuple[TrustedDocument, ...]) -> list[str]:
    return [
        f"{document.source} ({document.id}): {store.problems[document.id][0].message}"
        for document in documents
        if document.id in store.problems
    ]
