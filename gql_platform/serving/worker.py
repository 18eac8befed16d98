"""A thread that computes one thing after another."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

T = TypeVar("T")

Work: TypeAlias = tuple[Callable[[], Any], Callable[[Any], None]]


class Worker:
    """A thread for calls that may hang: the process does not wait for it when it ends.

    The threads of a `ThreadPoolExecutor` are joined in the end, so that a model that never
    returns would keep a server from stopping.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, call: Callable[[], Any], deliver: Callable[[Any], None]) -> None:
        """Compute something in the thread, and deliver it on the event loop.

        Args:
            call: Computes; it must not raise.
            deliver: Is given what it returned.
        """
        self._work.put((call, deliver))

    def stop(self) -> None:
        """Let the thread end when it is done."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            call, deliver = work
            result = call()
            # A loop that is closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(deliver, result)


async def in_worker(name: str, call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises, from a thread that may hang.

    Args:
        name: The name of the thread.
        call: Computes.
    """
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def attempt() -> tuple[T | None, BaseException | None]:
        try:
            return call(), None
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            return None, error

    def deliver(found: tuple[T | None, BaseException | None]) -> None:
        result, error = found
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    worker = Worker(name)
    worker.submit(attempt, deliver)
    worker.stop()
    return await done
