"""Waiting for asynchronous work in a program that is not asynchronous."""

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own: a notebook has one at work in its own thread."""

    def __init__(self) -> None:
        loop = asyncio.new_event_loop()
        threading.Thread(target=_turn, args=(loop,), name="mlflow-tracker", daemon=True).start()
        self._loop = loop
        weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()
