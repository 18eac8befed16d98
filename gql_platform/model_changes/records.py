"""What is changed of a model or a version."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_platform.registry.records import Tag


@dataclass(frozen=True, slots=True)
class Notes:
    """What people write on a model or a version; what is left out stays as it is.

    Attributes:
        description: Its description; an empty one takes the old one away, None leaves it.
        tags: Tags that are set, in the place of those with the same keys.
        removed: The keys of tags that are taken away, if they are there.
    """

    description: str | None = None
    tags: Sequence[Tag] = ()
    removed: Sequence[str] = ()
