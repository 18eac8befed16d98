"""Which names, times and tags an experiment and a run can have."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from gql_platform.registry.records import Tag
from gql_platform.run_changes.items import MAX_TAG_LENGTH
from gql_platform.texts import MAX_RUN_NAME_LENGTH, RUN_NAME_TAG, name_problem, tags_problem

MAX_EXPERIMENT_NAME_LENGTH = 256
MAX_EXPERIMENT_TAG_LENGTH = 5_000
LAST_YEAR = 9999
"""The last year that Python knows; in some zones it ends later."""


def experiment_problem(name: str, tags: Sequence[Tag]) -> str | None:
    """Return why there can be no experiment with that name and these tags, or None."""
    problem = name_problem(name, maximum=MAX_EXPERIMENT_NAME_LENGTH)
    return problem or tags_problem(_pairs(tags), maximum=MAX_EXPERIMENT_TAG_LENGTH)


def run_problem(name: str | None, started_at: datetime | None, tags: Sequence[Tag]) -> str | None:
    """Return why there can be no run with that name, start and these tags, or None."""
    if name is not None:
        problem = name_problem(name, maximum=MAX_RUN_NAME_LENGTH)
        if problem is not None:
            return problem
        if any(tag.key == RUN_NAME_TAG and tag.value != name for tag in tags):
            return f"the tag `{RUN_NAME_TAG}` is another name than {name!r}"
    if started_at is not None and not is_storable(started_at):
        return f"it would have begun at {started_at.isoformat()}, which lies too far away"
    return tags_problem(_pairs(tags), maximum=MAX_TAG_LENGTH)


def end_problem(started_at: datetime | None, finished_at: datetime) -> str | None:
    """Return why a run that began then cannot end at some moment, or None."""
    if started_at is not None and finished_at < started_at:
        return f"it would have ended at {finished_at.isoformat()}, before it began"
    if not is_storable(finished_at):
        return f"it would have ended at {finished_at.isoformat()}, which lies too far away"
    return None


def is_storable(moment: datetime) -> bool:
    """Return whether a moment lies where MLflow can keep it and Python can show it."""
    return moment.timestamp() > 0 and moment.year < LAST_YEAR


def tags_of(tags: Sequence[Tag]) -> dict[str, str]:
    """Return tags by key; of several with the same key, the last one counts."""
    return dict(_pairs(tags))


def _pairs(tags: Sequence[Tag]) -> Iterable[tuple[str, str]]:
    return ((tag.key, tag.value) for tag in tags)
