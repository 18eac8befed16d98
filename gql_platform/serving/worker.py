"""A thread that computes one thing after another."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

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
