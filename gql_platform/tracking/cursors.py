"""Positions in orders of runs as the text of cursors, and back."""

import json
import math

from gql_platform.errors import InvalidCursorError
from gql_platform.paging import decode_cursor
from gql_platform.run_search.records import RunOrder, RunPosition


def text_of(position: RunPosition, order: RunOrder) -> str:
    """Write a position down, together with the order that it belongs to."""
    return json.dumps([*_named(order), *position])


def position_in(cursor: str, order: RunOrder) -> RunPosition:
    """Return the position that a cursor holds.

    Raises:
        InvalidCursorError: If it is none of ours, or one of another order.
    """
    try:
        *named, rank, value, started_ms, run_id = json.loads(decode_cursor(cursor))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidCursorError(cursor=cursor) from error
    is_whole = type(rank) is type(started_ms) is int and abs(started_ms) < 2**63
    is_number = isinstance(value, float) and not math.isnan(value)
    if named != _named(order) or not (is_whole and is_number and isinstance(run_id, str)):
        raise InvalidCursorError(cursor=cursor)
    if rank not in (0, 1, 2) or "\x00" in run_id:
        raise InvalidCursorError(cursor=cursor)
    return RunPosition(rank, value, started_ms, run_id)


def _named(order: RunOrder) -> list[str | None]:
    return [order.field.value, order.metric, order.direction.value]
