"""What happens when the client of a request goes away before it is answered."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

PATIENCE_SECONDS = 0.05
"""How long a request runs before its client is watched; most are answered by then."""


class WhileConnected:
    """Let the work inside run until it is done, or until the client has gone away.

    An asynchronous context manager's work is cancelled when the connection closes; `has_gone` tells
    afterwards. It needs no task for what is done within `PATIENCE_SECONDS`.

    Args:
        receive: The ASGI callable of a request whose body was read.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watcher", "has_gone")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.has_gone = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin; the client is watched a little later."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a request is served in a task
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        """End the watch; a cancellation that came from it ends here, too."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self.has_gone and kind is not None and issubclass(kind, asyncio.CancelledError):
            # Nobody else may have asked for it meanwhile, such as a server that stops.
            return self._task.uncancel() <= 0
        return False

    def _watch(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_gone = True
        self._task.cancel()
