"""What is done again and again goes on, whatever goes wrong."""

import pytest
from structlog.testing import capture_logs

from gql_platform.errors import StoreUnavailableError
from gql_platform.repetition import again_and_again

pytestmark = pytest.mark.anyio


class EnoughError(BaseException):
    """Enough was seen."""


async def test_failures_are_told_and_survived() -> None:
    """An outage is a line, a mistake has its traceback, and the next turn comes after a pause."""
    turns: list[Exception | None] = [StoreUnavailableError("x", "away"), ZeroDivisionError(), None]
    pauses: list[float] = []

    async def work() -> None:
        turn = turns.pop(0)
        if turn is not None:
            raise turn

    async def pause(seconds: float) -> None:
        if not turns:
            raise EnoughError
        pauses.append(seconds)

    with capture_logs() as lines, pytest.raises(EnoughError):
        await again_and_again(work, every_seconds=7.0, failure="not_done", pause=pause)
    assert pauses == [7.0, 7.0, 7.0]
    assert [(each["event"], each["log_level"]) for each in lines] == [
        ("not_done", "warning"),
        ("not_done", "error"),
    ]
