"""Doing something again and again, whatever goes wrong in between."""

from collections.abc import Awaitable, Callable

import structlog

from gql_platform.errors import UnavailableError

log = structlog.get_logger(__name__)


async def again_and_again(
    work: Callable[[], Awaitable[object]],
    *,
    every_seconds: float,
    failure: str,
    pause: Callable[[float], Awaitable[None]],
) -> None:
    """Pause and work, without end.

    What does not answer is told in a line, and any other error with its traceback: a loop that
    ended at the first would leave its work undone for as long as the server runs.

    Args:
        work: What is done.
        every_seconds: How long the pauses are.
        failure: The event of the log that tells what was not done.
        pause: Waits for so many seconds.
    """
    while True:
        await pause(every_seconds)
        try:
            await work()
        except UnavailableError as error:
            log.warning(failure, reason=str(error))
        except Exception:
            log.exception(failure)
