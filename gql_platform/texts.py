"""Which names, values and tags MLflow keeps, told before anything is sent to it.

MLflow's databases differ in what they refuse, and some cut what is too long.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

RESERVED = "gql_platform."
"""Tags that begin like that are the platform's own."""

RUN_NAME_TAG = "mlflow.runName"
"""The tag that is a run's name, too."""

MAX_KEY_LENGTH = 250
MAX_RUN_NAME_LENGTH = 250
MAX_NOTE_LENGTH = 1_000
MAX_TAGS = 100
"""How many tags something is made with, or changed at once."""

_KEY = re.compile(r"[/\w.\- :]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Flaw(StrEnum):
    """What is wrong with a text."""

    INVALID_KEY = "INVALID_KEY"
    KEY_TOO_LONG = "KEY_TOO_LONG"
    RESERVED_KEY = "RESERVED_KEY"
    INVALID_VALUE = "INVALID_VALUE"
    VALUE_TOO_LONG = "VALUE_TOO_LONG"


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Why a text is not kept.

    Attributes:
        flaw: What is wrong.
        message: That in a sentence.
    """

    flaw: Flaw
    message: str

    @property
    def inside(self) -> str:
        """The sentence as a part of another one."""
        return f"{self.message[0].lower()}{self.message[1:]}".removesuffix(".")


@lru_cache(maxsize=1024)
def key_problem(key: str) -> TextProblem | None:
    """Return why a text cannot be the name of a param, a metric or a tag, or None."""
    if len(key) > MAX_KEY_LENGTH:
        message = f"The name has {len(key)} characters, and at most {MAX_KEY_LENGTH} are taken."
        return TextProblem(Flaw.KEY_TOO_LONG, message)
    if not _KEY.fullmatch(key) or not is_path(key):
        message = (
            "A name has letters, digits, `_`, `-`, `.`, spaces, `:` and `/`, and would be the same "
            f"as the path of a file; {key!r} is none."
        )
        return TextProblem(Flaw.INVALID_KEY, message)
    return None


def is_path(text: str) -> bool:
    """Return whether a text is a path below a folder, written in the shortest way."""
    path = posixpath.normpath(text)
    return path == text and path != "." and not path.startswith(("/", ".."))


def text_problem(text: str, *, maximum: int) -> TextProblem | None:
    """Return why a text of at most so many characters cannot be kept, or None."""
    if len(text) > maximum:
        message = f"The value has {len(text)} characters, and at most {maximum} are taken."
        return TextProblem(Flaw.VALUE_TOO_LONG, message)
    if "\x00" in text or _SURROGATE.search(text):
        message = "The value has a NUL or half of a surrogate pair, which is not stored."
        return TextProblem(Flaw.INVALID_VALUE, message)
    return None


def tag_problem(key: str, value: str, *, maximum: int) -> TextProblem | None:
    """Return why a tag cannot be set, or None.

    Args:
        key: Its key.
        value: Its value.
        maximum: How many characters the value may have.
    """
    if key.startswith(RESERVED):
        message = f"Tags that begin with `{RESERVED}` are the platform's own; take another name."
        return TextProblem(Flaw.RESERVED_KEY, message)
    limit = MAX_RUN_NAME_LENGTH if key == RUN_NAME_TAG else maximum
    return key_problem(key) or text_problem(value, maximum=limit)


def tags_problem(tags: Iterable[tuple[str, str]], *, maximum: int) -> str | None:
    """Return why something cannot have these tags, as a part of a sentence, or None.

    Args:
        tags: Keys and values.
        maximum: How many characters a value may have.
    """
    for count, (key, value) in enumerate(tags, start=1):
        if count > MAX_TAGS:
            return f"it has more than the {MAX_TAGS} tags that are taken at once"
        problem = tag_problem(key, value, maximum=maximum)
        if problem is not None:
            return f"the tag {key[:100]!r} cannot be set: {problem.inside}"
    return None


def name_problem(name: str, *, maximum: int) -> str | None:
    """Return why something cannot have a name, as a part of a sentence, or None."""
    if not name.strip():
        return "its name is empty"
    problem = text_problem(name, maximum=maximum)
    return f"its name cannot be kept: {problem.inside}" if problem else None


def is_note(text: str | None) -> bool:
    """Return whether a text can be written down beside a change; it may be missing."""
    return text is None or text_problem(text, maximum=MAX_NOTE_LENGTH) is None
