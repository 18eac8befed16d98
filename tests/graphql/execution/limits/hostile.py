"""A thousand hostile documents, for the platform's own schema.

Each family is a way to make a server work hard with a small request. Its documents grow from the
first to the last; every one of them must be refused, by the guard, the parser or validation.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.graphql.execution.limits import hostile_selections, hostile_values

PER_FAMILY = 20


@dataclass(frozen=True)
class Hostile:
    """A hostile request.

    Attributes:
        family: The name of its family.
        text: The document.
        variables: What is sent with it.
    """

    family: str
    text: str
    variables: dict[str, object] = field(default_factory=dict)


Family = Callable[[int], str | tuple[str, dict[str, object]]]
"""Makes the document of a size, from 1; with variables where it needs some."""

FAMILIES: Mapping[str, Family] = {
    make.__name__: make for make in (*hostile_selections.FAMILIES, *hostile_values.FAMILIES)
}


def hostile_documents(per_family: int = PER_FAMILY) -> Iterator[Hostile]:
    """Make all documents: ``per_family`` of each family."""
    for name, make in FAMILIES.items():
        for size in range(1, per_family + 1):
            made = make(size)
            yield Hostile(name, made) if isinstance(made, str) else Hostile(name, *made)
