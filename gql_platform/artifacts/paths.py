"""Which paths name a file of a run, and no other file of the machine."""

import re
from urllib.parse import unquote

from gql_platform.errors import InvalidArtifactPathError

MAX_CHARACTERS = 1000
MAX_PART_BYTES = 255
"""How long the name of a file or folder is at most on any usual file system."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and what Python takes bytes for that are no UTF-8."""
_DRIVE = re.compile(r"[A-Za-z]:")


def checked_path(path: str) -> str:
    """Return a path below the root of a run's files, as it is.

    Some stores decode what they are asked for, once or several times. So a path must be right
    as it stands, and in whatever it can be decoded to.

    Args:
        path: With slashes, relative; "" is the root.

    Raises:
        InvalidArtifactPathError: If it is no such path.
    """
    if len(path) > MAX_CHARACTERS:
        # What is too long to be taken is too long to be quoted.
        raise InvalidArtifactPathError(
            path=f"{path[:50]}…", problem=f"it has more than {MAX_CHARACTERS} characters"
        )
    spelling, decoded = "", path
    while decoded != spelling:
        problem = _problem_of(decoded)
        if problem is not None:
            raise InvalidArtifactPathError(path=path, problem=problem)
        spelling, decoded = decoded, unquote(decoded, errors="replace")
    return path


def checked_file(path: str) -> str:
    """Return a path that is right, and not that of the root.

    Raises:
        InvalidArtifactPathError: If it is not.
    """
    if not path:
        raise InvalidArtifactPathError(path=path, problem="it is empty")
    return checked_path(path)


def is_nameable(path: str) -> bool:
    """Return whether `checked_path` lets a path pass."""
    try:
        checked_path(path)
    except InvalidArtifactPathError:
        return False
    return True


def _problem_of(path: str) -> str | None:
    if path.startswith("/") or _DRIVE.match(path):
        return "it is absolute"
    if "\\" in path:
        return "it has a backslash"
    if _CONTROL.search(path):
        return "it has a character that is no text"
    for part in path.split("/") if path else ():
        if not part:
            return "it has an empty part"
        if part in (".", ".."):
            return f"it has the part {part!r}"
        if len(part.encode(errors="replace")) > MAX_PART_BYTES:
            return f"it has a part of more than {MAX_PART_BYTES} bytes"
    return None
