"""Pages of lists that grow, cut by key instead of by offset."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gql_platform.errors import InvalidCursorError, PageSizeError

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of an ordered list.

    Attributes:
        items: The records of this page, in order.
        cursors: One opaque cursor per item; pass one as ``after`` to go on behind it.
        has_next: Whether the list goes on behind the last item.
        has_previous: Whether the page does not begin at the list's start.
        total_count: The length of the whole list, or None where counting it is not cheap.
    """

    items: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
    total_count: int | None


def page_of(
    found: Sequence[T], keys: Sequence[str], *, first: int, after: str | None, total: int | None
) -> Page[T]:
    """Cut a page out of what a store found behind a cursor.

    Args:
        found: At most ``first + 1`` records behind the cursor; the extra one tells that the
            list goes on.
        keys: The key of each record, in the same order.
        first: The size asked for.
        after: The cursor that the caller gave, if any.
        total: The length of the whole list, if known.
    """
    return Page(
        items=tuple(found[:first]),
        cursors=tuple(encode_cursor(key) for key in keys[:first]),
        has_next=len(found) > first,
        has_previous=after is not None,
        total_count=total,
    )


def page_size(first: int | None) -> int:
    """Return ``first`` when it is a page size, and `DEFAULT_PAGE_SIZE` for None.

    Raises:
        PageSizeError: If it is below 1 or above `MAX_PAGE_SIZE`.
    """
    if first is None:
        return DEFAULT_PAGE_SIZE
    if not 1 <= first <= MAX_PAGE_SIZE:
        raise PageSizeError(first=first, maximum=MAX_PAGE_SIZE)
    return first


def encode_cursor(key: str) -> str:
    """Turn the key of a record into an opaque cursor."""
    return base64.urlsafe_b64encode(f"after:{key}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the key that `encode_cursor` put into a cursor.

    Raises:
        InvalidCursorError: If the text is not one of our cursors.
    """
    try:
        text = base64.b64decode(
            cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidCursorError(cursor=cursor) from error
    marker, _, key = text.partition(":")
    if marker != "after" or encode_cursor(key) != cursor:
        raise InvalidCursorError(cursor=cursor)
    return key
