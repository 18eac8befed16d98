"""Blocking calls in threads that nobody waits for when the process ends."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")

MAX_CALLS = 16
"""How many calls are at work at once; further ones wait."""


class Threads:
    """Run blocking calls, each in a daemon thread.

    The threads of a `ThreadPoolExecutor`, and so those of `asyncio.to_thread`, are joined before
    the process ends: a registry that hangs would keep a server from stopping.

    Args:
        max_calls: How many calls are at work at once; further ones wait.
    """

    def __init__(self, max_calls: int = MAX_CALLS) -> None:
        self._free = asyncio.Semaphore(max_calls)

    async def run(self, call: Callable[[], T]) -> T:
        """Return what a call returns, or raise what it raises.

        Cancelled, nobody waits for the call any more, which goes on until it ends by itself.
        """
        async with self._free:
            done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            context = contextvars.copy_context()
            thread = threading.Thread(
                target=context.run, args=(_work, call, done), name="mlflow", daemon=True
            )
            thread.start()
            return await done


def _work(call: Callable[[], T], done: "asyncio.Future[T]") -> None:
    result: T | None = None
    failure: BaseException | None = None
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
        failure = error
    loop = done.get_loop()
    # A loop that is closed has nobody left who waits.
    if not loop.is_closed():
        loop.call_soon_threadsafe(_deliver, done, result, failure)


def _deliver(done: "asyncio.Future[T]", result: T | None, failure: BaseException | None) -> None:
    if done.done():
        return
    if failure is not None:
        done.set_exception(failure)
    else:
        done.set_result(cast(T, result))
