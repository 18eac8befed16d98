"""The pages of `docs/reference/` that are written by the code itself.

``python -m gql_platform.reference docs/reference`` writes them.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from pydantic.fields import FieldInfo

from gql_platform.edge.problem import status_of
from gql_platform.errors import PlatformError, StartError
from gql_platform.settings import Settings, environment_name

_SETTINGS_HEAD = """\
# Settings

The server reads its settings from the environment when it starts; the options of `gql-platform serve` win over them.
A wrong value, or an unknown name that begins with `GQL_PLATFORM_`, stops the start and is named.

| name | accepts | default | meaning |
|---|---|---|---|
"""  # noqa: E501 - the documentation has one sentence per line

_ERRORS_HEAD = """\
# Errors

Every error has a stable code, a message that says what was wrong, what was expected and what to do, and the id of the request, under which the server's log has it.

Over GraphQL an error is an entry of the top-level `errors` list: `extensions.code`, `extensions.requestId`, and its facts in camelCase.
Over REST it is a problem of RFC 9457 (`application/problem+json`), with `code`, `request_id` and its facts in snake_case.
What nobody foresaw has the code `INTERNAL`, and no details.

Words in italics are facts of the error.

## Of the document

These come over GraphQL only.
The metrics know one code more, `CANCELLED`: of a prediction whose caller went away.

| code | means |
|---|---|
| `GRAPHQL_PARSE_FAILED` | The document is no GraphQL. |
| `GRAPHQL_VALIDATION_FAILED` | The document does not go with the schema. |
| `LIMIT_EXCEEDED` | The document is too large, or would cost too much: see [limits and cost](limits.md). |
| `INTROSPECTION_DISABLED` | The document asks for the schema, which this server does not show. |
| `BAD_USER_INPUT` | A variable does not go with its type. |
| `UNKNOWN_OPERATION` | `operationName` names no operation of the document. |
| `SUBSCRIPTION_OVER_HTTP` | A subscription was sent as a single request; it needs a stream of events or a WebSocket. |
| `NOT_ACCEPTABLE` | `Accept` names neither `application/json` nor `application/graphql-response+json`. |
| `PERSISTED_DOCUMENT_NOT_FOUND` | No document has that `documentId`, or only trusted documents run and this is none. |
| `PERSISTED_QUERY_NOT_FOUND` | No document has that hash; send it with its text. |
| `PERSISTED_QUERY_NOT_SUPPORTED` | Only trusted documents run; clients cannot store others. |
| `PERSISTED_QUERY_HASH_MISMATCH` | `sha256Hash` is not the hash of the text beside it. |
| `DEADLINE_EXCEEDED` | The operation took longer than one may, and was ended. |

## Of requests

| code | HTTP status | message |
|---|---|---|
"""  # noqa: E501 - the documentation has one sentence per line

_START_ERRORS_HEAD = """
## Of the start

These end the command line with one message, and the exit code 1.

| code | message |
|---|---|
"""


def settings_reference() -> str:
    """Return the page of all settings, as Markdown."""
    rows = (_settings_row(name, field) for name, field in Settings.model_fields.items())
    return _SETTINGS_HEAD + "".join(rows)


def main(arguments: Sequence[str]) -> None:
    """Write the pages into the folder that the one argument names."""
    (folder,) = arguments
    for name, text in reference_pages().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


def reference_pages() -> dict[str, str]:
    """Return the text of each page by its name in the folder of the reference."""
    return {"settings.md": settings_reference(), "errors.md": errors_reference()}


def errors_reference() -> str:
    """Return the page of all errors, as Markdown."""
    concrete = [error for error in _descendants(PlatformError) if not error.__subclasses__()]
    rows = "".join(_error_row(error) for error in concrete if not issubclass(error, StartError))
    starting = "".join(_start_error_row(e) for e in concrete if issubclass(e, StartError))
    return _ERRORS_HEAD + rows + _START_ERRORS_HEAD + starting


def _descendants(error: type[PlatformError]) -> Iterator[type[PlatformError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def _error_row(error: type[PlatformError]) -> str:
    return f"| `{error.code}` | {status_of(error)} | {_message_of(error)} |\n"


def _start_error_row(error: type[PlatformError]) -> str:
    return f"| `{error.code}` | {_message_of(error)} |\n"


def _message_of(error: type[PlatformError]) -> str:
    """Return the message with the names of its data, which stand in braces in the docstring."""
    text = inspect.cleandoc(error.__doc__ or "").replace("\n", " ")
    return re.sub(r"{(\w+)(?:!r)?}", r"*\1*", text).replace("|", "\\|")


def _settings_row(name: str, field: FieldInfo) -> str:
    cells = (
        f"`{environment_name(name)}`",
        _accepted(field),
        _default(field.default),
        field.description or "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _accepted(field: FieldInfo) -> str:
    """Tell in words what a setting accepts."""
    kind = _without_none(field.annotation)
    if kind is bool:
        return "`true` or `false`"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        *first, last = (f"`{member.value}`" for member in kind)
        return f"{', '.join(first)} or {last}"
    if kind is int:
        return f"a whole number{_bounds(field)}"
    if kind is Path:
        return "a path"
    if get_origin(kind) is tuple:
        return "names, separated by commas"
    shortest = next((bound.min_length for bound in field.metadata if isinstance(bound, MinLen)), 0)
    return f"text of at least {shortest} characters" if shortest else "text"


def _without_none(annotation: object) -> object:
    if get_origin(annotation) in (Union, UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _bounds(field: FieldInfo) -> str:
    lowest = [f" from {bound.ge}" for bound in field.metadata if isinstance(bound, Ge)]
    highest = [f" to {bound.le}" for bound in field.metadata if isinstance(bound, Le)]
    return "".join([*lowest, *highest])


def _default(value: object) -> str:
    """Return a default as it would be written in the environment."""
    if value is None or value == ():
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


if __name__ == "__main__":
    main(sys.argv[1:])
