"""Which names, times and tags an experiment and a run can have."""

from collections.abc import Sequence
from datetime import datetime

from gql_platform.registry.records import Tag
from gql_platform.run_changes.items import (
    MAX_RUN_NAME_LENGTH,
    MAX_TAG_LENGTH,
    RUN_NAME_TAG,
    tag_problem,
    text_problem,
)

MAX_EXPERIMENT_NAME_LENGTH = 256
MAX_EXPERIMENT_TAG_LENGTH = 5_000
MAX_TAGS = 100
"""How many tags something is made with."""


def experiment_problem(name: str, tags: Sequence[Tag]) -> str | None:
    """Return why there can be no experiment with that name and these tags, or None."""
    problem = _name_problem(name, maximum=MAX_EXPERIMENT_NAME_LENGTH)
    return problem or tags_problem(tags, maximum=MAX_EXPERIMENT_TAG_LENGTH)


def run_problem(name: str | None, started_at: datetime | None, tags: Sequence[Tag]) -> str | None:
    """Return why there can be no run with that name, start and these tags, or None."""
    if name is not None:
        problem = _name_problem(name, maximum=MAX_RUN_NAME_LENGTH)
        if problem is not None:
            return problem
        if any(tag.key == RUN_NAME_TAG and tag.value != name for tag in tags):
            return f"the tag `{RUN_NAME_TAG}` is another name than {name!r}"
    if started_at is not None and started_at.timestamp() <= 0:
        return f"it would have begun at {started_at.isoformat()}, before 1970"
    return tags_problem(tags, maximum=MAX_TAG_LENGTH)


def tags_problem(tags: Sequence[Tag], *, maximum: int) -> str | None:
    """Return why something cannot have these tags, or None.

    Args:
        tags: The tags.
        maximum: How many characters a value may have.
    """
    if len(tags) > MAX_TAGS:
        return f"it has {len(tags)} tags, and at most {MAX_TAGS} are taken at once"
    for tag in tags:
        problem = tag_problem(tag, maximum=maximum)
        if problem is not None:
            return f"the tag {tag.key[:100]!r} cannot be set: {_inside(problem.message)}"
    return None


def tags_of(tags: Sequence[Tag]) -> dict[str, str]:
    """Return tags by key; of several with the same key, the last one counts."""
    return {tag.key: tag.value for tag in tags}


def _name_problem(name: str, *, maximum: int) -> str | None:
    if not name.strip():
        return "its name is empty"
    problem = text_problem(name, maximum=maximum)
    return f"its name cannot be kept: {_inside(problem.message)}" if problem else None


def _inside(sentence: str) -> str:
    """Return a sentence as a part of another one."""
    return f"{sentence[0].lower()}{sentence[1:]}".removesuffix(".")
