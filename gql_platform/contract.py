"""The published contract: the SDL, the OpenAPI file and the operations, wherever they lie."""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

_PACKAGED = Path(__file__).with_name("_contract")
_IN_REPOSITORY = Path(__file__).parents[1] / "schema"

_OPERATION = re.compile(r"^(?:query|mutation|subscription)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OperationDocument:
    """A GraphQL document of ours.

    Attributes:
        name: The name of its one operation, such as ``Models``.
        title: What it is good for, from its first comment.
        text: The document.
        variables: Example variables, which make it run against the demo models.
    """

    name: str
    title: str
    text: str
    variables: dict[str, object] | None


def contract_folder() -> Path:
    """Return the folder of the contract: inside the wheel, or ``schema/`` of a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _IN_REPOSITORY


@functools.cache
def operations() -> tuple[OperationDocument, ...]:
    """Return all documents of ``operations/``, by file name, as the playground shows them."""
    return tuple(
        _read(path) for path in sorted((contract_folder() / "operations").glob("*.graphql"))
    )


@functools.cache
def operation_names() -> frozenset[str]:
    """Return the names of our own operations."""
    return frozenset(document.name for document in operations())


def _read(path: Path) -> OperationDocument:
    text = path.read_text(encoding="utf-8")
    match = _OPERATION.search(text)
    if match is None:
        raise ValueError(f"{path.name} has no named operation")
    variables = path.with_suffix(".json")
    return OperationDocument(
        name=match[1],
        title=text.splitlines()[0].removeprefix("#").strip(),
        text=text,
        variables=json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else None,
    )
