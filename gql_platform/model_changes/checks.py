"""Which names, paths and notes a model and a version can have."""

from gql_platform.model_changes.records import Notes
from gql_platform.texts import (
    RESERVED,
    is_path,
    key_problem,
    name_problem,
    tags_problem,
    text_problem,
)

MAX_NAME_LENGTH = 256
MAX_DESCRIPTION_LENGTH = 5_000
MAX_TAG_LENGTH = 5_000
MAX_PATH_LENGTH = 400
MAX_REMOVED = 100


def model_problem(name: str, path: str) -> str | None:
    """Return why a path cannot be registered as a model of a name, or None."""
    problem = name_problem(name, maximum=MAX_NAME_LENGTH)
    if problem is not None:
        return problem
    if "/" in name or ":" in name or not is_path(name):
        return "its name should have neither `/` nor `:`, and be no `.` or `..`"
    if len(path) > MAX_PATH_LENGTH or text_problem(path, maximum=MAX_PATH_LENGTH):
        return f"the path should have at most {MAX_PATH_LENGTH} characters, none of which is a NUL"
    if not is_path(path):
        return f"the path {path!r} should lie below the run's own files, such as `model`"
    return None


def notes_problem(notes: Notes) -> str | None:
    """Return why notes cannot be written, or None."""
    if notes.description is not None:
        problem = text_problem(notes.description, maximum=MAX_DESCRIPTION_LENGTH)
        if problem is not None:
            return f"its description cannot be kept: {problem.inside}"
    if len(notes.removed) > MAX_REMOVED:
        return f"more than the {MAX_REMOVED} tags that are taken at once would be removed"
    for key in notes.removed:
        if key.startswith(RESERVED):
            return f"the tag {key[:100]!r} is the platform's own, and cannot be removed"
        found = key_problem(key)
        if found is not None:
            return f"the tag {key[:100]!r} cannot be removed: {found.inside}"
    both = {tag.key for tag in notes.tags}.intersection(notes.removed)
    if both:
        return f"the tag {min(both)!r} would be set and removed"
    return tags_problem(((tag.key, tag.value) for tag in notes.tags), maximum=MAX_TAG_LENGTH)
