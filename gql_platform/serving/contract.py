"""What a new version changes in the typed contract of a model."""

from collections.abc import Iterator, Sequence

from gql_platform.registry.records import Column, ColumnType
from gql_platform.serving.records import ServedModel

_WIDENED = frozenset({(ColumnType.FLOAT, ColumnType.DOUBLE)})
"""Types that take all that others took, under the same name in the schema."""


def breaking_changes(old: ServedModel, new: ServedModel) -> tuple[str, ...]:
    """Return what callers of the old version cannot do any more with the new one.

    Columns that come in addition break nobody if they are optional, nor does a column that need
    not be there any more, or takes wider numbers. Labels are compared as a set.

    Args:
        old: The version that serves.
        new: The version that is to.

    Returns:
        A sentence for each change, without a full stop; empty when nothing breaks.
    """
    return tuple(_changes(old, new))


def _changes(old: ServedModel, new: ServedModel) -> Iterator[str]:
    if old.task is not new.task and old.task is not None and new.task is not None:
        yield f"it predicts {new.task.value}, not {old.task.value}"
    before = {column.name: column for column in _inputs(old)}
    after = {column.name: column for column in _inputs(new)}
    for name, column in before.items():
        yield from _column_changes(column, after.get(name))
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield "the columns come in another order, which rows sent as arrays go by"
    for name, column in after.items():
        if name not in before and column.required:
            yield f"the column {name!r} is new and required"
    if old.labels and new.labels:
        yield from _label_changes(old.labels, new.labels)


def _column_changes(old: Column, new: Column | None) -> Iterator[str]:
    if new is None:
        yield f"the column {old.name!r} is gone"
        return
    if old.type is not new.type and (old.type, new.type) not in _WIDENED:
        yield f"the column {old.name!r} is of type {new.type.value}, not {old.type.value}"
    if new.required and not old.required:
        yield f"the column {old.name!r} is required"


def _label_changes(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    gone = [label for label in old if label not in new]
    came = [label for label in new if label not in old]
    if gone:
        yield f"the labels {gone} are gone"
    if came:
        yield f"the labels {came} are new"


def _inputs(served: ServedModel) -> tuple[Column, ...]:
    return served.signature.inputs if served.signature is not None else ()
