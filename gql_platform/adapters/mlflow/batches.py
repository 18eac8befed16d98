"""Items cut into parts that MLflow takes in one request."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gql_platform.registry.records import Tag
from gql_platform.run_changes.records import Batch, ItemKind, MetricPoint
from gql_platform.tracking.records import Param

MOST = {ItemKind.METRIC: 1_000, ItemKind.PARAM: 100, ItemKind.TAG: 100}
"""How many items of a kind one request has."""

MOST_ITEMS = 1_000
MOST_CHARACTERS = 900_000
"""MLflow's servers take a million; the rest is left to what stands around the items."""

_AROUND = 100
"""How many characters stand around the texts of an item, numbers included."""


_WIDEST = 12
"""How many characters JSON takes for one that is none of ASCII, at most."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item, with its place in what was sent."""

    kind: ItemKind
    index: int
    value: Param | MetricPoint | Tag

    @property
    def size(self) -> int:
        """How many characters of JSON it takes, or some more."""
        # A name has no characters but letters that JSON writes in more than one of ASCII.
        key = len(self.value.key) * (1 if self.value.key.isascii() else _WIDEST)
        if isinstance(self.value, MetricPoint):
            return _AROUND + key
        return _AROUND + key + len(json.dumps(self.value.value))


def items_of(batch: Batch) -> list[Item]:
    """Return all items of a batch, params first: they are the ones that may be refused."""
    return [
        *(Item(ItemKind.PARAM, index, each) for index, each in batch.params.items()),
        *(Item(ItemKind.TAG, index, each) for index, each in batch.tags.items()),
        *(Item(ItemKind.METRIC, index, each) for index, each in batch.metrics.items()),
    ]


def parts_of(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Cut items into parts, none of which is too large for a request."""
    part: list[Item] = []
    counts = dict.fromkeys(MOST, 0)
    size = 0
    for item in items:
        is_full = len(part) == MOST_ITEMS or counts[item.kind] == MOST[item.kind]
        if part and (is_full or size + item.size > MOST_CHARACTERS):
            yield part
            part, counts, size = [], dict.fromkeys(MOST, 0), 0
        part.append(item)
        counts[item.kind] += 1
        size += item.size
    if part:
        yield part
