"""The pages of `docs/reference/` that are written by the code itself.

``python -m gql_platform.reference docs/reference/settings.md`` writes the page of the settings.
"""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from pydantic.fields import FieldInfo

from gql_platform.settings import Settings, environment_name

_HEAD = """\
# Settings

The server reads its settings from the environment when it starts; the options of `gql-platform serve` win over them.
A wrong value, or an unknown name that begins with `GQL_PLATFORM_`, stops the start and is named.

| name | accepts | default | meaning |
|---|---|---|---|
"""  # noqa: E501 - the documentation has one sentence per line


def settings_reference() -> str:
    """Return the page of all settings, as Markdown."""
    rows = (_settings_row(name, field) for name, field in Settings.model_fields.items())
    return _HEAD + "".join(rows)


def main(arguments: Sequence[str]) -> None:
    """Write the page of all settings to the file that the one argument names."""
    (path,) = arguments
    Path(path).write_text(settings_reference(), encoding="utf-8")


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
