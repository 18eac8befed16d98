"""How far the metrics of a run are known, as the text of a cursor, and back."""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from gql_platform.errors import InvalidCursorError
from gql_platform.live.records import Mark

MAX_BYTES = 4_000_000
"""What a cursor may hold at most; that of ten thousand metrics has less."""


def text_of(run_id: str, marks: Mapping[str, Mark]) -> str:
    """Write down how far the metrics of a run are known."""
    content = json.dumps([run_id, *([key, *marks[key]] for key in sorted(marks))])
    return base64.urlsafe_b64encode(zlib.compress(content.encode(), 1)).decode().rstrip("=")


def marks_in(cursor: str, run_id: str) -> dict[str, Mark]:
    """Return how far the metrics of a run are known, as a cursor holds it.

    Raises:
        InvalidCursorError: If it is none of ours, or one of another run.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        content = zlib.decompressobj().decompress(packed, MAX_BYTES)
        named, *marks = json.loads(content)
        found = {key: Mark(*numbers) for key, *numbers in marks}
    except (ValueError, TypeError, RecursionError, binascii.Error, zlib.error) as error:
        raise InvalidCursorError(cursor=cursor) from error
    if named != run_id or not all(map(_is_mark, found.items())):
        raise InvalidCursorError(cursor=cursor)
    return found


def _is_mark(item: tuple[Any, Mark]) -> bool:
    key, mark = item
    is_whole = all(type(number) is int and abs(number) < 2**63 for number in mark)
    return isinstance(key, str) and is_whole and 0 < mark.at <= mark.points
