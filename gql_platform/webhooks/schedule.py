"""When a message that did not arrive is sent again."""

from collections.abc import Callable
from datetime import datetime, timedelta

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=23, minutes=24, seconds=55),
)
"""How long is waited after each attempt but the last: 75 hours in sum."""

MAX_ATTEMPTS = len(WAITS) + 1

JITTER = 0.1
"""By what part of a wait it is shortened at most, so that many messages do not come at once."""


def next_attempt(
    attempts: int, *, now: datetime, jitter: Callable[[], float], at_least: timedelta | None = None
) -> datetime | None:
    """Return when to try again, or None when it is given up.

    Args:
        attempts: How many there were, the one that just failed included.
        now: When that one ended.
        jitter: Returns a random number from 0 up to 1.
        at_least: How long the receiver asked to be left alone; it counts up to the longest wait.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    wait = WAITS[attempts - 1] * (1 - JITTER * jitter())
    if at_least is not None:
        wait = max(wait, min(at_least, max(WAITS)))
    return now + wait
