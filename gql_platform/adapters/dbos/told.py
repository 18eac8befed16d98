"""What the work of a job tells, as the database can keep it, and as anybody may read it."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gql_platform.adapters.sql.jobs import MAX_MESSAGE
from gql_platform.adapters.sql.outage import without_passwords
from gql_platform.jobs.records import Note, Progress, Values

MAX_VALUES = 1_000_000
"""How many characters a result, or the numbers of a progress, have as JSON."""

_UNKEPT = re.compile(r"[\x00\ud800-\udfff]")
"""What PostgreSQL keeps in no text: NUL, and halves of surrogate pairs."""


class UntellableError(ValueError):
    """What the work told is none of what it may tell; the message says how."""


def kept_text(text: str) -> str:
    """Return a text without what no database keeps, passwords in addresses, and excess length."""
    return without_passwords(_UNKEPT.sub("\N{REPLACEMENT CHARACTER}", text))[:MAX_MESSAGE]


def kept_note(note: Note) -> Note:
    """Return a line for the log as it can be kept."""
    return replace(note, message=kept_text(str(note.message)))


def kept_progress(progress: Progress) -> Progress:
    """Return a progress as it can be kept.

    Raises:
        UntellableError: If its numbers are none.
    """
    message = None if progress.message is None else kept_text(str(progress.message))
    numbers = _kept_values("progress", progress.numbers)
    _kept_values("progress", {"fraction": progress.fraction})
    return replace(progress, message=message, numbers=numbers)


def kept_result(result: object) -> Values:
    """Return a result as it can be kept.

    Raises:
        UntellableError: If it is no object of JSON, or too long.
    """
    return _kept_values("result", result)


def _kept_values(noun: str, values: object) -> Values:
    if not isinstance(values, Mapping):
        raise UntellableError(f"its {noun} is a {type(values).__name__} instead of an object.")
    try:
        text = json.dumps(dict(values), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UntellableError(f"its {noun} is no JSON: {error}") from error
    if len(text) > MAX_VALUES:
        raise UntellableError(
            f"its {noun} has {len(text)} characters as JSON, and at most {MAX_VALUES} are kept."
        )
    kept: Values = _without_unkept(json.loads(text))
    return kept


def _without_unkept(value: Any) -> Any:
    if isinstance(value, str):
        return _UNKEPT.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_without_unkept(each) for each in value]
    if isinstance(value, dict):
        return {_without_unkept(key): _without_unkept(each) for key, each in value.items()}
    return value
