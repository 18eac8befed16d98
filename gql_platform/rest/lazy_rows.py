"""Rows that are counted before they are made."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias, overload

Row: TypeAlias = dict[str, object] | Sequence[object]
"""An object by column name, or an array in the order of the signature."""


class LazyRows(Sequence[Row]):
    """Rows that are made from their source when they are first looked at.

    Too many rows are refused before any is made, and the others are made in the thread that
    predicts.

    Args:
        count: How many there are.
        make: Makes that many rows.
    """

    def __init__(self, count: int, make: Callable[[], Iterable[Row]]) -> None:
        self._count = count
        self._make = make
        self._made: list[Row] | None = None

    def __len__(self) -> int:
        """Return how many there are, without making them."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """Return one row, or several."""
        return self._rows()[index]

    def __iter__(self) -> Iterator[Row]:
        """Return the rows one after the other."""
        return iter(self._rows())

    def _rows(self) -> list[Row]:
        if self._made is None:
            self._made = list(self._make())
        return self._made
