"""Trusted documents: those of an application, known before anybody sends them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_FILE_BYTES = 16 * 1024 * 1024
"""The largest file that is read; the manifests of large applications have some megabytes."""

_SUFFIXES = (".graphql", ".gql")
_SHA256 = re.compile(r"(sha256:)?(?P<digest>[0-9a-f]{64})")
_APOLLO = "apollo-persisted-query-manifest"


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document that may run by its id.

    Attributes:
        id: Its id: what a manifest calls it, or ``sha256:`` and the hash of its text.
        text: The document.
        source: The file that it comes from.
    """

    id: str
    text: str
    source: str


class DocumentFileError(Exception):
    """A file of trusted documents cannot be used.

    Args:
        path: The file.
        problem: What is wrong with it, as a clause.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def read_documents(path: Path) -> list[TrustedDocument]:
    """Read all documents of a folder or a manifest.

    A folder has documents (``*.graphql``, ``*.gql``), each a file, and manifests (``*.json``). A
    manifest is an object of documents by their ids, as Relay's compiler writes it, or the format
    of Apollo's tools.

    Args:
        path: The folder, or a manifest.

    Raises:
        DocumentFileError: If a file cannot be read, is no manifest, or an id has two texts.
    """
    if not path.exists():
        raise DocumentFileError(path, "there is no such file or folder")
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found: dict[str, TrustedDocument] = {}
    for file in files:
        for document in _documents_of(file):
            known = found.setdefault(document.id, document)
            if known.text != document.text:
                raise DocumentFileError(
                    file, f"the id {document.id!r} has another text in {known.source}"
                )
    if not found:
        raise DocumentFileError(path, "it has no document (*.graphql, *.gql) and no manifest")
    return list(found.values())


def _documents_of(file: Path) -> Iterator[TrustedDocument]:
    if file.suffix in _SUFFIXES:
        text = _read(file)
        yield TrustedDocument(f"sha256:{_digest(text)}", text, str(file))
    elif file.suffix == ".json":
        for document_id, text in _manifest(file):
            match = _SHA256.fullmatch(document_id)
            if match is not None and match["digest"] != _digest(text):
                raise DocumentFileError(file, f"the id {document_id!r} is not the hash of its text")
            yield TrustedDocument(document_id, text, str(file))
    elif file.is_file() and not file.name.startswith("."):
        raise DocumentFileError(file, "it is neither a document (*.graphql, *.gql) nor a manifest")


def _manifest(file: Path) -> list[tuple[str, str]]:
    try:
        content = json.loads(_read(file))
    except json.JSONDecodeError as error:
        raise DocumentFileError(file, f"it is no JSON: {error}") from error
    if isinstance(content, Mapping) and content.get("format") == _APOLLO:
        operations = content.get("operations")
        pairs = [
            (each.get("id"), each.get("body")) if isinstance(each, Mapping) else (None, None)
            for each in (operations if isinstance(operations, list) else [None])
        ]
    else:
        pairs = list(content.items()) if isinstance(content, Mapping) else [(None, None)]
    texts = [(i, t) for i, t in pairs if isinstance(i, str) and i and isinstance(t, str)]
    if len(texts) != len(pairs):
        raise DocumentFileError(
            file, "it must be an object of documents by their ids, or a manifest of Apollo's"
        )
    return texts


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise DocumentFileError(file, f"it is larger than {MAX_FILE_BYTES} bytes")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentFileError(file, f"it cannot be read: {error}") from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
