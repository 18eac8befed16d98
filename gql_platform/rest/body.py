"""Request bodies that a route reads itself, because FastAPI does not know their form."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from starlette.concurrency import run_in_threadpool

from gql_platform.errors import InvalidBodyError

SMALL_BYTES = 16 * 1024
"""What is not larger is read and written on the event loop, in well under a millisecond."""

T = TypeVar("T")


async def off_the_loop(work: Callable[[], T], *, size_bytes: int) -> T:
    """Return the result of some work, done in a thread unless there is little of it.

    Args:
        work: What is to be done; it may raise.
        size_bytes: How much it has to read or write, roughly.
    """
    return work() if size_bytes <= SMALL_BYTES else await run_in_threadpool(work)


def json_of(body: bytes, *, expected: str) -> Any:
    """Parse JSON as Python's clients write it: with `NaN` and `Infinity`, and in any UTF.

    Args:
        body: The text.
        expected: What the path reads, for the error.

    Raises:
        InvalidBodyError: If it is no JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        problem = f"It is no JSON: {error}."
    except (ValueError, RecursionError):
        problem = "It is no JSON that can be read."
    raise InvalidBodyError(problem=problem, expected=expected)
